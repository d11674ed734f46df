// Recovery after all processes died, perhaps by a power cut: exactly one process writes what is in the write-ahead
// logs and not in the state files, before anyone reads. Idempotent: a recovery that is cut off begins again.
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { isMadhavaError } from '../../../core/errors.ts'
import { compareVersions, idempotencyScope, type TaskRecord } from '../../../core/task.ts'
import type { Log } from '../../../platform/log.ts'
import { type CancelRequest, cancelRequestedAt, createCancelRequests } from '../claims/cancel-requests.ts'
import type { Instances } from '../claims/instances.ts'
import type { Disk } from '../disk.ts'
import type { Layout, SafeId } from '../layout.ts'
import { createKeys, type Keys } from '../records/keys.ts'
import { createRecords, type Records } from '../records/records.ts'
import { createTurnFiles } from '../turn-files.ts'
import { createJournals } from './journal.ts'
import type { JournalEntry } from './journal-files.ts'
import { createWal, listWals, markUnsynced, readWal, type WalEntry } from './wal.ts'

interface RecoveryDeps {
  layout: Layout
  disk: Disk
  instances: Instances
  log: Log
}

const LOOK_MS = 20
/** What is broken now may be made good in a moment. */
const leaveIt = (): void => {}

/** The newest state of one task in the logs. */
interface Last {
  task: TaskRecord | null
  /** Under which claim number it was removed, or -1. */
  removed: number
  /** Whose task it was; left out where the entry does not say it. */
  owner?: string | null
  /** The same for its kind. */
  kind?: string
  fingerprint: string | null
  /** The cancel request that was made last. */
  cancelRequest: CancelRequest | null
}

const collect = (layout: Layout): Map<string, Last> => {
  const tasks = new Map<string, Last>()
  const of = (id: string): Last => {
    const last = tasks.get(id) ?? { task: null, removed: -1, fingerprint: null, cancelRequest: null }
    tasks.set(id, last)
    return last
  }
  const take = (entry: WalEntry): void => {
    if (entry.type === 'removed') {
      const last = of(entry.id)
      last.removed = Math.max(last.removed, entry.claim)
      if (entry.owner !== undefined) last.owner = entry.owner
      if (entry.kind !== undefined) last.kind = entry.kind
    } else if (entry.type === 'revoke') {
      const last = of(entry.id)
      const claim = entry.claim ?? Infinity
      if (!last.cancelRequest || claim > last.cancelRequest.claim)
        last.cancelRequest = { at: entry.at, claim }
    } else {
      const last = of(entry.task.id)
      last.fingerprint ??= entry.fingerprint ?? null
      // of two entries with one version the later one counts, since the first was refused to its caller
      if (!last.task || compareVersions(entry.task, last.task) >= 0) last.task = entry.task
    }
  }
  for (const { file } of listWals(layout.wal)) for (const entry of readWal(file)) take(entry)
  return tasks
}

/** A key that belongs to another body by now stays there. */
const bindSafely = (keys: Keys, key: string, id: SafeId, fingerprint: string): void => {
  try {
    keys.bind(key, id, fingerprint)
  } catch (error) {
    if (!isMadhavaError(error, 'IDEMPOTENCY_MISMATCH')) throw error
  }
}

