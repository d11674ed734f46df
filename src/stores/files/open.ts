// The files adapter of TaskStore: puts the parts together. Any number of processes on one host may open one folder.
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import path from 'node:path'
import { MadhavaError } from '../../core/errors.ts'
import type { TaskStore } from '../../core/store.ts'
import type { Log } from '../../platform/log.ts'
import { createRates } from '../shared/rates.ts'
import { withStoreTrouble } from '../shared/store-trouble.ts'
import { createAudit } from './audit/audit.ts'
import { createClaimAcquirer } from './claims/acquire.ts'
import { createAgenda } from './claims/agenda.ts'
import { createCanceller } from './claims/cancel.ts'
import { createCancelRequests } from './claims/cancel-requests.ts'
import { createClaimFiles } from './claims/claim-files.ts'
import { openInstances } from './claims/instances.ts'
import { createKindLimiter } from './claims/kind-limits.ts'
import { createLine } from './claims/line.ts'
import { createPicker } from './claims/pick.ts'
import { createTaskMover } from './claims/task-mover.ts'
import { createDisk, type Disk } from './disk.ts'
import { createDocuments } from './documents/documents.ts'
import { storeError } from './errno.ts'
import { createFreeSpace } from './free-space.ts'
import { createLister } from './index/list.ts'
import { createLiveIndex } from './index/live-index.ts'
import { createScanCache } from './index/scan-cache.ts'
import { createLayout, parseId } from './layout.ts'
import { createCommitter } from './log/committer.ts'
import { createFeedRepair } from './log/feed-repair.ts'
import { createJournals } from './log/journal.ts'
import { LOST } from './log/journal-files.ts'
import { recoverOnce } from './log/recovery.ts'
import { startThreadedWriter } from './log/threaded-writer.ts'
import { startLogTruncation } from './log/truncate-log.ts'
import { createWal } from './log/wal.ts'
import { createWriter, type Writer } from './log/writer.ts'
import { migrateFolder } from './migrations/migrate.ts'
import { prepareFolders } from './prepare-folders.ts'
import { createQuarantine } from './quarantine.ts'
import { createRateFiles } from './rate-files.ts'
import { createBlobCalls } from './records/blob-calls.ts'
import { createBlobs } from './records/blobs.ts'
import { createTaskCreator } from './records/create.ts'
import { createKeys } from './records/keys.ts'
import { createRecords } from './records/records.ts'
import { createRetention } from './records/retention.ts'
import { createUploadBytes } from './uploads/upload-bytes.ts'
import { uploadPort } from './uploads/upload-port.ts'

export interface FilesStoreOptions {
  /** The data folder; made when it is missing. */
  dir: string
  clock: () => Date
  log: Log
  /** The name of this host in presences. */
  host?: string
  /** For tests: records what is done to the disk. */
  disk?: Disk
  /** From one truncation of the write-ahead log to the next, milliseconds. */
  truncateEveryMs?: number
  /** Bytes of the disk that no new task may take; on a small disk a share of it. */
  reserveBytes?: number
  /** State files are written in a thread of their own; `disk` is not asked for those. */
  writerThread?: boolean
  /** This process owns the folder, so it may bring one of an earlier format to the present one. */
  isOwner?: boolean
  /** For tests: in place of a writer that does its work on the spot. */
  makeWriter?: (disk: Disk) => Writer
  /** Called when the disk failed to sync. By default it throws an uncaught error, which ends the process. */
  onFailure?: (error: unknown) => void
}

const RESERVE_BYTES = 64 * 1024 ** 2

/** After a failed sync nobody knows what is on the disk, so the process must not go on. */
const endProcess = (error: unknown): void => {
  setImmediate(() => {
    throw error
  })
}

