// One attempt at one claimed task: runs the kind in a thread, writes its reports, and makes the last move. It neither
// claims tasks nor follows the feed; the runner tells it when to stop.
import { attemptNumber } from '../core/attempts.ts'
import { isUnrunnable } from '../core/dead.ts'
import { drain, fail, giveBack, type Move, revoke, takeOver } from '../core/moves.ts'
import { isRetried, retryDelayMs } from '../core/retry.ts'
import type { TaskStore } from '../core/store.ts'
import type { Json, Status, TaskRecord } from '../core/task.ts'
import type { Log } from '../platform/log.ts'
import { createAttemptFiles } from './attempt-files.ts'
import { createCheckpoints } from './checkpoints.ts'
import { createChildren, type SubmitChild } from './children.ts'
import { createEndWriter } from './end-writer.ts'
import { fenceStore } from './fenced-store.ts'
import { lazy } from './lazy.ts'
import type { Run, ThreadPool } from './pool/pool.ts'
import type { RunError, RunOutcome } from './pool/protocol.ts'
import { createProgress } from './progress.ts'
import { isNoLongerHeld, type RetryOptions, retryWrite, whyRefused } from './retry-write.ts'
import type { Scratch } from './scratch.ts'
import { createTaskLog } from './task-log.ts'
import { startTimeLimits } from './time-limits.ts'

/** Why an attempt is stopped from outside. A later reason in this list overrules an earlier one. */
const STOP_REASONS = {
  'no-slot': 'no slot got free in time',
  drain: 'the worker shuts down',
  'time-limit': 'the time limit is reached',
  revoked: 'the task is cancelled',
  'claim-lost': 'another worker holds the task',
} as const
export type StopReason = keyof typeof STOP_REASONS
const RANK = Object.keys(STOP_REASONS)

/** How long a task that was taken ahead waits for a slot. Then another worker may have it. */
const AHEAD_MS = 50

/** The status after the last move, or LOST if this process no longer held the task. */
export type EndStatus = Status | 'LOST'

export interface AttemptEnd {
  end: EndStatus
  /** A failure that means that the task could not be run, not that its kind failed. */
  unrunnable: boolean
  /** The code of its error if the task has failed. */
  failedWith: string | null
  /** From the beginning of the run; null if it never began. */
  seconds: number | null
}

export interface Attempt {
  readonly task: TaskRecord
  /**
   * Resolves when the run is over and little is left to write, at the latest with `ended`. Milliseconds that the run
   * took in its thread; null if nothing ran. Never rejects.
   */
  readonly slotFree: Promise<number | null>
  /** Resolves when the last move is durable or the claim is lost. Never rejects. */
  readonly ended: Promise<AttemptEnd>
  /** It was taken ahead and waits for a thread. */
  isWaiting(): boolean
  /** Once the outcome is known only a cancel has an effect, and a success that can be written at once wins over it. */
  stop(reason: StopReason): void
  /** A later attempt of this process has the task: this one ends and writes nothing more. */
  disown(): void
}

export interface AttemptDeps {
  store: TaskStore
  threads: ThreadPool
  submitChild: SubmitChild
  /** Ends what earlier attempts at the task left running on this host. Never rejects. */
  endLeftovers: (task: TaskRecord) => Promise<void>
  /** Path of the kind's file. */
  file: string
  /** Names the files of kinds where they lie, in a text for people. */
  plainText: (text: string) => string
  /** What the file has said of itself if it is a program. */
  program: string | undefined
  /** Where attempts have folders of their own; null: nowhere. */
  scratch: Scratch | null
  artifactMaxBytes: number
  clock: () => Date
  /** 0 to 1, for jitter. */
  random: () => number
  log: Log
  progressEveryMs: number
  graceMs: number
  /** Fires when the worker closes and no longer waits for the store. */
  closing: AbortSignal
}

