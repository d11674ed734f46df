// Takes tasks, runs them, stops them when asked, and gives them back when the worker stops. The slots decide when.

import { within } from '../core/async/deadline.ts'
import { MadhavaError } from '../core/errors.ts'
import type { FailuresMeter } from '../core/failures.ts'
import { limitsOf } from '../core/kind-limits.ts'
import type { KindSet, KindSets } from '../core/kind-sets.ts'
import type { DocumentChange, TaskStore } from '../core/store.ts'
import { isSuspect, type TaskRecord } from '../core/task.ts'
import { createTimings, type Timings } from '../core/timings.ts'
import type { Log } from '../platform/log.ts'
import { type Attempt, type EndStatus, startAttempt } from './attempt.ts'
import { followCancelRequests } from './cancel-feed.ts'
import type { SubmitChild } from './children.ts'
import { type ClaimableKinds, createClaimer } from './claimer.ts'
import { createLimitWaiters } from './limit-waiters.ts'
import type { ThreadPool } from './pool/pool.ts'
import type { Scratch } from './scratch.ts'
import { createSuspectGuard } from './suspect-guard.ts'
import { TAKE_LATER, type TakenTask } from './taken-task.ts'

/** The sets of kinds that a worker knows: each attempt goes on with the one that was in use at its claim. */
export type WorkerKinds = Pick<KindSets, 'kinds' | 'current' | 'hold' | 'onUse'>

export interface RunnerOptions {
  store: TaskStore
  kindSets: WorkerKinds
  /** Names the files of kinds where they lie, in a text for people; left out: it stays as it is. */
  plainText?: (text: string) => string
  threads: ThreadPool
  /** Submits the children of tasks. */
  submitChild: SubmitChild
  /** Ends what earlier attempts at a task left running on this host. Never rejects. */
  endLeftovers?: (task: TaskRecord) => Promise<void>
  /** Where attempts have folders of their own; left out: nowhere. */
  scratch?: Scratch
  /** The most bytes of an artifact. */
  artifactMaxBytes?: number
  /** The worker's name in records. */
  workerName: string
  clock: () => Date
  log: Log
  /** The shortest time between two PROGRESS moves of a task. */
  progressEveryMs?: number
  /** From the signal to the end of the thread. */
  graceMs?: number
  random?: () => number
  /** Counts the tasks that fail. */
  failures?: FailuresMeter
  /** Called when tasks wait for their kind's rate. `untilMs`: when to poll again, milliseconds. */
  onPollAt?: (untilMs: number) => void
  /** Called when to poll again now: a kind's limit has room, or a suspect's turn has changed. */
  onPollNow?: () => void
  /** Called when a task that was taken ahead of a free slot is given back, for others to take. */
  onGivenBack?: (task: TaskRecord) => void
  /** Called when a document has changed. */
  onDocument?: (change: DocumentChange) => void
  /** Called when changes are followed from now on; earlier ones may have been missed. */
  onFollow?: () => void
}

export interface Runner {
  /**
   * For the slots: claims the next task and starts it; null if there is none. `ahead`: no slot is free yet, so tasks
   * of kinds with limits and last attempts are left out. TAKE_LATER: a suspect comes first; `onPollNow` says when to
   * poll again. Never rejects.
   */
  take(ahead?: boolean): Promise<TakenTask | null>
  /** Ids of the tasks that run here, and of those whose end is being written. */
  held(): string[]
  /** Ids of the tasks that run; tasks taken ahead do not yet. */
  running(): string[]
  /** Why it takes nothing now, apart from full slots; for people. Null while it may. */
  takesNone(): string | null
  /** How many run, by kind. */
  runningByKind(): Record<string, number>
  /** Totals since the start, by name. */
  counters(): Record<string, number>
  /** Waits and runs since the start, by kind. */
  timings(): Timings
  /** Takes no more, waits for running tasks, and gives back those still running after the timeout. Idempotent. */
  drain(timeoutMs: number): Promise<void>
  /** Drains at once, then releases everything. The caller closes the threads. Idempotent. */
  close(): Promise<void>
}

/** The most bytes of an artifact, where nothing else is said. */
const ARTIFACT_MAX_BYTES = 1024 ** 3
const PROGRESS_EVERY_MS = 250
const GRACE_MS = 500
/** How long a drain waits for last moves after the grace time. */
const LAST_MOVES_MS = 3_000

