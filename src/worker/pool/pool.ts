// A pool of threads that run kinds, one task at a time each. Threads are made when needed, reused, and never more than
// `size`. While runs are tiny, threads get some in advance, since waking a thread for each takes longer than running
// it. The pool knows no store: the runner decides what an outcome means for a record.
import { availableParallelism } from 'node:os'
import { DEFAULT_KIND_SETTINGS } from '../../core/kind.ts'
import { RESULT_LIMITS } from '../../core/task.ts'
import { type AttemptProcesses, createProcessKeeper } from '../processes/attempt-processes.ts'
import type { RunOutcome, SentRun, SharedCores } from './protocol.ts'
import { createThreadSupply } from './supply.ts'
import { type RunEvents, startThread, type Thread } from './thread.ts'
import type { ThreadPool, ThreadPoolOptions } from './types.ts'

export type { Run, ThreadPool, ThreadPoolOptions } from './types.ts'

const IDLE_MS = 60_000
/** A thread inside one long engine operation (a multiplication of huge numbers) dies only after it. */
const DEATH_MS = 1_000

/** A shorter run is tiny: waking its thread for each would take longer. */
export const TINY_MS = 2
/** The most runs that a thread is given, including the current one. */
const LINE_MAX = 9
/** If a thread ends no run in this time, the runs it got ahead go back. */
const AHEAD_MS = 5

/** The most characters of a request that is given ahead: it stays in the thread's memory until it begins. */
const AHEAD_LENGTH = 32 * 1024

const CLOSED: RunOutcome = { type: 'lost', reason: 'the pool was closed' }

interface Job {
  request: SentRun
  events: RunEvents
  thread: Thread | null
  /** Given to a thread that was still busy, and not begun as far as is known. */
  ahead: boolean
  /** Jobs begin in the order of their numbers. */
  number: number
  stopping: boolean
  /** Its processes are being killed; its outcome may be a result of that. */
  killed: boolean
  /** Null: it has started none. */
  processes: AttemptProcesses | null
  tookMs: number | null
  settle: (outcome: RunOutcome) => void
}

export const createThreads = (options: ThreadPoolOptions): ThreadPool => {
  const { size, memoryMb, results = RESULT_LIMITS, idleMs = IDLE_MS } = options
  const { settings = DEFAULT_KIND_SETTINGS, cores = availableParallelism(), start = startThread } = options
  const { keeper = createProcessKeeper(), onLateEvent = () => {} } = options
  const sharedCores: SharedCores = { cores, running: new Int32Array(new SharedArrayBuffer(4)) }
  const countBusy = (): void => {
    Atomics.store(sharedCores.running, 0, busy.size)
  }
  const busy = new Set<Thread>()
  const waiting: Job[] = []
  /** Threads whose last run was tiny. They may be given more ahead while they are busy. */
  const quick = new Set<Thread>()
  /** Threads whose runs ahead are being watched. */
  const watched = new Set<Thread>()
  /** Busy threads that are not to be used again. */
  const old = new Set<Thread>()
  let jobs = 0
  let closing: Promise<void> | null = null

  const supply = createThreadSupply({
    open: onUp => start({ memoryMb, results, settings, sharedCores, keeper, onUp, onLateEvent }),
    size,
    idleMs,
    busy: () => busy.size,
    onRoom: () => pump(),
    onGone(thread) {
      busy.delete(thread)
      quick.delete(thread)
      old.delete(thread)
      countBusy()
    },
    onCapacity: options.onCapacity ?? (() => {}),
    onShortage: options.onShortage ?? (() => {}),
    random: options.random ?? Math.random,
  })
  /** Processes first: children of a thread that is gone are never reaped and stay zombies. */
  const retire = async (thread: Thread, processes: AttemptProcesses): Promise<void> => {
    await processes.end()
    await processes.fetched()
    supply.end(thread)
  }
  const release = (thread: Thread, reusable: boolean, processes: AttemptProcesses | null): void => {
    busy.delete(thread)
    countBusy()
    if (reusable && !closing) supply.addIdle(thread)
    else if (processes && !closing) void retire(thread, processes)
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
      process(note) {
        job.processes ??= keeper.open(job.request.id, job.request.claim)
        job.processes.note(note)
      },
    })
    if (!end.begun) {
      job.thread = null
      job.ahead = false
      if (job.stopping || closing) job.settle(job.stopping ? { type: 'stopped' } : CLOSED)
      else waiting.push(job)
      waiting.sort((one, other) => one.number - other.number)
      // it has refused all its runs
      if (thread.isSpoilt() && thread.length() === 0 && busy.has(thread)) release(thread, false, null)
      else if (!closing) pump()
      return
    }
    if (end.outcome.type === 'unbegun') supply.reportShortage(end.outcome.reason)
    else supply.reportSuccess()
    job.tookMs = end.ms
    const tiny = end.ms !== null && end.ms < TINY_MS
    if (end.outcome.type === 'success' && !job.killed) job.settle(end.outcome)
    else if (job.stopping) job.settle({ type: 'stopped' })
    else job.settle(closing ? CLOSED : end.outcome)
    // a thread that is being killed was released by the kill
    if (!busy.has(thread)) return pump()
    if (tiny && !old.has(thread)) quick.add(thread)
    else quick.delete(thread)
    if (thread.length() === 0 || !end.reusable)
      release(thread, end.reusable && !old.has(thread), job.processes)
    else pump()
  }
  /** False: no thread is available now. */
  const begin = (job: Job): boolean => {
    const thread = supply.get(job.request.kind)
    if (!thread) return false
    waiting.splice(waiting.indexOf(job), 1)
    busy.add(thread)
    countBusy()
    void hand(job, thread)
    return true
  }

  /** Runs that a thread has not begun in time go to the first free thread. */
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
  /** The thread to give a run ahead: of those whose last run was tiny, the one with the least to do. */
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
      // a checkpoint may be large too
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
    // it was over, and the run after it goes on
    if (!thread.isAt(job.request)) return
    // the dying thread makes room at once; its outcome waits a limited time for its death, so that a success on its
    // way wins
    job.killed = job.processes !== null
    thread.stopProcesses()
    setTimeout(() => job.settle({ type: 'stopped' }), DEATH_MS).unref()
    if (busy.has(thread)) release(thread, false, job.processes)
  }

  return {
    run(request, events) {
      let grace: NodeJS.Timeout | undefined
      let settled = false
      let settle: (outcome: RunOutcome) => void = () => {}
      const outcome = new Promise<RunOutcome>(resolve => {
        settle = value => {
          // a thread that died slowly may have reported processes after all
          if (settled) return void job.processes?.end()
          settled = true
          clearTimeout(grace)
          if (job.processes) void endProcesses(job.processes, value)
          else resolve(value)
        }
        const endProcesses = async (processes: AttemptProcesses, value: RunOutcome): Promise<void> => {
          const words = await processes.end()
          if (words !== null) events.log([{ text: words, level: 'warn', skipped: 0 }])
          resolve(value)
        }
      })
      const job: Job = {
        request: { ...request, claim: request.claim ?? -(jobs + 1), params: JSON.stringify(request.params) },
        events,
        thread: null,
        ahead: false,
        number: ++jobs,
        stopping: false,
        killed: false,
        processes: null,
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

    renew() {
      supply.endIdle()
      for (const thread of busy) {
        old.add(thread)
        quick.delete(thread)
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
        // a thread that waits for a process ends with it
        await Promise.all([supply.close(), keeper.close()])
        await keeper.close()
      })()
      return closing
    },
  }
}