/** Starts to run a task that this process has claimed. */
export const startAttempt = (task: TaskRecord, deps: AttemptDeps): Attempt => {
  const { store, threads, clock, random, log, graceMs, closing, plainText } = deps
  const { id, claim } = task
  const earlier = claim > 1
  const now = (): string => clock().toISOString()
  const move = (change: Move): Promise<TaskRecord> => store.move(id, claim, change)
  let run: Run | null = null
  let stopReason: StopReason | null = null
  let over = false
  let begunAt: number | null = null

  const stop = (reason: StopReason, atOnce = reason === 'claim-lost'): void => {
    if (over && reason !== 'revoked') return
    if (stopReason === null || RANK.indexOf(reason) > RANK.indexOf(stopReason)) stopReason = reason
    hurry().abort()
    if (over) return
    if (atOnce) run?.kill()
    else run?.cancel(STOP_REASONS[reason], graceMs)
  }
  const failedAside = (what: string) => (error: unknown) => {
    log.debug({ error }, `${what} could not be written`)
    if (isNoLongerHeld(error)) stop('claim-lost')
  }

  const hurry = lazy(() => new AbortController())
  const retryOptions: RetryOptions = { log, random, closing, hurry: () => hurry().signal }

  let disowned = false
  const fenced = lazy(() => fenceStore(store, () => disowned))
  const checkpoints = lazy(() =>
    createCheckpoints({ store: fenced(), id, failed: failedAside('a checkpoint') }),
  )
  const taskLog = lazy(() =>
    createTaskLog({
      store: fenced(),
      id,
      attempt: attemptNumber(task),
      earlier,
      clock,
      failed: failedAside("the task's log"),
    }),
  )
  const refusal = (): string | null =>
    stopReason !== null ? STOP_REASONS[stopReason] : over ? 'the attempt is over' : null
  const children = lazy(() => createChildren({ parent: task, submitChild: deps.submitChild, refusal, log }))
  const files = createAttemptFiles({
    ...{ task, store, fenced, move, refusal, now, retryOptions, log },
    ...{ scratch: deps.scratch, artifactMaxBytes: deps.artifactMaxBytes },
  })

  /** Null if the task is claimed for the first time, the checkpoint cannot be read, or the attempt is stopped. */
  const readCheckpoint = async (): Promise<Uint8Array | null> => {
    const read = await retryWrite(
      async () => (stopReason === null ? checkpoints().read() : null),
      retryOptions,
    )
    if (read.state === 'refused') {
      log.warn({ error: read.error }, 'the checkpoint of a task cannot be read; it begins anew')
      taskLog().add(`the checkpoint could not be read (${whyRefused(read.error)}); beginning anew`, 'warn')
    }
    return read.state === 'written' ? read.value : null
  }

  const execute = async (): Promise<RunOutcome> => {
    if (earlier) await Promise.all([deps.endLeftovers(task), files.clean()])
    const resume = earlier ? await readCheckpoint() : null
    if (stopReason !== null) {
      await files.end(false)
      return { type: 'stopped' }
    }
    const startedAt = performance.now()
    const progress = lazy(() =>
      createProgress({
        everyMs: deps.progressEveryMs,
        clock,
        begunAt: resume === null ? startedAt : null,
        move,
        failed: failedAside('progress'),
      }),
    )
    let clearLimits: () => void = () => {}
    run = threads.run(
      {
        ...{
          id,
          claim,
          attempt: task.attempt,
          kind: task.kind,
          file: deps.file,
          params: task.params,
          resume,
        },
        ...(deps.program === undefined ? {} : { program: deps.program }),
        ...(files.scratch === undefined ? {} : { scratch: files.scratch }),
      },
      {
        started() {
          begunAt = performance.now()
          // if a thread dies before the run has begun, the run begins a second time
          clearLimits()
          clearLimits = startTimeLimits(task.limits, {
            soft: () => stop('time-limit'),
            hard: () => stop('time-limit', true),
          })
        },
        progress: report => progress().offer(report),
        log(lines) {
          for (const { text, level, skipped } of lines) {
            taskLog().skip(skipped)
            taskLog().add(plainText(text), level)
          }
        },
        checkpoint: bytes => checkpoints().save(bytes),
        submit: (submission, key) => children().submit(submission, key),
        files,
      },
    )
    const waits = run.isWaiting()
      ? setTimeout(() => run?.withdraw() && stop('no-slot', true), AHEAD_MS)
      : undefined
    const outcome = await run.outcome
    clearTimeout(waits)
    over = outcome.type !== 'stopped'
    clearLimits()
    await Promise.all([children.made()?.settled(), files.end(outcome.type !== 'success')])
    // the last partial result stays readable after a failure
    if (outcome.type === 'error') await progress.made()?.flush()
    await progress.made()?.stop()
    return outcome
  }

  const failure = (error: RunError): Move => {
    const { code, names } = error
    const message = plainText(error.message)
    const stack = error.stack === null ? null : plainText(error.stack)
    const detail =
      error.detail === null ? null : (JSON.parse(plainText(JSON.stringify(error.detail))) as Json)
    taskLog().add(`attempt ${task.attempt} failed: ${code}: ${message}`, 'error')
    for (const line of stack?.split('\n') ?? []) taskLog().add(`  ${line.trim()}`, 'error')
    const comesAgain = ({ retry }: TaskRecord): boolean =>
      retry !== null && error.retryable && isRetried(retry, [code, ...names])
    // the last one is the failure of a task, and stands among the errors of the process
    const said = { code, reason: message, attempt: task.attempt }
    if (comesAgain(task) && task.attempt < task.maxAttempts) log.warn(said, 'an attempt failed')
    else log.error(said, 'an attempt failed')
    if (stack !== null) log.debug({ stack }, 'where it failed')
    return current => {
      const at = clock()
      const retryAt =
        current.retry && comesAgain(current)
          ? new Date(at.getTime() + retryDelayMs(current.retry, current.attempt, random())).toISOString()
          : null
      return fail({ code, message, detail }, retryAt, at.toISOString())(current)
    }
  }

  const afterStop = (reason: StopReason): Move => {
    if (reason === 'revoked') return task => revoke(now())(task)
    if (reason === 'drain' && begunAt !== null) return task => drain(now())(task)
    if (reason === 'drain' || reason === 'no-slot') return task => giveBack(now(), false)(task)
    return failure({
      code: 'TIME_LIMIT',
      message: `The attempt ran longer than its limit (soft ${task.limits.softSeconds ?? 'none'}, hard ${task.limits.hardSeconds ?? 'none'}, in seconds)`,
      stack: null,
      names: [],
      detail: null,
      retryable: true,
    })
  }

  const lastMove = (outcome: RunOutcome): Move | null => {
    if (outcome.type === 'error') return failure(outcome.error)
    if (outcome.type === 'stopped' && stopReason) return afterStop(stopReason)
    if (outcome.type === 'unbegun') {
      begunAt = null
      return task => giveBack(now(), false)(task)
    }
    log.error({ outcome }, 'the thread of a task was lost')
    return task => takeOver(now())(task)
  }

  const endOf = (last: TaskRecord | null): AttemptEnd => ({
    end: last?.status ?? 'LOST',
    unrunnable: last !== null && isUnrunnable(last),
    failedWith: last?.status === 'FAILURE' ? (last.error?.code ?? null) : null,
    seconds: begunAt === null ? null : (performance.now() - begunAt) / 1000,
  })

  let freed: () => void = () => {}
  const slotFree = new Promise<number | null>(resolve => {
    freed = () => resolve(run?.tookMs() ?? null)
  })

  const finish = async (): Promise<AttemptEnd> => {
    const outcome = await execute()
    over = true
    // large results stay in memory until they are written, so they keep their slots until then
    if (outcome.type === 'error' || (outcome.type === 'success' && outcome.result.form === 'inline')) freed()
    if (stopReason === 'claim-lost') {
      log.warn('the claim is lost; what this attempt did is left to the holder')
      return endOf(null)
    }
    const endWriter = createEndWriter({
      id,
      earlier,
      store: fenced,
      move,
      now,
      log,
      retryOptions,
      isRevoked: () => stopReason === 'revoked',
      // a log that cannot be written must not delay the end
      flushLog: async () => taskLog.made()?.flush(),
      flushCheckpoint: async () => checkpoints.made()?.flush(),
      removeCheckpoint: async () => checkpoints.made()?.remove(),
      failure,
    })
    const change = outcome.type === 'success' ? null : lastMove(outcome)
    const last =
      outcome.type === 'success'
        ? await endWriter.success(outcome.result, outcome.info)
        : change && (await endWriter.other(change))
    await files.ended(last)
    return endOf(last)
  }

  const ended = finish()
    .catch((error: unknown): AttemptEnd => {
      log.error({ error }, 'running a task went wrong inside the worker')
      return endOf(null)
    })
    .finally(() => freed())
  return {
    task,
    slotFree,
    ended,
    isWaiting: () => run?.isWaiting() ?? true,
    stop: reason => stop(reason),
    disown() {
      disowned = true
      stop('claim-lost')
    },
  }
}