/** The counter of each end; any other end counts as lost. */
const COUNTER: Partial<Record<EndStatus, string>> & { LOST: string } = {
  SUCCESS: 'succeeded',
  FAILURE: 'failed',
  RETRY: 'retried',
  REVOKED: 'revoked',
  PENDING: 'givenBack',
  LOST: 'lost',
}

/** Whether the promise settled within the time. */
const settles = (promise: Promise<unknown>, ms: number): Promise<boolean> =>
  within(
    ms,
    promise.then(() => true),
    () => false,
  )

interface SetToClaim extends ClaimableKinds {
  set: KindSet
  /** What its program has said of itself, by the kind's name; undefined: it is a module. */
  programs: ReadonlyMap<string, string | undefined>
}

/** @throws KIND_INVALID when a kind has no file */
const claimableOf = (set: KindSet): SetToClaim => {
  const names = set.kinds.forWorkers()
  for (const name of names)
    if (!set.files.has(name)) throw new MadhavaError('KIND_INVALID', `The kind ${name} has no file`)
  const limits = limitsOf(set.kinds.list())
  return {
    set,
    names,
    unlimited: names.filter(name => !Object.hasOwn(limits, name)),
    limits,
    programs: new Map(set.kinds.list().map(({ name, program }) => [name, program])),
    codeOf: name => set.codes.get(name) ?? null,
  }
}
/** The kinds of which only so many may run at a time. */
const crowdable = ({ limits }: ClaimableKinds): Set<string> =>
  new Set(Object.keys(limits).filter(name => limits[name]?.maxConcurrency !== null))

