// The files adapter of TaskStore: puts the parts together. Any number of processes on one host may open one folder.
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import path from 'node:path'
import { MadhavaError } from '../../core/errors.ts'
import { fits } from '../../core/filter.ts'
import type { TaskStore } from '../../core/store.ts'
import type { TaskRecord } from '../../core/task.ts'
import { turns } from '../../core/turns.ts'
import type { Log } from '../../platform/log.ts'
import { createAcquiring } from './acquiring.ts'
import { createBlobs } from './blobs.ts'
import { createCancellation } from './cancellation.ts'
import { startCheckpoints } from './checkpoint.ts'
import { createClaims } from './claims.ts'
import { createCommitter } from './committer.ts'
import { createCreation } from './creation.ts'
import { decodePage, encodePage } from './cursor.ts'
import { createDisk, type Disk } from './disk.ts'
import { createDuties } from './duties.ts'
import { isErrno, storeError } from './errno.ts'
import { createHolder } from './holder.ts'
import { openInstances } from './instance.ts'
import { createJournals, LOST } from './journal.ts'
import { createKindLimiter } from './kind-limits.ts'
import { createLayout, parseId, type SafeId } from './layout.ts'
import { createKeys, createRevokes } from './marks.ts'
import { createMissed } from './missed.ts'
import { createPicking } from './picking.ts'
import { prepareFolders } from './real-folders.ts'
import { createRecords } from './records.ts'
import { recoverOnce } from './recovery.ts'
import { createRetention } from './retention.ts'
import { createRoom } from './room.ts'
import { createScribe, type Scribe } from './scribe.ts'
import { createSetAside } from './set-aside.ts'
import { createShards } from './shards.ts'
import { startScribe } from './threaded-scribe.ts'
import { createView } from './view.ts'
import { createWal } from './wal.ts'

export interface FilesStoreOptions {
  /** The data folder; made when it is missing. */
  dir: string
  clock: () => Date
  log: Log
  /** The name of this host in presences. */
  host?: string
  /** For tests: records what is done to the disk. */
  disk?: Disk
  /** From one checkpoint of the write-ahead log to the next, milliseconds. */
  checkpointEveryMs?: number
  /** Bytes of the disk that no new task may take; on a small disk a share of it. */
  reserveBytes?: number
  /** State files are written in a thread of their own; `disk` is not asked for those. */
  scribeThread?: boolean
  /** For tests: in place of a scribe that does its work on the spot. */
  makeScribe?: (disk: Disk) => Scribe
  /** The disk failed to sync. By default an error that nobody catches, which ends the process. */
  onFailure?: (error: unknown) => void
}

const RESERVE_BYTES = 64 * 1024 ** 2

