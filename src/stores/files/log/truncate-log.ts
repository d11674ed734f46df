// Makes the state files durable now and then, so that the write-ahead log can be removed. Nothing waits for it.
import type { Log } from '../../../platform/log.ts'
import type { Instances } from '../claims/instances.ts'
import type { Disk } from '../disk.ts'
import { isErrno } from '../errno.ts'
import type { Layout, SafeId } from '../layout.ts'
import type { Committer } from './committer.ts'
import type { Journals } from './journal.ts'
import { listWals, markUnsynced, type Owed, owedBy, readWal, type Wal, type WalEntry } from './wal.ts'

export interface LogTruncation {
  /** Truncates a last time, so that an orderly end leaves no log. Idempotent. */
  close(): Promise<void>
  /** Removes the logs of processes that died while others lived on: the state files have all their changes. */
  settleDead(): Promise<void>
}

interface LogTruncationDeps {
  layout: Layout
  disk: Disk
  wal: Wal
  committer: Committer
  instances: Instances
  journals: Pick<Journals, 'filesOf'>
  log: Log
  /** From one truncation to the next, milliseconds. */
  everyMs?: number
}

const EVERY_MS = 5_000
/**
 * Looks per checkpoint: the log may grow long before its time. While there is none, fewer, so that idling costs
 * nothing.
 */
const LOOKS = 10
const IDLE_LOOKS = 2
const WAL_BYTES = 32 * 1024 * 1024

const idOf = (entry: WalEntry): SafeId => (entry.type === 'task' ? entry.task.id : entry.id) as SafeId

/** Everything that the entries of a log have touched. */
const touched = (layout: Layout, { ids, cancelRequests }: Owed): string[] => {
  const paths = new Set<string>([layout.keys, layout.revokes])
  for (const id of ids as ReadonlySet<SafeId>) {
    paths.add(layout.task(id))
    paths.add(layout.taskFolder(id))
  }
  for (const id of cancelRequests as ReadonlySet<SafeId>) paths.add(layout.revoke(id))
  return [...paths]
}

export const startLogTruncation = (deps: LogTruncationDeps): LogTruncation => {
  const { layout, disk, wal, committer, instances, journals, log, everyMs = EVERY_MS } = deps
  /** Our own logs that are no longer written, oldest first. One that could not be removed is tried again. */
  const owed: Owed[] = []
  let lastAt = performance.now()
  let underWay: Promise<void> | null = null
  let closed = false

  /** Those of these removals whose task is still in another process's log: a replay could bring it back. */
  const stillLogged = (removals: readonly WalEntry[], except: string): WalEntry[] => {
    if (removals.length === 0) return []
    const elsewhere = new Set<string>()
    for (const { file } of listWals(layout.wal))
      if (file !== except)
        for (const entry of readSafely(file)) if (entry.type !== 'removed') elsewhere.add(idOf(entry))
    return removals.filter(entry => elsewhere.has(idOf(entry)))
  }
  const readSafely = (file: string): WalEntry[] => {
    try {
      return readWal(file)
    } catch (error) {
      // its owner has just removed it; any other log that cannot be read is kept
      if (isErrno(error, 'ENOENT')) return []
      throw error
    }
  }

  const giveUp = async (old: Owed, instance: string): Promise<void> => {
    const { file } = old
    // the journals with these changes too, since nothing would announce them again. They are listed outside of the
    // try: a listing that fails is not a sync that failed.
    const told = [layout.journal, ...journals.filesOf(instance)]
    try {
      await committer.syncing(() => disk.sync([...touched(layout, old), ...told]))
    } catch (error) {
      markUnsynced(file)
      throw error
    }
    const removals = stillLogged(old.removals, file)
    if (removals.length > 0)
      await committer.between(async () => {
        wal.append(removals)
        await committer.syncing(wal.sync)
      })
    // logs that were removed before must be gone durably before the removals that need them go
    await committer.syncing(() => disk.sync([layout.wal]))
    disk.unlink(file)
  }

  const checkpoint = async (): Promise<void> => {
    lastAt = performance.now()
    // between commits, so that all changes in the old log are visible
    if (wal.size() > 0)
      await committer.between(async () => {
        const old = wal.rotate()
        if (old !== null) owed.push(old)
      })
    for (let [old] = owed; old !== undefined; [old] = owed) {
      await giveUp(old, instances.instance)
      owed.shift()
    }
  }

  const hasLog = (): boolean => wal.size() > 0 || owed.length > 0
  const look = (): void => {
    const isDue = hasLog() && performance.now() - lastAt >= everyMs
    if (!underWay && (isDue || wal.size() >= WAL_BYTES))
      underWay = checkpoint()
        .catch((error: unknown) => log.error({ error }, 'a checkpoint failed; the log is kept'))
        .finally(() => {
          underWay = null
        })
    schedule()
  }
  let timer: NodeJS.Timeout | undefined
  const schedule = (): void => {
    timer = setTimeout(look, everyMs / (hasLog() ? LOOKS : IDLE_LOOKS)).unref()
  }
  schedule()

  return {
    async settleDead() {
      for (const { file, instance, unsynced } of listWals(layout.wal)) {
        // only a recovery can settle those, since it writes again what they name
        if (unsynced || instance === instances.instance || (await instances.isAlive(instance))) continue
        try {
          await giveUp(owedBy(file, readSafely(file)), instance)
        } catch (error) {
          log.error({ error, file }, 'the log of a process that died could not be given up; it is kept')
        }
      }
    },
    async close() {
      if (closed) return
      closed = true
      clearTimeout(timer)
      await underWay
      try {
        await checkpoint()
      } finally {
        wal.close()
      }
    },
  }
}