/** Follows the feed at once; takes nothing until asked. @throws KIND_INVALID when a kind has no file */
export const createRunner = (options: RunnerOptions): Runner => {
  const { store, kindSets, threads, submitChild, workerName, clock, log, random = Math.random } = options
  const { progressEveryMs = PROGRESS_EVERY_MS, graceMs = GRACE_MS } = options
  const {
    onPollAt = () => {},
    onPollNow = () => {},
    onGivenBack = () => {},
    endLeftovers = async () => {},
    plainText = (text: string) => text,
  } = options
  let claimable = claimableOf(kindSets.current())
  const attempts = new Map<string, Attempt>()
  const runs = new Set<string>()
  const takes = new Set<Promise<unknown>>()
  const counters: Record<string, number> = { taken: 0, unrunnable: 0 }
  for (const name of Object.values(COUNTER)) counters[name] = 0
  const count = (name: string): void => {
    counters[name] = (counters[name] ?? 0) + 1
  }
  const timings = createTimings()
  const closing = new AbortController()
  let stopping = false

  const limitWaiters = createLimitWaiters({
    limited: crowdable(claimable),
    poll: onPollNow,
    random,
  })

  const suspectGuard = createSuspectGuard({
    isEmpty: () => attempts.size === 0,
    takes: () => takes.size,
    poll: () => void setImmediate(onPollNow),
    log,
  })

  const cancelFeed = followCancelRequests({
    store,
    log,
    held: () => [...attempts.keys()],
    isHeld: id => attempts.has(id),
    onCancelRequest: id => attempts.get(id)?.stop('revoked'),
    onRecord: task => {
      const attempt = attempts.get(task.id)
      if (attempt && task.claim > attempt.task.claim) attempt.stop('claim-lost')
    },
    onChange(task) {
      limitWaiters.onRecord(task)
      suspectGuard.onRecord(task)
    },
    ...(options.onDocument ? { onDocument: options.onDocument } : {}),
    onFollow() {
      limitWaiters.pollAll()
      options.onFollow?.()
    },
  })

  /** A cancel request may have come by the feed after the claim but before this process knew of it. */
  const recheckCancel = async (attempt: Attempt): Promise<void> => {
    try {
      const task = await store.get(attempt.task.id)
      if (task?.revokeRequestedAt && task.claim === attempt.task.claim) attempt.stop('revoked')
    } catch (error) {
      // the feed breaks together with the store, and after that every held task is read again
      log.debug({ error }, 'a claimed task could not be read again')
    }
  }

  const begin = (task: TaskRecord, { set, programs }: SetToClaim, alone: boolean): TakenTask => {
    const taskLog = log.child({ id: task.id, kind: task.kind })
    taskLog.debug({ attempt: task.attempt, claim: task.claim }, 'started')
    // cut off from the store, this process may have lost the task and claimed it again before it knew
    attempts.get(task.id)?.disown()
    const attempt = startAttempt(task, {
      store,
      threads,
      submitChild,
      endLeftovers,
      scratch: options.scratch ?? null,
      artifactMaxBytes: options.artifactMaxBytes ?? ARTIFACT_MAX_BYTES,
      file: set.files.get(task.kind) ?? '',
      program: programs.get(task.kind),
      plainText,
      clock,
      random,
      log: taskLog,
      progressEveryMs,
      graceMs,
      closing: closing.signal,
    })
    attempts.set(task.id, attempt)
    runs.add(task.id)
    count('taken')
    const slotFree = attempt.slotFree.then(ms => {
      if (attempts.get(task.id) === attempt) runs.delete(task.id)
      return ms
    })
    if (stopping) attempt.stop('drain')
    if (cancelFeed.wasRequested(task.id)) void recheckCancel(attempt)
    const ended = attempt.ended.then(({ end, unrunnable, seconds, failedWith }) => {
      // a task given back may have been claimed again already
      if (attempts.get(task.id) === attempt) attempts.delete(task.id)
      count(COUNTER[end] ?? COUNTER.LOST)
      if (unrunnable) count('unrunnable')
      if (failedWith !== null) options.failures?.count(task.kind, failedWith)
      if (end === 'PENDING' && !stopping) onGivenBack(task)
      limitWaiters.runEnded(task.kind)
      if (alone) suspectGuard.ended(task, end)
      setImmediate(suspectGuard.check)
      if (seconds !== null) timings.observe(task.kind, 'run', seconds)
      taskLog.debug({ end }, 'ended')
    })
    return { slotFree, ended, exclusive: alone }
  }

  const claim = createClaimer({
    store,
    workerName,
    clock,
    log,
    onPollAt,
    pollStarted: limitWaiters.pollStarted,
  })
  const unfollow = kindSets.onUse(set => {
    claimable = claimableOf(set)
    limitWaiters.setLimited(crowdable(claimable))
  })
  const claimNext = async (
    ahead: boolean,
    alone: boolean,
    onSuspect: (id: string) => void,
  ): Promise<TakenTask | null> => {
    // another set may come into use during the claim
    const kinds = claimable
    const letGo = kindSets.hold(kinds.set)
    let taken: TakenTask | null = null
    try {
      const claimed = await claim(kinds, ahead, alone, onSuspect)
      if (!claimed) return null
      const { task, waitedMs } = claimed
      timings.observe(task.kind, 'wait', waitedMs / 1000)
      const suspect = isSuspect(task)
      if (suspect) suspectGuard.started(task)
      taken = begin(task, kinds, suspect)
      return taken
    } finally {
      if (taken) void taken.ended.finally(letGo)
      else letGo()
    }
  }

  const allDone = async (): Promise<void> => {
    await Promise.all([...takes])
    await Promise.all([...attempts.values()].map(attempt => attempt.ended))
  }

  let closed: Promise<void> | null = null
  const drain = async (timeoutMs: number): Promise<void> => {
    stopping = true
    limitWaiters.close()
    if (timeoutMs > 0 && (await settles(allDone(), timeoutMs))) return
    for (const attempt of attempts.values()) attempt.stop('drain')
    if (!(await settles(allDone(), graceMs + LAST_MOVES_MS)))
      log.error({ ids: [...attempts.keys()] }, 'not all tasks could be given back in time')
  }

  const running = (): string[] => [...runs].filter(id => attempts.get(id)?.isWaiting() === false)

  return {
    async take(ahead = false) {
      if (stopping) return null
      if (suspectGuard.isReserved()) return TAKE_LATER
      const others = () => [...takes].filter(each => each !== taking)
      const taking: Promise<TakenTask | null> = suspectGuard.take(ahead, claimNext, others)
      takes.add(taking)
      try {
        return await taking
      } finally {
        takes.delete(taking)
        setImmediate(suspectGuard.check)
      }
    },
    held: () => [...attempts.keys()],
    running,
    takesNone: suspectGuard.trouble,
    runningByKind() {
      const byKind = new Map<string, number>()
      for (const id of running()) {
        const kind = attempts.get(id)?.task.kind ?? ''
        byKind.set(kind, (byKind.get(kind) ?? 0) + 1)
      }
      return Object.fromEntries(byKind)
    },
    counters: () => ({ ...counters }),
    timings: () => timings.snapshot(),
    drain,
    close() {
      closed ??= (async () => {
        await drain(0)
        closing.abort()
        await allDone()
        unfollow()
        await cancelFeed.close()
      })()
      return closed
    },
  }
}