/** After a failed sync nobody knows what the disk holds: going on would be guessing. */
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
  checkpointEveryMs,
  reserveBytes = RESERVE_BYTES,
  onFailure = endProcess,
  scribeThread = false,
  makeScribe = createScribe,
}: FilesStoreOptions): Promise<TaskStore> => {
  const layout = createLayout(path.resolve(dir))
  await prepareFolders(layout, log).catch((error: unknown) => {
    throw storeError(error)
  })
  const room = createRoom({ dir: layout.dir, reserveBytes })
  const disk = room.watch(plainDisk)
  const instances = await openInstances({ folder: layout.run, host, clock, log })
  const { instance } = instances
  await recoverOnce({ layout, disk, instances, log }).catch(async (error: unknown) => {
    await instances.leave()
    throw storeError(error)
  })
  const setAside = createSetAside({
    layout,
    log,
    onTaken(id) {
      view.publish({ type: 'removed', id, claim: LOST })
      view.flush()
    },
  })
  const records = createRecords(layout, disk, setAside.take)
  // a scribe that is lost is told by itself, and by the commit that it was working at
  let failed = false
  const failOnce = (error: unknown): void => {
    if (!failed) onFailure(error)
    failed = true
  }
  const scribe = scribeThread
    ? startScribe({ onWrite: ({ text }) => room.noteWritten(text.length), onLost: failOnce })
    : makeScribe(disk)
  const claims = createClaims(layout, instance)
  const revokes = createRevokes(layout, disk)
  const keys = createKeys(layout, disk)
  const journals = createJournals(layout.journal, instance, disk)
  const wal = createWal(disk, layout.wal, instance)
  const committer = createCommitter({ wal, scribe, onShown: () => view.flush(), onFailure: failOnce })
  const unique = () => randomBytes(6).toString('hex')
  const blobs = createBlobs({ layout, disk, room, committer, unique })
  const checkpoints = startCheckpoints({
    layout,
    disk,
    wal,
    committer,
    instances,
    journals,
    log,
    ...(checkpointEveryMs === undefined ? {} : { everyMs: checkpointEveryMs }),
  })
  const shards = createShards({ layout, records, unique: instance, log })
  const view = createView({ layout, shards, journals, clock, log })
  const missed = createMissed({ layout, records, view })
  const acquiring = createAcquiring({ records, claims, instances, scribe, lookUp: view.known })
  const holder = createHolder({
    records,
    committer,
    claims,
    revokes,
    acquiring,
    publish: task => view.publish({ type: 'task', task }),
    note: view.note,
    log,
  })
  const retention = createRetention({
    layout,
    room,
    records,
    committer,
    blobs,
    claims,
    keys,
    revokes,
    holder,
    instances,
    journals,
    view,
    missed,
    shards,
    clock,
  })
  const creation = createCreation({ layout, room, records, blobs, keys, committer, view, holder })
  const cancellation = createCancellation({ revokes, committer, view, holder })
  const picking = createPicking({
    view,
    holder,
    limiter: createKindLimiter({ layout, disk, claims, records, instances }),
  })
  const duties = createDuties({ instances, view, missed, acquiring, checkpoints, clock, log })
  let closing: Promise<void> | null = null
  const underWay = new Set<Promise<unknown>>()

  /** Every call: refused after close, waited for by close, and with errors that a client may see. */
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
    await holder.leave()
    await instances.leave()
  }

  return {
    instance,

    create: (...asked) => run(() => creation.create(...asked)),

    get: id => run(async () => holder.read(parseId(id))),

    list: (filter, { limit, cursor }) =>
      run(async () => {
        const after = cursor === null ? null : decodePage(cursor)
        const tasks: TaskRecord[] = []
        let last = after
        let places = (await view.current()).newest(filter, after)
        for (;;) {
          const { value: place } = places.next()
          if (!place) return { tasks, next: null }
          if (place.fits && tasks.length >= limit) return { tasks, next: last && encodePage(last) }
          last = place
          const task = place.fits ? holder.read(place.id as SafeId) : null
          if (task && fits(task, filter)) tasks.push(task)
          // a stretch of rows that do not fit takes as long as a few records
          const pause = turns.spend(place.fits ? 1 : 20)
          if (!pause) continue
          await pause
          // the index has moved on meanwhile
          places = (await view.current()).newest(filter, last)
        }
      }),

    counts: () => run(async () => (await view.current()).counts()),

    claim: (id, move) => run(() => holder.claim(parseId(id), move)),

    claimNext: (wanted, move) => run(async () => (room.mayBegin() ? picking.claimNext(wanted, move) : null)),

    move: (id, claim, move) => run(() => holder.move(parseId(id), claim, move)),

    revoke: (id, at) => run(() => cancellation.revoke(parseId(id), at)),

    remove: id => run(() => retention.remove(parseId(id))),

    putBlob: (id, name, bytes) =>
      run(async () => {
        const safe = parseId(id)
        layout.blob(safe, name)
        holder.mustRead(safe)
        try {
          const info = await blobs.put(safe, name, bytes)
          holder.mustRead(safe)
          return info
        } catch (error) {
          // the task was removed meanwhile, and this blob's folder with it or just not yet
          if (records.read(safe)) throw error
          await blobs.removeAll(safe)
          throw isErrno(error, 'ENOENT') ? new MadhavaError('TASK_NOT_FOUND') : error
        }
      }),
    getBlob: (id, name, range) =>
      run(async () => {
        const safe = parseId(id)
        layout.blob(safe, name)
        return records.exists(safe) ? blobs.get(safe, name, range) : null
      }),
    removeBlob: (id, name) => run(() => blobs.remove(parseId(id), name)),
    listBlobs: id =>
      run(async () => {
        const safe = parseId(id)
        return records.exists(safe) ? blobs.list(safe) : []
      }),

    cursor: () => run(async () => view.cursor()),
    changes: (since, signal) => view.changes(since, signal),
    changedSince: cursor => run(() => view.changedSince(cursor)),

    announce: ({ role, details }) =>
      run(() =>
        instances.announce({
          role,
          details() {
            const own = details()
            const store = room.trouble()
            return store === null ? own : { ...own, troubles: { ...own.troubles, store } }
          },
        }),
      ),
    presences: () => run(() => instances.presences()),
    leave: () => leave(),

    agenda: (now, limit, kinds) => run(() => duties.agenda(now, limit, kinds)),

    retain: rule => run(() => retention.retain(rule)),

    counters: () => setAside.counters(),

    check: () =>
      run(async () => {
        const probe = path.join(layout.run, `.${instance}.probe.tmp`)
        disk.write(probe, 'x')
        disk.unlink(probe)
        await view.current()
        room.forNewTask()
      }),

    close() {
      closing ??= (async () => {
        await Promise.allSettled(underWay)
        await holder.leave()
        view.close()
        await committer.settled()
        await checkpoints
          .close()
          .catch((error: unknown) => log.error({ error }, 'the log could not be given up'))
        await scribe.close()
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
