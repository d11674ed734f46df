// The only recovery path: takes over from dead processes, announces due tasks without an announcement, ends expired
// tasks, applies retention, removes the tasks of deleted accounts, uploads that nobody needs, and documents and lines of
// the audit whose time is over, and repairs waits after a clock step. Idempotent; every worker runs one.
import { hasBeenAttempted, removeUnlistedArtifacts } from '../core/artifact-cleaning.ts'
import { MadhavaError } from '../core/errors.ts'
import type { FailuresMeter } from '../core/failures.ts'
import { publicReason } from '../core/kind-trouble.ts'
import { expire, restartWait, takeOver } from '../core/moves.ts'
import type { TaskQueue } from '../core/queue.ts'
import type { RetentionRule, TaskPage, TaskStore } from '../core/store.ts'
import { isWaiting, type TaskRecord } from '../core/task.ts'
import type { Log } from '../platform/log.ts'
import type { AccountTasks } from './account-tasks.ts'
import { type ClockWatch, createClockWatch } from './clock-watch.ts'
import type { UploadSweep } from './upload-sweep.ts'

export interface SweeperOptions {
  store: TaskStore
  queue: TaskQueue
  /** The kinds of this worker. Workers with other kinds announce the due tasks of those. */
  kinds: () => readonly string[]
  /** Makes this worker poll the store. */
  poll: () => void
  /** Removes the tasks of deleted accounts. */
  accountTasks?: Pick<AccountTasks, 'sweep'>
  /** Removes uploads that nobody needs. */
  uploads?: UploadSweep
  /** Ends what dead workers left running on this host. Never rejects. */
  endLeftovers?: () => Promise<void>
  /** Removes folders of attempts that nobody uses. Never rejects. */
  sweepScratch?: () => Promise<void>
  clock: () => Date
  log: Log
  /** The rule at this time. */
  retention: (now: Date) => RetentionRule
  /** The age that removes, milliseconds. */
  retentionMs: number
  /** How long the audit is kept, milliseconds; null or left out: for good. */
  auditMs?: number | null
  /** Milliseconds of a monotonic clock. */
  elapsed?: () => number
  /** Counts the tasks that fail. */
  failures?: FailuresMeter
  everyMs?: number
  retainEveryMs?: number
  expireEveryMs?: number
  uploadsEveryMs?: number
}

export interface Sweeper {
  /** One whole sweep; errors are logged, never thrown. */
  sweep(): Promise<void>
  counters(): Record<string, number>
  /** What is wrong with the clock, for people; null when nothing is. */
  clockTrouble(): string | null
  /** Why retention removes nothing, for people; null when it does. */
  retentionTrouble(): string | null
  /** Idempotent; waits for the sweep under way. */
  close(): Promise<void>
}

/** The most tasks announced at a time; the rest follows when these are taken. */
const ANNOUNCE_MAX = 1_000
/** An announcement that the broker does not show may be on its way; after so many sweeps it counts as lost. */
const MISSED_BEFORE_LOST = 5
/** If tasks are due for so many sweeps, free slots poll the store: the broker may be away or hang. */
const DUE_BEFORE_POLL = 5
/** Clocks of several hosts agree within less. */
const SKEW_MS = 1_000
/**
 * How long after the clock went back to check waits: an attempt that failed just then may have written the old time.
 */
const WAITS_LOOKS_MS = [0, 5_000, 60_000]
const PAGE = 500
/** To find the documents whose time is over, an adapter may have to read all of them. */
const EXPIRE_EVERY_MS = 10 * 60_000
const UPLOADS_EVERY_MS = 5_000
/** Where nothing is to be removed, uploads are looked at in a twentieth of the time at most. */
const UPLOADS_SHARE = 20

