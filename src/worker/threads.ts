// A pool of threads that run kinds: one task at a time each, made when needed, used again, never more than `size`. While
// runs are tiny, threads are given some ahead: to be woken for each takes longer than to run it.
// It knows no store: what an outcome means for a record is the runner's business.
import { availableParallelism } from 'node:os'
import { DEFAULT_KIND_SETTINGS, type KindSettings } from '../core/kind.ts'
import { RESULT_LIMITS, type ResultLimits } from '../core/task.ts'
import { type RunEvents, startThread, type Thread } from './thread.ts'
import type { Crew, Outcome, RunRequest, SentRun, Stray } from './thread-protocol.ts'
import { createThreadSupply } from './thread-supply.ts'

export interface ThreadPoolOptions {
  size: number
  /** Heap that one thread may use, megabytes. Buffers lie outside of it. */
  memoryMb: number
  /** That the running tasks share; by default all that this process may use. */
  cores?: number
  results?: ResultLimits
  settings?: KindSettings
  /** An unused thread ends after this time. */
  idleMs?: number
  /** Told how many runs can go on at a time: `size`, or fewer while the host starts no more threads. On change. */
  onCapacity?: (capacity: number) => void
  /** Told why no thread can be started, once; null when they start again. */
  onShortage?: (reason: string | null) => void
  /** Told what code of runs that are over still does. */
  onStray?: (stray: Stray) => void
  /** 0 to 1, for jitter. */
  random?: () => number
  /** For tests: as `startThread`. */
  start?: typeof startThread
}

export interface Run {
  /** Never rejects. */
  readonly outcome: Promise<Outcome>
  /** No thread is free for it yet. */
  isWaiting(): boolean
  /** Milliseconds that the run took in its thread; null before its end, and when the thread could not tell. */
  tookMs(): number | null
  /** True: it had not begun, and never will. Else it goes on, or is over. */
  withdraw(): boolean
  /** Fires the signal inside the thread, and ends the thread when the run is not over after the grace time. */
  cancel(reason: string, graceMs: number): void
  /** Ends the thread at once. */
  kill(): void
}

export interface ThreadPool {
  /** Begins at once when a thread is free, else as soon as one is. */
  run(request: RunRequest, events: RunEvents): Run
  /** For metrics and tests. */
  state(): { busy: number; idle: number; waiting: number }
  /** Ends all threads; runs that were under way are lost. Idempotent. */
  close(): Promise<void>
}

const IDLE_MS = 60_000
/** A thread inside one long operation of the engine (a multiplication of huge numbers) dies only after it. */
const DEATH_MS = 1_000

/** A run that takes less is tiny: to wake its thread for each would take longer. */
const TINY_MS = 2
/** Runs that a thread is given at the most, with the one that goes on. */
const LINE_MAX = 9
/** A thread that has ended none in this time gives back what it was given ahead. */
const AHEAD_MS = 5

/** What a request may hold to be given ahead, in characters: it is kept in the thread until it begins. */
const AHEAD_LENGTH = 32 * 1024

const CLOSED: Outcome = { type: 'lost', reason: 'the pool was closed' }

interface Job {
  request: SentRun
  events: RunEvents
  thread: Thread | null
  /** Given to a thread that was not done with another one, and not begun as far as is known. */
  ahead: boolean
  /** Jobs begin in the order of their numbers. */
  number: number
  stopping: boolean
  tookMs: number | null
  settle: (outcome: Outcome) => void
}