const replay = async ({ layout, disk, instances, log }: RecoveryDeps, records: Records): Promise<void> => {
  const keys = createKeys(layout, disk)
  const cancelRequests = createCancelRequests(layout, disk)
  const journals = createJournals(layout.journal, instances.instance, disk)
  const paths = new Set<string>([layout.keys, layout.revokes])
  let restored = 0
  const wals = listWals(layout.wal)
  /** Tasks whose state files could not be synced: what is read of them may stand in memory alone. */
  const unsure = new Set<string>()
  for (const { file } of wals.filter(({ unsynced }) => unsynced))
    for (const entry of readWal(file)) unsure.add(entry.type === 'task' ? entry.task.id : entry.id)
  const removals: WalEntry[] = []
  /**
   * Told anew in any case: the process may have died before it could tell of a change, and readers know what is old.
   */
  const tell = (entry: JournalEntry): void => journals.append([entry])
  for (const [name, { task, removed, fingerprint, cancelRequest, ...last }] of collect(layout)) {
    const id = name as SafeId
    const there = records.read(id)
    const newest = task && (!there || compareVersions(task, there) > 0) ? task : there
    const owner = newest ? newest.owner : last.owner
    const kind = newest ? newest.kind : last.kind
    const removal = {
      type: 'removed',
      id,
      claim: removed,
      ...(owner === undefined ? {} : { owner }),
      ...(kind === undefined ? {} : { kind }),
    } as const
    if (removed >= 0) removals.push(removal)
    if (newest && removed >= newest.claim) {
      records.remove(id)
      tell(removal)
      paths.add(layout.taskFolder(id))
      continue
    }
    if (!newest) {
      if (removed >= 0) tell(removal)
      continue
    }
    tell({ type: 'task', task: newest })
    if (newest === there && unsure.has(id)) records.put(newest)
    if (newest !== there) {
      records.put(newest)
      restored += 1
    }
    const key = idempotencyScope(newest)
    if (key !== null && fingerprint !== null) bindSafely(keys, key, id, fingerprint)
    if (
      cancelRequest &&
      cancelRequestedAt(newest, cancelRequest) &&
      (unsure.has(id) || !cancelRequestedAt(newest, cancelRequests.read(id)))
    ) {
      cancelRequests.remove(id)
      cancelRequests.write(id, cancelRequest.at, newest.claim).show()
      paths.add(layout.revoke(id))
    }
    paths.add(layout.task(id))
    paths.add(layout.taskFolder(id))
  }
  /** A cut in between may leave any of the logs: the removals stand in one more until all of them are gone. */
  const giveUpAll = async (files: typeof wals, bound: readonly WalEntry[]): Promise<void> => {
    const guard = createWal(disk, layout.wal, instances.instance)
    if (bound.length > 0) guard.append(bound)
    await guard.sync()
    for (const { file } of files) disk.unlink(file)
    await disk.sync([layout.wal])
    const last = guard.rotate()
    if (last !== null) disk.unlink(last.file)
  }
  journals.close()
  await disk.sync([...paths]).catch((error: unknown) => {
    for (const { file } of wals) markUnsynced(file)
    throw error
  })
  await giveUpAll(wals, removals)
  if (restored > 0) log.warn({ restored }, 'state files were made good from the write-ahead logs')
}

/**
 * Resolves when the folder is sound. Does nothing while a process that has gone through here lives: then nobody lost
 * more than a process, and what was in place is in the state files.
 */
export const recoverOnce = async (deps: RecoveryDeps): Promise<void> => {
  const { layout, disk, instances } = deps
  const soundFile = (id: string) => path.join(layout.run, `${id}.sound`)
  const turns = createTurnFiles(layout.run, 'recovery', disk)
  const declareSound = () => writeFileSync(soundFile(instances.instance), '')
  const isSound = async (): Promise<boolean> => {
    for (const name of readdirSync(layout.run)) {
      const id = /^([0-9a-f]{12})\.sound$/.exec(name)?.[1]
      if (id === undefined || id === instances.instance) continue
      if (await instances.isAlive(id)) return true
      rmSync(soundFile(id), { force: true })
    }
    return false
  }
  for (;;) {
    if (await isSound()) return declareSound()
    const last = turns.last()
    if (last.target !== null && (await instances.isAlive(last.target))) {
      await wait(LOOK_MS)
      continue
    }
    if (!turns.take(last, instances.instance)) continue
    // somebody may have been through while this one counted
    if (!(await isSound())) await replay(deps, createRecords(layout, disk, leaveIt))
    return declareSound()
  }
}
