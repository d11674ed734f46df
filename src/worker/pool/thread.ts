// One worker thread from outside: starts it, runs requests in it one after another, and reports their outcomes.
// Requests may be given ahead, so that the thread need not wait for the next one, and taken back until they begin.
// Grace times and the number of threads are decided elsewhere.
import { MessageChannel, receiveMessageOnPort, type Worker } from 'node:worker_threads'
import type { KindSettings } from '../../core/kind.ts'
import type { ResultLimits } from '../../core/task.ts'
import { openThreadProcesses, type ProcessKeeper } from '../processes/attempt-processes.ts'
import { createFileCalls, type FileCalls, NO_FILES, type RunFiles } from './file-calls.ts'
import { openWorker } from './open-worker.ts'
import {
  type ChildAnswer,
  closeGate,
  createGate,
  type FromThread,
  type LateEvent,
  type LoggedLine,
  lastBegun,
  type NumberedRun,
  type ProcessNote,
  type ProgressReport,
  RUNS_MAX,
  type RunOutcome,
  resetGate,
  type SentRun,
  type SharedCores,
  type ToThread,
} from './protocol.ts'
import { explain, isOutOfMemory, whyNotUp } from './thread-end.ts'

/** Events of a run. None of these may throw. */
export interface RunEvents {
  /** The thread is up, the kind begins. */
  started(): void
  progress(report: ProgressReport): void
  log(lines: LoggedLine[]): void
  checkpoint(bytes: Uint8Array): void
  /** A child to submit, as JSON text. Never rejects. */
  submit(submission: string, key: string | null): Promise<ChildAnswer>
  /** What it does with files; left out: it has none. */
  files?: RunFiles
  /** It has started a process, or one has ended. */
  process?(note: ProcessNote): void
}

export type RunEnd = RunOver | { begun: false }

export interface RunOver {
  begun: true
  outcome: RunOutcome
  /** False if the thread is gone or must not be used again. */
  reusable: boolean
  /** How long the run took in the thread; null if the thread died before it could tell. */
  ms: number | null
}

export interface Thread {
  /**
   * Runs in the given order, one at a time. Never rejects. `begun: false`: it was taken back, or the thread ended
   * first.
   */
  run(request: SentRun, events: RunEvents): Promise<RunEnd>
  /** How many runs are given and not over, as far as is known here. */
  length(): number
  /** Whether it may be given a run while it has another one. */
  takesAhead(): boolean
  /** Whether it may be given a run of this kind. */
  serves(kind: string): boolean
  /** Whether no other kind may use it. */
  isOnlyFor(kind: string): boolean
  /** It must not be used again. */
  isSpoilt(): boolean
  /** How many runs are over. */
  ended(): number
  /** Every run that has not begun, except the first, ends with `begun: false`. */
  takeBack(): void
  /** Whether this run goes on or is about to begin, as far as is known here. */
  isAt(request: SentRun): boolean
  /** Fires the run's signal inside the thread, if it is the current run. */
  abort(request: SentRun, reason: string): void
  /** The current run is being ended and can start no more processes. */
  stopProcesses(): void
  /** Ends the thread, even in a tight loop. Resolves when it is gone. Idempotent. */
  terminate(): Promise<void>
  /** Called once, when the thread is gone. */
  onGone(listener: () => void): void
}

interface PendingRun {
  run: number
  request: SentRun
  events: RunEvents
  started: boolean
  /** Null: it has asked for no file. */
  files: FileCalls | null
  resolve: (end: RunEnd) => void
}