export const createThreads = (options: ThreadPoolOptions): ThreadPool => {
  const { size, memoryMb, results = RESULT_LIMITS, idleMs = IDLE_MS } = options
  const { settings = DEFAULT_KIND_SETTINGS, cores = availableParallelism(), start = startThread } = options
  const { onStray = () => {} } = options
  const crew: Crew = { cores, running: new Int32Array(new SharedArrayBuffer(4)) }
  const countBusy = (): void => {
    Atomics.store(crew.running, 0, busy.size)
  }
  const busy = new Set<Thread>()
  const waiting: Job[] = []
  /** Threads whose last run was tiny: while they are busy they may be given more ahead. */
  const quick = new Set<Thread>()
  /** Those that were, and are looked after. */
  const watched = new Set<Thread>()
  let jobs = 0
  let closing: Promise<void> | null = null

  const supply = createThreadSupply({
    open: onUp => start({ memoryMb, results, settings, crew, onUp, onStray }),
    size,
    idleMs,
    busy: () => busy.size,
    onRoom: () => pump(),
    onGone(thread) {
      busy.delete(thread)
      quick.delete(thread)
      countBusy()
    },
    onCapacity: options.onCapacity ?? (() => {}),
    onShortage: options.onShortage ?? (() => {}),
    random: options.random ?? Math.random,
  })
  const release = (thread: Thread, reusable: boolean): void => {
    busy.delete(thread)
    countBusy()
    if (reusable && !closing) supply.keep(thread)
    else supply.end(thread)
    pump()
  }

  const hand = async (job: Job, thread: Thread): Promise<void> => {
    job.thread = thread
    job.ahead = thread.length() > 0
    const end = await thread.run(job.request, {
      ...job.events,
      started() {
        job.ahead = false
        job.events.started()
      },
    })
    if (!end.begun) {
      job.thread = null
      job.ahead = false
      if (job.stopping || closing) job.settle(job.stopping ? { type: 'stopped' } : CLOSED)
      else waiting.push(job)
      waiting.sort((one, other) => one.number - other.number)
      // it has refused all that it was given
      if (thread.isSpoilt() && thread.length() === 0 && busy.has(thread)) release(thread, false)
      else if (!closing) pump()
      return
    }
    if (end.outcome.type === 'unbegun') supply.short(end.outcome.reason)
    else supply.well()
    job.tookMs = end.ms
    const tiny = end.ms !== null && end.ms < TINY_MS
    if (end.outcome.type === 'success') job.settle(end.outcome)
    else if (job.stopping) job.settle({ type: 'stopped' })
    else job.settle(closing ? CLOSED : end.outcome)
    // a thread that is being killed was released by that
    if (!busy.has(thread)) return pump()
    if (tiny) quick.add(thread)
    else quick.delete(thread)
    if (thread.length() === 0 || !end.reusable) release(thread, end.reusable)
    else pump()
  }
  /** False: no thread can be had now. */
  const begin = (job: Job): boolean => {
    const thread = supply.get(job.request.kind)
    if (!thread) return false
    waiting.splice(waiting.indexOf(job), 1)
    busy.add(thread)
    countBusy()
    void hand(job, thread)
    return true
  }

  /** What a thread has not come to in time is for whichever is free first. */
  const watch = (thread: Thread): void => {
    const before = thread.ended()
    setTimeout(() => {
      if (thread.ended() === before) {
        quick.delete(thread)
        thread.takeBack()
      }
      if (thread.length() > 1) watch(thread)
      else watched.delete(thread)
    }, AHEAD_MS).unref()
  }
  /** The thread that gets one ahead: of those whose last run was tiny the one that has the least to do. */
  const quickest = (kind: string): Thread | null => {
    let best: Thread | null = null
    for (const thread of quick)
      if (
        busy.has(thread) &&
        thread.takesAhead() &&
        thread.serves(kind) &&
        thread.length() < (best?.length() ?? LINE_MAX)
      )
        best = thread
    return best
  }
  const pump = (): void => {
    while (waiting.length > 0 && !closing) {
      const [job] = waiting
      if (job && busy.size < size && begin(job)) continue
      const thread = job ? quickest(job.request.kind) : null
      // a checkpoint may be large, too
      if (!thread || !job || job.request.resume || job.request.params.length > AHEAD_LENGTH) return
      waiting.shift()
      void hand(job, thread)
      if (watched.has(thread)) continue
      watched.add(thread)
      watch(thread)
    }
  }

  const withdraw = (job: Job): boolean => {
    if (job.ahead) job.thread?.takeBack()
    if (job.thread && !job.ahead) return false
    job.stopping = true
    const place = waiting.indexOf(job)
    if (place >= 0) waiting.splice(place, 1)
    job.settle({ type: 'stopped' })
    return true
  }
  const kill = (job: Job): void => {
    if (withdraw(job)) return
    job.stopping = true
    const { thread } = job
    if (!thread) return
    thread.takeBack()
    // it was over, and what came after it goes on
    if (!thread.isAt(job.request)) return
    // the dying thread makes room at once; its outcome waits for its death, within reason
    setTimeout(() => job.settle({ type: 'stopped' }), DEATH_MS).unref()
    if (busy.has(thread)) release(thread, false)
  }

  return {
    run(request, events) {
      let grace: NodeJS.Timeout | undefined
      let settled = false
      let settle: (outcome: Outcome) => void = () => {}
      const outcome = new Promise<Outcome>(resolve => {
        settle = value => {
          settled = true
          clearTimeout(grace)
          resolve(value)
        }
      })
      const job: Job = {
        request: { ...request, params: JSON.stringify(request.params) },
        events,
        thread: null,
        ahead: false,
        number: ++jobs,
        stopping: false,
        tookMs: null,
        settle,
      }
      if (closing) settle({ type: 'lost', reason: 'the pool is closed' })
      else {
        waiting.push(job)
        pump()
      }
      return {
        outcome,
        tookMs: () => job.tookMs,
        isWaiting: () => !settled && (job.thread === null || job.ahead),
        cancel(reason, graceMs) {
          if (settled || job.stopping || withdraw(job)) return
          job.stopping = true
          job.thread?.abort(job.request, reason)
          grace = setTimeout(() => kill(job), graceMs)
        },
        withdraw: () => !settled && withdraw(job),
        kill() {
          if (!settled) kill(job)
        },
      }
    },

    state() {
      let ahead = 0
      for (const thread of busy) ahead += Math.max(0, thread.length() - 1)
      return { busy: busy.size, idle: supply.idle(), waiting: waiting.length + ahead }
    },

    close() {
      closing ??= (async () => {
        for (const job of waiting.splice(0)) job.settle({ type: 'lost', reason: 'the pool is closed' })
        await supply.close()
      })()
      return closing
    },
  }
}