export const createSweeper = (options: SweeperOptions): Sweeper => {
  const { store, queue, kinds, poll, clock, log, retention } = options
  const { everyMs = 1_000, retainEveryMs = 60_000, expireEveryMs = EXPIRE_EVERY_MS } = options
  const { uploadsEveryMs = UPLOADS_EVERY_MS } = options
  const { retentionMs, auditMs = null, elapsed = () => performance.now() } = options
  const { endLeftovers = async () => {} } = options
  const counts = { takenOver: 0, workerLost: 0, expired: 0, announced: 0, removed: 0, waitsShortened: 0 }
  let missed = 0
  let dueFor = 0
  let nextAt: string | null = null
  /** On a monotonic clock. */
  let retainedAt = Number.NEGATIVE_INFINITY
  let expiredAt = Number.NEGATIVE_INFINITY
  let uploadsAt = Number.NEGATIVE_INFINITY
  let clockWatch: ClockWatch | null = null
  let retentionTrouble: string | null = null
  /** When to check for waits that were set before the clock went back; once at the start. */
  let waitsLooks = [elapsed()]
  let closed = false
  let timer: NodeJS.Timeout | null = null
  let underWay: Promise<void> = Promise.resolve()

  /** Another worker may be faster, or the task may have moved on: both are fine. */
  const quietly = async (id: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof MadhavaError) || !['ILLEGAL_MOVE', 'TASK_NOT_FOUND'].includes(error.code))
        log.error({ error, id }, 'a task could not be swept')
    }
  }

  const countFailure = ({ kind, status, error }: TaskRecord): void => {
    if (status === 'FAILURE' && error) options.failures?.count(kind, error.code)
  }

  /** What the dead process was about to list. A later attempt does the same, but there may be none. */
  const cleanArtifacts = async (task: TaskRecord): Promise<void> => {
    if (!hasBeenAttempted(task)) return
    try {
      await removeUnlistedArtifacts(store, task)
    } catch (error) {
      log.debug({ error, id: task.id }, 'what attempts have left of artifacts could not be removed')
    }
  }

  const takeOverFrom = async (ids: readonly string[]): Promise<void> => {
    // before the tasks can run again
    if (ids.length > 0) await endLeftovers()
    for (const id of ids)
      await quietly(id, async () => {
        const task = await store.claim(id, takeOver(clock().toISOString()))
        if (!task) return
        counts.takenOver += 1
        if (task.status === 'FAILURE') counts.workerLost += 1
        countFailure(task)
        log.warn({ id, status: task.status, attempt: task.attempt }, 'took over a task from a dead process')
        if (isWaiting(task.status)) queue.announce({ id, kind: task.kind })
        await cleanArtifacts(task)
      })
  }

  const endExpired = async (ids: readonly string[]): Promise<void> => {
    for (const id of ids)
      await quietly(id, async () => {
        const task = await store.claim(id, expire(clock().toISOString()))
        if (!task) return
        counts.expired += 1
        countFailure(task)
        await cleanArtifacts(task)
      })
  }

  /** The youngest time in the newest tasks. */
  const youngestMs = async (): Promise<number | null> => {
    const { tasks } = await store.list({}, { limit: 100, cursor: null })
    return tasks.length === 0 ? null : Math.max(...tasks.map(({ updatedAt }) => Date.parse(updatedAt)))
  }

  const lookAtClock = async (): Promise<ClockWatch> => {
    clockWatch ??= createClockWatch({ clock, elapsed, retentionMs, youngestMs: await youngestMs(), log })
    if (clockWatch.check()) waitsLooks = WAITS_LOOKS_MS.map(ms => elapsed() + ms)
    return clockWatch
  }

  /** A wait that was set before the clock went back would last too long. */
  const shortenWaits = async (): Promise<void> => {
    const due = waitsLooks.filter(at => at <= elapsed())
    if (due.length === 0) return
    let cursor: string | null = null
    do {
      const page: TaskPage = await store.list({ statuses: ['RETRY'] }, { limit: PAGE, cursor })
      for (const { id, updatedAt } of page.tasks) {
        const at = clock()
        if (Date.parse(updatedAt) <= at.getTime() + SKEW_MS) continue
        await quietly(id, async () => {
          if (await store.claim(id, restartWait(at.toISOString()))) counts.waitsShortened += 1
        })
      }
      cursor = page.next
    } while (cursor !== null)
    waitsLooks = waitsLooks.filter(at => !due.includes(at))
  }

  /**
   * Announces at most the number due less the queue's depth, so that a long queue is not announced again and again.
   */
  const announceLost = async (due: number, dueIds: readonly string[], becameDue: boolean): Promise<void> => {
    const depth = due === 0 ? 0 : await queue.depth()
    const lost = depth === null ? 0 : Math.min(due - depth - queue.state().outbox, dueIds.length)
    missed = lost > 0 ? missed + 1 : 0
    if (lost <= 0 || !(becameDue || missed >= MISSED_BEFORE_LOST)) return
    missed = 0
    for (const id of dueIds.slice(0, lost)) {
      const task = await store.get(id)
      if (!task || !isWaiting(task.status)) continue
      counts.announced += 1
      queue.announce({ id, kind: task.kind })
    }
  }

  const retain = async (rule: RetentionRule): Promise<void> => {
    try {
      counts.removed += await store.retain(rule)
      retentionTrouble = null
    } catch (error) {
      const reason = publicReason(error instanceof Error ? error.message : String(error))
      retentionTrouble = `Ended tasks are not removed: ${reason}`
      throw error
    }
  }

  /** What is wrong with accounts holds up nothing else. */
  const sweepAccounts = async (): Promise<void> => {
    try {
      counts.removed += (await options.accountTasks?.sweep()) ?? 0
    } catch (error) {
      log.error({ error }, 'the tasks of deleted accounts could not be looked at')
    }
  }

  /** What is wrong with uploads holds up nothing else. */
  const sweepUploads = async (watch: ClockWatch): Promise<void> => {
    const begun = elapsed()
    if (!options.uploads || begun < uploadsAt) return
    let removedSome = false
    try {
      removedSome = await options.uploads.step(watch.mayRemove(options.uploads.ttlMs))
    } catch (error) {
      log.error({ error }, 'uploads could not be looked at')
    }
    // removing is work that has an end
    const restMs = removedSome ? 0 : (elapsed() - begun) * UPLOADS_SHARE
    uploadsAt = elapsed() + Math.max(uploadsEveryMs, restMs)
  }

  const sweep = async (): Promise<void> => {
    try {
      const watch = await lookAtClock()
      await shortenWaits()
      const now = clock()
      const agenda = await store.agenda(now.toISOString(), ANNOUNCE_MAX, kinds())
      await takeOverFrom(agenda.orphaned)
      await endExpired(agenda.expired)
      const becameDue = nextAt !== null && nextAt <= now.toISOString()
      nextAt = agenda.nextAt
      await announceLost(agenda.due, agenda.dueIds, becameDue)
      await sweepAccounts()
      await sweepUploads(watch)
      dueFor = agenda.due > 0 ? dueFor + 1 : 0
      if (dueFor >= DUE_BEFORE_POLL) poll()
      if (performance.now() - retainedAt < retainEveryMs) return
      retainedAt = performance.now()
      await options.sweepScratch?.()
      const rule = retention(now)
      const ageless = { ...rule, finishedBefore: null, failedBefore: null }
      await retain(watch.mayRemove() ? rule : ageless)
      await store.audit.settle()
      if (elapsed() - expiredAt < expireEveryMs || !watch.mayRemove()) return
      expiredAt = elapsed()
      await store.documents.removeExpired(now.toISOString())
      if (auditMs !== null) await store.audit.removeBefore(new Date(now.getTime() - auditMs).toISOString())
    } catch (error) {
      // what was due is still due: at the usual interval
      nextAt = null
      log.error({ error }, 'a sweep failed; the next one tries again')
    }
  }

  /** After `everyMs` at the latest, or when a task becomes due. */
  const schedule = (): void => {
    if (closed) return
    const untilNext = nextAt === null ? everyMs : Date.parse(nextAt) - clock().getTime()
    timer = setTimeout(run, Math.max(20, Math.min(everyMs, untilNext)))
    timer.unref()
  }
  const run = (): void => {
    underWay = sweep().then(schedule)
  }
  run()

  return {
    sweep,
    counters: () => ({ ...counts, uploadsRemoved: options.uploads?.removed() ?? 0 }),
    clockTrouble: () => clockWatch?.trouble() ?? null,
    retentionTrouble: () => retentionTrouble,
    async close() {
      closed = true
      if (timer) clearTimeout(timer)
      await underWay
    },
  }
}
