// Group commit: changes that come while the disk is busy share one sync. Each is written aside first, then all stand
// in the write-ahead log and are synced, then each becomes visible; only then its caller hears of it.
import { MadhavaError } from '../../core/errors.ts'
import type { Wal, WalEntry } from './wal.ts'

/** A change on its way: `stage` writes aside, `show` makes it visible and never waits, `discard` takes it back. */
export interface Staged<T> {
  show(): T
  discard(): void
}

export interface Committer {
  /** Resolves with what `show` answers, when the change is durable and visible. */
  commit<T>(entry: WalEntry, stage: () => Staged<T>): Promise<T>
  /**
   * Runs something that syncs. When it fails the process must end: every change from then on is refused, and so is
   * every further sync, since its success would say nothing. @throws STORE_UNAVAILABLE
   */
  syncing(work: () => Promise<void>): Promise<void>
  /** Runs `work` while no commit is under way. */
  between(work: () => Promise<void>): Promise<void>
  /** Resolves when nothing is under way. */
  settled(): Promise<void>
}

interface Job {
  entry: WalEntry
  stage: () => Staged<unknown>
  resolve: (value: unknown) => void
  reject: (error: unknown) => void
}

/** Changes in one sync at the most: what they take of the processor holds up the rest of the process. */
const BATCH_MAX = 64

export interface CommitterOptions {
  wal: Wal
  /** Changes are visible, and nobody has been answered yet. */
  onShown: () => void
  /** The disk failed to sync: what it kept is unknown, and the process must end. Called once. */
  onFailure: (error: unknown) => void
}

export const createCommitter = ({ wal, onShown, onFailure }: CommitterOptions): Committer => {
  const queue: Job[] = []
  let failed: MadhavaError | null = null
  let turn: Promise<void> = Promise.resolve()
  let scheduled = false

  const syncing: Committer['syncing'] = async work => {
    if (failed) throw failed
    try {
      await work()
    } catch (error) {
      // whatever it was: also an error such as ENOSPC tells here of bytes that were accepted and are gone
      const code = (error as NodeJS.ErrnoException).code
      const first = failed === null
      failed ??= new MadhavaError('STORE_UNAVAILABLE', `The data folder cannot be synced (${code})`, {
        cause: error,
      })
      if (first) onFailure(error)
      throw failed
    }
  }

  /** A file written aside that cannot even be removed is found by the sweep. */
  const takeBack = (change: Staged<unknown>): void => {
    try {
      change.discard()
    } catch {
      // the caller is told what went wrong before
    }
  }

  const log = async (staged: readonly { job: Job; change: Staged<unknown> }[]): Promise<boolean> => {
    try {
      // a disk that refuses more is not a broken one: nothing of this batch stands in the log then
      wal.append(staged.map(({ job }) => job.entry))
      await syncing(wal.sync)
      return true
    } catch (error) {
      for (const { job, change } of staged) {
        takeBack(change)
        job.reject(error)
      }
      return false
    }
  }

  const commitBatch = async (): Promise<void> => {
    const staged: { job: Job; change: Staged<unknown> }[] = []
    for (const job of queue.splice(0, BATCH_MAX)) {
      try {
        if (failed) throw failed
        staged.push({ job, change: job.stage() })
      } catch (error) {
        job.reject(error)
      }
    }
    if (staged.length === 0 || !(await log(staged))) return
    const shown: (() => void)[] = []
    for (const { job, change } of staged) {
      try {
        const answer = change.show()
        shown.push(() => job.resolve(answer))
      } catch (error) {
        takeBack(change)
        job.reject(error)
      }
    }
    onShown()
    for (const answer of shown) answer()
  }

  const drain = async (): Promise<void> => {
    scheduled = false
    await commitBatch()
    // one batch at a turn, so that what waits between commits gets its own
    if (queue.length > 0) schedule()
  }
  const schedule = (): void => {
    if (scheduled) return
    scheduled = true
    turn = turn.then(drain)
  }

  return {
    commit<T>(entry: WalEntry, stage: () => Staged<T>): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        queue.push({ entry, stage, resolve: resolve as (value: unknown) => void, reject })
        schedule()
      })
    },
    syncing,
    between(work) {
      const mine = turn.then(work)
      turn = mine.catch(() => {})
      return mine
    },
    async settled() {
      while (queue.length > 0 || scheduled) await turn
      await turn
    },
  }
}