/** Starts a thread. @throws when the system refuses it at once */
export const startThread = (options: {
  memoryMb: number
  results: ResultLimits
  settings: KindSettings
  sharedCores: SharedCores
  keeper: ProcessKeeper
  /**
   * Called once: with null when the thread is up, or with the reason if it ended before, unless it was ended from
   * here.
   */
  onUp: (why: string | null) => void
  /** Called when code of earlier runs still does something in the thread. */
  onLateEvent: (late: LateEvent) => void
}): Thread => {
  const { memoryMb, results, settings, sharedCores, keeper, onUp, onLateEvent } = options
  const { port1: port, port2 } = new MessageChannel()
  const gate = createGate()
  const own = openThreadProcesses(keeper)
  let worker: Worker
  try {
    worker = openWorker({ port: port2, memoryMb, results, settings, sharedCores, gate, processes: own.data })
  } catch (error) {
    port.close()
    throw error
  }
  worker.stdout.resume()
  worker.stderr.resume()

  /** The first one goes on, or is about to begin. */
  let line: PendingRun[] = []
  let runs = 0
  let ended = 0
  let ready = false
  let gone = false
  let spoilt = false
  let onlyFor: string | null = null
  /** It was ended from here. */
  let endedHere = false
  let failure: Error | null = null
  const queued: ToThread[] = []
  const listeners: (() => void)[] = []

  const post = (message: ToThread, transfer: ArrayBuffer[] = []): void => {
    if (ready) port.postMessage(message, transfer)
    else queued.push(message)
  }
  /**
   * Runs given in this turn of the event loop. One message for all: a message each would cost more than a tiny run.
   */
  let givenNow: NumberedRun[] = []
  const postRuns = (): void => {
    const runs = givenNow
    givenNow = []
    if (runs.length > 0) post({ type: 'runs', runs })
  }
  const send = (message: ToThread, transfer: ArrayBuffer[] = []): void => {
    postRuns()
    post(message, transfer)
  }
  const hold = (holding: boolean): void => {
    for (const handle of [worker, port]) {
      if (holding) handle.ref()
      else handle.unref()
    }
  }
  const end = (result: RunEnd): void => {
    const over = line.shift()
    ended += 1
    if (line.length === 0) hold(false)
    over?.files?.end()
    over?.resolve(result)
    start()
  }
  const start = (): void => {
    const [first] = line
    if (!first || !ready || gone || spoilt || first.started) return
    first.started = true
    first.events.started()
  }

  const submit = async (
    { run, events }: PendingRun,
    { call, submission, key }: Extract<FromThread, { type: 'submit' }>,
  ): Promise<void> => {
    const answer = await events.submit(submission, key)
    if (!gone) send({ type: 'submitted', run, call, answer })
  }
  const filesOf = (current: PendingRun): FileCalls => {
    const { run, events } = current
    current.files ??= createFileCalls(events.files ?? NO_FILES, (message, transfer) => {
      if (!gone) send({ type: 'file', run, message }, transfer)
    })
    return current.files
  }
  const giveAllBack = (): void => {
    spoilt = true
    while (line.length > 0) end({ begun: false })
  }
  const receive = (message: FromThread): void => {
    if (message.type === 'ready') {
      ready = true
      for (const waiting of queued.splice(0)) port.postMessage(waiting)
      onUp(null)
      start()
      return
    }
    if (message.type === 'late') {
      const { type: _, ...event } = message
      onLateEvent(event)
      return
    }
    if (message.type === 'refused') {
      giveAllBack()
      return
    }
    const [current] = line
    if (message.type === 'process' && message.run === 0) own.note(message.note)
    if (!current || message.run !== current.run) return
    if (message.type === 'progress') current.events.progress(message.report)
    else if (message.type === 'log') current.events.log(message.lines)
    else if (message.type === 'checkpoint') current.events.checkpoint(message.bytes)
    else if (message.type === 'submit') void submit(current, message)
    else if (message.type === 'file') filesOf(current).receive(message.message)
    else if (message.type === 'process') current.events.process?.(message.note)
    else {
      const { outcome, reusable, ms } = message
      onlyFor = message.onlyFor
      // the thread has then closed its gate itself
      spoilt ||= !reusable
      end({ begun: true, outcome, reusable, ms })
      if (spoilt) giveAllBack()
    }
  }
  const readPort = (): void => {
    for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) receive(next.message)
  }
  const give = (given: PendingRun): void => {
    if (line.length === 0 && runs >= RUNS_MAX / 2 && resetGate(gate, runs)) runs = 0
    given.run = ++runs
    line.push(given)
    // after all other ready work, so that runs given there share the message
    if (givenNow.push({ run: given.run, request: given.request }) === 1) process.nextTick(postRuns)
    start()
  }
  port.on('message', receive)
  worker.on('error', error => {
    failure = error instanceof Error ? error : new Error(String(error))
  })
  worker.on('exit', code => {
    gone = true
    if (!ready && !endedHere) onUp(whyNotUp(failure, code))
    // the thread's last messages may still be in the port
    readPort()
    port.close()
    // a thread that was ended while it came up says nothing about the host
    const outcome: RunOutcome =
      endedHere && !ready
        ? { type: 'lost', reason: 'the thread was ended' }
        : explain(failure, code, ready, memoryMb)
    const [first] = line
    // a run that had not begun is not to blame, unless no thread comes up at all or the heap is too small for its
    // request
    const isLast = first && (!ready || first.run <= lastBegun(gate) || isOutOfMemory(failure))
    if (isLast) end({ begun: true, outcome, reusable: false, ms: null })
    while (line.length > 0) end({ begun: false })
    own.end()
    for (const listener of listeners.splice(0)) listener()
  })
  hold(false)

  return {
    run: (request, events) =>
      new Promise(resolve => {
        if (gone) {
          const outcome = { type: 'lost', reason: 'the thread is gone' } as const
          resolve({ begun: true, outcome, reusable: false, ms: null })
          return
        }
        hold(true)
        give({ run: 0, request, events, started: false, files: null, resolve })
      }),
    length: () => line.length,
    takesAhead: () => !gone && !spoilt && runs < RUNS_MAX / 2,
    serves: kind => onlyFor === null || onlyFor === kind,
    isOnlyFor: kind => onlyFor === kind,
    isSpoilt: () => spoilt,
    ended: () => ended,
    takeBack() {
      if (line.length < 2 || gone || spoilt) return
      const begun = closeGate(gate)
      // runs that ended before the gate was closed reported it earlier
      readPort()
      if (spoilt) return
      const kept = line.filter(({ run }) => run <= begun)
      const back = line.filter(({ run }) => run > begun)
      line = kept
      runs = begun
      send({ type: 'reopen' })
      // the first counts as going on: it was about to begin, and is given again
      if (kept.length === 0) for (const given of back.splice(0, 1)) give(given)
      for (const { resolve } of back) resolve({ begun: false })
    },
    isAt: request => line[0]?.request === request,
    abort(request, reason) {
      const [current] = line
      if (current?.request === request) send({ type: 'abort', run: current.run, reason })
    },
    stopProcesses: own.stop,
    async terminate() {
      endedHere = true
      await worker.terminate()
    },
    onGone(listener) {
      if (gone) listener()
      else listeners.push(listener)
    },
  }
}