/** @throws STORE_UNAVAILABLE when the folder cannot be used, with the reason */
export const openFilesStore = async ({
  dir,
  clock,
  log,
  host = hostname(),
  disk: plainDisk = createDisk(),
  truncateEveryMs,
  reserveBytes = RESERVE_BYTES,
  onFailure = endProcess,
  writerThread = false,
  isOwner = false,
  makeWriter = createWriter,
}: FilesStoreOptions): Promise<TaskStore> => {
  const layout = createLayout(path.resolve(dir))
  await prepareFolders(layout, log).catch((error: unknown) => {
    throw storeError(error)
  })
  const space = createFreeSpace({ dir: layout.dir, reserveBytes })
  const disk = space.watch(plainDisk)
  const instances = await openInstances({ folder: layout.run, host, clock, log })
  const { instance } = instances
  try {
    await recoverOnce({ layout, disk, instances, log })
    await migrateFolder({ layout, disk, instances, clock, log, isOwner })
  } catch (error) {
    await instances.leave()
    throw storeError(error)
  }
  const quarantine = createQuarantine({
    layout,
    log,
    onTaken(id) {
      liveIndex.publish({ type: 'removed', id, claim: LOST })
      liveIndex.flush()
    },
  })
  const records = createRecords(layout, disk, quarantine.take)
  // a lost writer is reported twice: by itself, and by the commit that it was working on
  let failed = false
  const failOnce = (error: unknown): void => {
    if (!failed) onFailure(error)
    failed = true
  }
  const writer = writerThread
    ? startThreadedWriter({ onWrite: ({ text }) => space.noteWritten(text.length), onLost: failOnce })
    : makeWriter(disk)
  const claimFiles = createClaimFiles(layout, instance)
  const cancelRequests = createCancelRequests(layout, disk)
  const keys = createKeys(layout, disk)
  const journals = createJournals(layout.journal, instance, disk)
  const wal = createWal(disk, layout.wal, instance)
  const committer = createCommitter({ wal, writer, onVisible: () => liveIndex.flush(), onFailure: failOnce })
  const uploads = createUploadBytes({ layout, disk, space, committer })
  const unique = () => randomBytes(6).toString('hex')
  const blobs = createBlobs({ layout, disk, space, committer, instance, unique })
  const logTruncation = startLogTruncation({
    layout,
    disk,
    wal,
    committer,
    instances,
    journals,
    log,
    ...(truncateEveryMs === undefined ? {} : { everyMs: truncateEveryMs }),
  })
  const scanCache = createScanCache({ layout, records, unique: instance, log })
  const liveIndex = createLiveIndex({ layout, scanCache, journals, clock, log })
  const feedRepair = createFeedRepair({ layout, records, liveIndex })
  const documents = createDocuments({
    layout,
    disk,
    instances,
    liveIndex,
    clock,
    log,
    unique,
    onFailure: failOnce,
  })
  const audit = createAudit({ layout, disk, instances, onFailure: failOnce })
  const acquirer = createClaimAcquirer({ records, claimFiles, instances, writer, lookUp: liveIndex.known })
  const mover = createTaskMover({
    records,
    committer,
    claimFiles,
    cancelRequests,
    acquirer,
    publish: task => liveIndex.publish({ type: 'task', task }),
    note: liveIndex.note,
    log,
  })
  const parts = {
    layout,
    disk,
    space,
    records,
    committer,
    blobs,
    claimFiles,
    keys,
    cancelRequests,
    mover,
    instances,
    journals,
    liveIndex,
    feedRepair,
    scanCache,
    clock,
  }
  const creator = createTaskCreator(parts)
  const canceller = createCanceller(parts)
  const retention = createRetention(parts)
  const blobCalls = createBlobCalls(parts)
  const lister = createLister(parts)
  const limiter = createKindLimiter(parts)
  const picker = createPicker({ liveIndex, mover, limiter })
  const rates = createRates(createRateFiles({ layout, instance, clock }))
  const line = createLine({ liveIndex, limiter, space })
  const agendaMaker = createAgenda({ instances, liveIndex, feedRepair, acquirer, logTruncation, clock, log })
  let closing: Promise<void> | null = null
  const underWay = new Set<Promise<unknown>>()

  /** Wraps every call: it is refused after close, close waits for it, and its errors are fit for clients. */
  const run = async <T>(work: () => Promise<T>): Promise<T> => {
    if (closing) throw new MadhavaError('STORE_UNAVAILABLE', 'The store is closed')
    const mine = work()
    underWay.add(mine)
    try {
      return await mine
    } catch (error) {
      throw storeError(error)
    } finally {
      underWay.delete(mine)
    }
  }

  const leave = async (): Promise<void> => {
    await mover.leave()
    await instances.leave()
  }

  await documents.settle().catch((error: unknown) => {
    log.error({ error }, 'the feed could not be told of an unfinished write; the next write tries again')
  })
  return {
    instance,

    documents: {
      get: (...asked) => run(() => documents.get(...asked)),
      list: (...asked) => run(() => documents.list(...asked)),
      put: (...asked) => run(() => documents.put(...asked)),
      remove: (...asked) => run(() => documents.remove(...asked)),
      removeExpired: now => run(() => documents.removeExpired(now)),
    },

    uploads: uploadPort(uploads, run),

    audit: {
      begin: entry => run(() => audit.begin(entry)),
      end: (...asked) => run(() => audit.end(...asked)),
      add: (...asked) => run(() => audit.add(...asked)),
      page: (...asked) => run(() => audit.page(...asked)),
      settle: () => run(() => audit.settle()),
      removeBefore: at => run(() => audit.removeBefore(at)),
    },

    create: (...asked) => run(() => creator.create(...asked)),

    get: id => run(async () => mover.read(parseId(id))),

    list: (filter, page) => run(() => lister.list(filter, page)),

    counts: owners => run(async () => (await liveIndex.current()).counts(owners)),
    countWaiting: by => run(async () => (await liveIndex.current()).countWaiting(by)),
    rates: {
      take: (...asked) =>
        run(async () => {
          const taken = await rates.take(...asked)
          return { ...taken, giveBack: () => run(taken.giveBack) }
        }),
    },

    claim: (id, move) => run(() => mover.claim(parseId(id), move)),

    claimNext: (wanted, move) => run(async () => (space.mayBegin() ? picker.claimNext(wanted, move) : null)),

    move: (id, claim, move) => run(() => mover.move(parseId(id), claim, move)),

    revoke: (id, at) => run(() => canceller.revoke(parseId(id), at)),

    remove: id => run(() => retention.remove(parseId(id))),

    putBlob: (id, name, bytes) => run(() => blobCalls.put(parseId(id), name, bytes)),
    getBlob: (id, name, range) => run(() => blobCalls.get(parseId(id), name, range)),
    removeBlob: (id, name) => run(() => blobs.remove(parseId(id), name)),
    listBlobs: id => run(() => blobCalls.list(parseId(id))),

    cursor: () => run(async () => liveIndex.cursor()),
    changes: (since, signal) => liveIndex.changes(since, signal),
    changedSince: cursor => run(() => liveIndex.changedSince(cursor)),

    announce: ({ role, details }) =>
      run(() => instances.announce({ role, details: withStoreTrouble(details, space.trouble) })),
    presences: () => run(() => instances.presences()),
    leave: () => leave(),

    agenda: (now, limit, kinds) => run(() => agendaMaker.agenda(now, limit, kinds)),

    line: (tasks, query) => run(() => line(tasks, query)),

    retain: rule => run(() => retention.retain(rule)),

    counters: () => quarantine.counters(),

    check: () =>
      run(async () => {
        const probe = path.join(layout.run, `.${instance}.probe.tmp`)
        disk.write(probe, 'x')
        disk.unlink(probe)
        await liveIndex.current()
        space.forNewTask()
      }),

    close() {
      closing ??= (async () => {
        await Promise.allSettled(underWay)
        await mover.leave()
        liveIndex.close()
        await committer.settled()
        await logTruncation
          .close()
          .catch((error: unknown) => log.error({ error }, 'the log could not be given up'))
        await writer.close()
        try {
          await audit.close()
        } catch (error) {
          log.error({ error }, 'the last lines of the audit could not be synced')
        }
        try {
          await instances.leave()
        } finally {
          journals.close()
        }
      })()
      return closing
    },
  }
}
