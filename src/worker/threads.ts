// A pool of threads that run kinds: one task at a time each, made when needed, used again, never more than `size`.
// It knows no store: what an outcome means for a record is the runner's business.
import { availableParallelism } from 'node:os'
import { DEFAULT_KIND_SETTINGS, type KindSettings } from '../core/kind.ts'
import { RESULT_LIMITS, type ResultLimits } from '../core/task.ts'
import { type RunEvents, startThread, type Thread } from './thread.ts'
import type { Crew, Outcome, RunRequest } from './thread-protocol.ts'

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
}

export interface Run {
  /** Never rejects. */
  readonly outcome: Promise<Outcome>
  /** No thread is free for it yet. */
  isWaiting(): boolean
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

interface Job {
  request: RunRequest
  events: RunEvents
  thread: Thread | null
  stopping: boolean
  settle: (outcome: Outcome) => void
}

export const createThreads = (options: ThreadPoolOptions): ThreadPool => {
  const { size, memoryMb, results = RESULT_LIMITS, idleMs = IDLE_MS } = options
  const { settings = DEFAULT_KIND_SETTINGS, cores = availableParallelism() } = options
  const crew: Crew = { cores, running: new Int32Array(new SharedArrayBuffer(4)) }
  const countBusy = (): void => {
    Atomics.store(crew.running, 0, busy.size)
  }
  const idle = new Map<Thread, NodeJS.Timeout>()
  const busy = new Set<Thread>()
  /** Every thread that is not yet gone, the dying included. */
  const all = new Set<Thread>()
  const waiting: Job[] = []
  let closing: Promise<void> | null = null

  const open = (): Thread => {
    const thread = startThread({ memoryMb, results, settings, crew })
    all.add(thread)
    thread.onGone(() => {
      all.delete(thread)
      busy.delete(thread)
      countBusy()
      clearTimeout(idle.get(thread))
      idle.delete(thread)
    })
    return thread
  }
  /** The thread that was used last is the warmest. */
  const reuse = (): Thread | null => {
    const last = [...idle].at(-1)
    if (!last) return null
    clearTimeout(last[1])
    idle.delete(last[0])
    return last[0]
  }
  const release = (thread: Thread, reusable: boolean): void => {
    busy.delete(thread)
    countBusy()
    if (reusable && !closing)
      idle.set(
        thread,
        setTimeout(() => {
          idle.delete(thread)
          void thread.terminate()
        }, idleMs).unref(),
      )
    else void thread.terminate()
    pump()
  }

  const begin = async (job: Job): Promise<void> => {
    let thread: Thread
    try {
      thread = reuse() ?? open()
    } catch (error) {
      job.settle({ type: 'lost', reason: error instanceof Error ? error.message : String(error) })
      return
    }
    busy.add(thread)
    countBusy()
    job.thread = thread
    const end = await thread.run(job.request, job.events)
    if (end.outcome.type === 'success') job.settle(end.outcome)
    else if (job.stopping) job.settle({ type: 'stopped' })
    else job.settle(closing ? { type: 'lost', reason: 'the pool was closed' } : end.outcome)
    // a thread that is being killed was released by that
    if (busy.has(thread)) release(thread, end.reusable)
    else pump()
  }
  const pump = (): void => {
    while (waiting.length > 0 && busy.size < size && !closing) {
      const job = waiting.shift()
      if (job) void begin(job)
    }
  }

  const kill = (job: Job): void => {
    job.stopping = true
    if (!job.thread) {
      const place = waiting.indexOf(job)
      if (place >= 0) waiting.splice(place, 1)
      job.settle({ type: 'stopped' })
      return
    }
    const { thread } = job
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
      const job: Job = { request, events, thread: null, stopping: false, settle }
      if (closing) settle({ type: 'lost', reason: 'the pool is closed' })
      else {
        waiting.push(job)
        pump()
      }
      return {
        outcome,
        isWaiting: () => !settled && job.thread === null,
        cancel(reason, graceMs) {
          if (settled || job.stopping) return
          job.stopping = true
          if (!job.thread) return kill(job)
          job.thread.abort(reason)
          grace = setTimeout(() => kill(job), graceMs)
        },
        kill() {
          if (!settled) kill(job)
        },
      }
    },

    state: () => ({ busy: busy.size, idle: idle.size, waiting: waiting.length }),

    close() {
      closing ??= (async () => {
        for (const job of waiting.splice(0)) job.settle({ type: 'lost', reason: 'the pool is closed' })
        for (const timer of idle.values()) clearTimeout(timer)
        await Promise.all([...all].map(thread => thread.terminate()))
      })()
      return closing
    },
  }
}
