// One worker thread from outside: starts it, runs one request at a time in it, says what became of the run.
// It decides nothing about grace times or how many threads there are.
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { KindSettings } from '../core/kind.ts'
import type { ResultLimits } from '../core/task.ts'
import type {
  ChildAnswer,
  Crew,
  FromThread,
  Outcome,
  ProgressReport,
  RunRequest,
  ThreadData,
  ToThread,
} from './thread-protocol.ts'

/** What a run tells while it goes on. None of these may throw. */
export interface RunEvents {
  /** The thread is up, the kind begins. */
  started(): void
  progress(report: ProgressReport): void
  log(lines: string[]): void
  checkpoint(bytes: Uint8Array): void
  /** A child to submit, as JSON text. Never rejects. */
  submit(submission: string, key: string | null): Promise<ChildAnswer>
}

export interface RunEnd {
  outcome: Outcome
  /** False when the thread is gone or must not be used again. */
  reusable: boolean
}

export interface Thread {
  /** One at a time. Never rejects. */
  run(request: RunRequest, events: RunEvents): Promise<RunEnd>
  /** Fires the signal inside. */
  abort(reason: string): void
  /** Ends the thread, also in a tight loop. Resolves when it is gone. Idempotent. */
  terminate(): Promise<void>
  /** Called once, when the thread is gone. */
  onGone(listener: () => void): void
}

/** From the sources a thread needs a loader; compiled it does not. */
const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './boot.mjs' : './thread-main.js', import.meta.url)

/**
 * Node gives a thread over its limit 16 MB more to end in, and aborts the whole process when that is not enough. What
 * one collection moves out of the young generation must fit in there; Node 24's own size does not.
 */
const YOUNG_MB = 16

interface Current {
  run: number
  events: RunEvents
  started: boolean
  resolve: (end: RunEnd) => void
}

/** Why a thread went away by itself. */
const explain = (failure: Error | null, exitCode: number, wasReady: boolean, memoryMb: number): Outcome => {
  if (failure && (failure as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY')
    return {
      type: 'error',
      error: {
        code: 'OUT_OF_MEMORY',
        message: `The task used more than the ${memoryMb} MB that a thread may`,
        stack: null,
        names: [],
        retryable: true,
      },
    }
  if (!wasReady) return { type: 'lost', reason: failure?.message ?? `the thread ended with code ${exitCode}` }
  return {
    type: 'error',
    error: {
      code: 'KIND_FAILED',
      message: failure
        ? failure.message.slice(0, 2_000)
        : `The kind ended its thread with process.exit(${exitCode})`,
      stack: failure?.stack ?? null,
      names: failure ? [failure.name] : [],
      retryable: true,
    },
  }
}

/** Starts a thread. @throws when the system refuses one */
export const startThread = (options: {
  memoryMb: number
  results: ResultLimits
  settings: KindSettings
  crew: Crew
}): Thread => {
  const { memoryMb, results, settings, crew } = options
  const { port1: port, port2 } = new MessageChannel()
  const worker = new Worker(ENTRY, {
    workerData: { port: port2, results, settings, crew } satisfies ThreadData,
    transferList: [port2],
    name: 'task',
    // flags of this process (a loader, a test runner) are not meant for its threads
    execArgv: [],
    argv: [],
    // whatever gets past the redirection inside must not mix with this process's log
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: YOUNG_MB },
  })
  worker.stdout.resume()
  worker.stderr.resume()

  let current: Current | null = null
  let runs = 0
  let ready = false
  let gone = false
  let failure: Error | null = null
  const queued: ToThread[] = []
  const listeners: (() => void)[] = []

  const send = (message: ToThread): void => {
    if (ready) port.postMessage(message)
    else queued.push(message)
  }
  const hold = (holding: boolean): void => {
    for (const handle of [worker, port]) {
      if (holding) handle.ref()
      else handle.unref()
    }
  }
  const end = (result: RunEnd): void => {
    const ended = current
    current = null
    hold(false)
    ended?.resolve(result)
  }
  const start = (): void => {
    if (!current || !ready || current.started) return
    current.started = true
    current.events.started()
  }

  const submit = async (
    { run, events }: Current,
    { call, submission, key }: Extract<FromThread, { type: 'submit' }>,
  ): Promise<void> => {
    const answer = await events.submit(submission, key)
    if (!gone) send({ type: 'submitted', run, call, answer })
  }
  const receive = (message: FromThread): void => {
    if (message.type === 'ready') {
      ready = true
      for (const waiting of queued.splice(0)) port.postMessage(waiting)
      start()
      return
    }
    if (!current || message.run !== current.run) return
    if (message.type === 'progress') current.events.progress(message.report)
    else if (message.type === 'log') current.events.log(message.lines)
    else if (message.type === 'checkpoint') current.events.checkpoint(message.bytes)
    else if (message.type === 'submit') void submit(current, message)
    else end({ outcome: message.outcome, reusable: message.reusable })
  }
  port.on('message', receive)
  worker.on('error', error => {
    failure = error instanceof Error ? error : new Error(String(error))
  })
  worker.on('exit', code => {
    gone = true
    // last words of a thread may still lie in the port
    for (let last = receiveMessageOnPort(port); last; last = receiveMessageOnPort(port)) receive(last.message)
    port.close()
    end({ outcome: explain(failure, code, ready, memoryMb), reusable: false })
    for (const listener of listeners.splice(0)) listener()
  })
  hold(false)

  return {
    run: (request, events) =>
      new Promise(resolve => {
        if (gone) {
          resolve({ outcome: { type: 'lost', reason: 'the thread is gone' }, reusable: false })
          return
        }
        current = { run: ++runs, events, started: false, resolve }
        hold(true)
        send({ type: 'run', run: runs, request })
        start()
      }),
    abort(reason) {
      if (current) send({ type: 'abort', run: current.run, reason })
    },
    async terminate() {
      await worker.terminate()
    },
    onGone(listener) {
      if (gone) listener()
      else listeners.push(listener)
    },
  }
}
