// Group commit: changes that come while the disk is busy share one sync. Each is written under a temporary name. Then
// all are appended to the write-ahead log, which is synced. Then each is renamed into place, and its caller is
// answered.
import { MadhavaError } from '../../../core/errors.ts'
import type { Wal, WalEntry } from './wal.ts'
import type { Draft, Shown, Writer } from './writer.ts'

/** A change under a temporary name: `show` puts it in place and never waits, `discard` removes it. */
export interface Staged<T> {
  show(): T
  discard(): void
}

export interface Committer {
  /** Resolves with what `show` answers, when the change is durable and visible. */
  commit<T>(entry: WalEntry, stage: () => Staged<T>): Promise<T>
  /** The same for a state file; the writer takes many at a time. `told` is called with whether it is in place. */
  commitDraft<T>(entry: WalEntry, draft: () => Draft, told: (shown: boolean) => T): Promise<T>
  /**
   * Runs something that syncs. When it fails the process must end: every change from then on is refused, and so is
   * every further sync, since its success would say nothing. @throws STORE_UNAVAILABLE
   */
  syncing(work: () => Promise<void>): Promise<void>
  /** Runs `work` while no commit is under way. */
  between(work: () => Promise<void>): Promise<void>
  /** Resolves when nothing is under way. */
  settled(): Promise<void>
  /** A sync has failed. Everything is refused, although it may be in a log, and the process must end. */
  isBroken(): boolean
}

interface Job {
  entry: WalEntry
  prepare: () => Prepared
  resolve: (value: unknown) => void
  reject: (error: unknown) => void
}

/** What a change does to the disk: a state file for the writer, or something small that is done here. */
type Prepared = { draft: Draft; told: (shown: boolean) => unknown } | { draft: null; change: Staged<unknown> }
type Work = Prepared & { job: Job }
type Drafted = Extract<Work, { draft: Draft }>

/** The most changes in one sync: their processor time delays the rest of the process. */
const BATCH_MAX = 64

export interface CommitterOptions {
  wal: Wal
  writer: Writer
  /** Changes are visible, and nobody has been answered yet. */
  onVisible: () => void
  /** Called once, when the disk failed to sync. Nobody knows what it kept, so the process must end. */
  onFailure: (error: unknown) => void
}

export const createCommitter = ({ wal, writer, onVisible, onFailure }: CommitterOptions): Committer => {
  const queue: Job[] = []
  let failed: MadhavaError | null = null
  /** Under temporary names, and not logged yet. */
  const staged: Work[] = []
  let staging: Promise<void> = Promise.resolve()
  let scheduled = false
  let turn: Promise<void> = Promise.resolve()
  let finishScheduled = false

  /** Everything from now on is refused, and the process must end. */
  const fail = (what: string, error: unknown): MadhavaError => {
    const first = failed === null
    failed ??= new MadhavaError('STORE_UNAVAILABLE', what, { cause: error })
    if (first) onFailure(error)
    return failed
  }

  const syncing: Committer['syncing'] = async work => {
    if (failed) throw failed
    try {
      await work()
    } catch (error) {
      // any error counts: here even ENOSPC means that bytes were accepted and are lost
      throw fail(`The data folder cannot be synced (${(error as NodeJS.ErrnoException).code})`, error)
    }
  }

  /** The sweep finds a temporary file that cannot be removed. */
  const takeBack = (change: Staged<unknown>): void => {
    try {
      change.discard()
    } catch {
      // the caller gets the earlier error
    }
  }

  const isDrafted = (work: Work): work is Drafted => work.draft !== null

  /** Writes all under temporary names; answers those that could be written. */
  const stage = async (jobs: readonly Job[]): Promise<Work[]> => {
    const works: Work[] = []
    for (const job of jobs) {
      try {
        if (failed) throw failed
        works.push({ job, ...job.prepare() })
      } catch (error) {
        job.reject(error)
      }
    }
    const drafted = works.filter(isDrafted)
    if (drafted.length === 0) return works
    const errors = await writer.write(drafted.map(({ draft }) => draft))
    const refused = new Set<Work>()
    for (const [place, work] of drafted.entries()) {
      const error = errors[place]
      if (!error) continue
      work.job.reject(error)
      refused.add(work)
    }
    return refused.size === 0 ? works : works.filter(work => !refused.has(work))
  }

  const log = async (works: readonly Work[]): Promise<boolean> => {
    try {
      if (failed) throw failed
      // a disk that refuses more bytes is not broken: the log then has nothing of this batch
      wal.append(works.map(({ job }) => job.entry))
      await syncing(wal.sync)
      return true
    } catch (error) {
      await writer.discard(works.filter(isDrafted).map(({ draft }) => draft))
      for (const work of works) {
        if (work.draft === null) takeBack(work.change)
        work.job.reject(error)
      }
      return false
    }
  }

  const show = async (works: readonly Work[]): Promise<void> => {
    const drafted = works.filter(isDrafted)
    const shown = drafted.length === 0 ? [] : await writer.show(drafted.map(({ draft }) => draft))
    const became = new Map(drafted.map((work, place) => [work, shown[place] as Shown]))
    const answers: (() => void)[] = []
    for (const work of works) {
      try {
        let answer: unknown
        if (work.draft === null) answer = work.change.show()
        else {
          const result = became.get(work)
          if (result instanceof Error) throw result
          answer = work.told(result === true)
        }
        answers.push(() => work.job.resolve(answer))
      } catch (error) {
        if (work.draft === null) takeBack(work.change)
        work.job.reject(error)
      }
    }
    onVisible()
    for (const answer of answers) answer()
  }

  /** The writer is lost, and nobody knows what it has done. */
  const lose = (jobs: readonly Job[], error: unknown): void => {
    const refusal = fail('The thread that writes state files is lost', error)
    for (const job of jobs) job.reject(refusal)
  }

  const finish = async (): Promise<void> => {
    finishScheduled = false
    const works = staged.splice(0, BATCH_MAX)
    try {
      if (await log(works)) await show(works)
    } catch (error) {
      lose(
        works.map(({ job }) => job),
        error,
      )
    }
    // one batch per turn, so that work which waits between commits gets a turn too
    if (staged.length > 0) scheduleFinish()
  }
  const scheduleFinish = (): void => {
    if (finishScheduled) return
    finishScheduled = true
    turn = turn.then(finish)
  }

  const prepare = async (): Promise<void> => {
    // with a writer in this thread, batches would be smaller: changes that follow at once could not join them
    if (!writer.apart) await turn
    scheduled = false
    const batch = queue.splice(0, BATCH_MAX)
    try {
      staged.push(...(await stage(batch)))
    } catch (error) {
      lose(batch, error)
    }
    if (staged.length > 0) scheduleFinish()
    if (queue.length > 0) schedule()
  }
  const schedule = (): void => {
    if (scheduled) return
    scheduled = true
    staging = staging.then(prepare)
  }

  const add = <T>(entry: WalEntry, prepare: () => Prepared): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      queue.push({ entry, prepare, resolve: resolve as (value: unknown) => void, reject })
      schedule()
    })

  return {
    commit: (entry, stage) => add(entry, () => ({ draft: null, change: stage() })),
    commitDraft: (entry, draft, told) => add(entry, () => ({ draft: draft(), told })),
    syncing,
    between(work) {
      const mine = turn.then(work)
      turn = mine.catch(() => {})
      return mine
    },
    isBroken: () => failed !== null,
    async settled() {
      do {
        await staging
        await turn
      } while (queue.length > 0 || scheduled || finishScheduled)
    },
  }
}
