// The TaskContext that a kind gets inside its thread. It throttles everything before it becomes a message, so that a
// kind cannot flood the worker.
import { StringDecoder } from 'node:string_decoder'
import { serialize } from 'node:v8'
import type { TaskContext } from '../../core/kind.ts'
import {
  cutLine,
  INFO_TOO_LARGE,
  infoJson,
  levelOf,
  linesOf,
  MAX_LINE,
  noteOf,
  partialJson,
  percentOf,
} from '../../core/reports.ts'
import type { Json } from '../../core/task.ts'
import { createLogWindow, type LogLevel } from '../../core/task-log.ts'
import type { FromThread, RunRequest, SharedCores } from '../pool/protocol.ts'
import type { ThreadChildren } from './children.ts'
import { createExec } from './exec.ts'
import type { ThreadFiles } from './files.ts'

const PROGRESS_EVERY_MS = 50
const LOG_EVERY_MS = 100
const CHECKPOINT_EVERY_MS = 2_000
/** Of what comes between two messages. */
const PENDING_LINES = { lines: 500, bytes: 1024 * 1024 }
export const MAX_CHECKPOINT_BYTES = 64 * 1024 * 1024
/** Serialising checkpoints may take about a twentieth of the time, however often a kind saves one. */
const CHECKPOINT_SHARE = 20

export interface ThreadContext {
  context: TaskContext
  /** The kind's `resultInfo`; undefined if it gave none. */
  info(): Json | undefined
  /** Output that the kind prints; kept line by line, that on standard error as warnings. */
  print(chunk: string | Uint8Array, level: 'info' | 'warn'): void
  /** Sends what is still pending. */
  flush(): void
  /** Later calls of the kind have no effect. */
  close(): void
}

/**
 * Sends at most once per interval, the first time at once. No timer fires in a tight loop, so each request also checks
 * the clock.
 */
const throttle = (everyMs: number, send: () => void) => {
  let last = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | null = null
  const flush = (): void => {
    if (timer) clearTimeout(timer)
    timer = null
    last = performance.now()
    send()
  }
  return {
    flush,
    request(): void {
      const wait = last + everyMs - performance.now()
      if (wait <= 0) flush()
      else timer ??= setTimeout(flush, wait).unref()
    },
  }
}

/** Null: it nests deeper than the stack allows. @throws DataCloneError for values that cannot be cloned */
const serialisedOf = (data: unknown): Uint8Array<ArrayBuffer> | null => {
  try {
    return new Uint8Array(serialize(data))
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

const newLines = () =>
  createLogWindow<{ n: number; text: string; level: LogLevel }>({ first: PENDING_LINES, last: PENDING_LINES })

/** Output in pieces as lines. */
const createPrinted = () => {
  // a character may come in two pieces
  const decoder = new StringDecoder('utf8')
  let open = ''
  const rest = (): string[] => {
    const line = open
    open = ''
    return line === '' ? [] : [line]
  }
  return {
    add(chunk: string | Uint8Array): string[] {
      const text = typeof chunk === 'string' ? chunk : decoder.write(Buffer.from(chunk))
      const lines = (open + text).split('\n')
      open = lines.pop() ?? ''
      return open.length > MAX_LINE ? [...lines, ...rest()] : lines
    },
    end(): string[] {
      open += decoder.end()
      return rest()
    },
  }
}

/** The context of one run. `post` sends a message to the worker process. */
export const createThreadContext = (deps: {
  run: number
  request: RunRequest
  resume: unknown
  signal: AbortSignal
  submit: ThreadChildren['submit']
  files: Pick<ThreadFiles, 'artifact' | 'upload' | 'scratch'>
  /** The most bytes of JSON in a partial result. */
  partialBytes: number
  sharedCores: SharedCores
  post: (message: FromThread, transfer?: ArrayBuffer[]) => void
}): ThreadContext => {
  const { run, request, resume, signal, submit, files, partialBytes, sharedCores, post } = deps
  let info: Json | undefined
  let closed = false
  let pending: { percent: number; note: string | null; partial: unknown } | null = null
  let lines = newLines()
  let count = 0
  let saidLast = ''
  const printed = { info: createPrinted(), warn: createPrinted() }
  let bytes: Uint8Array<ArrayBuffer> | null = null
  let serialisedAt = Number.NEGATIVE_INFINITY
  let serialisingTook = 0

  const addLine = (line: string, level: LogLevel = 'info'): void => {
    const text = cutLine(line)
    count += 1
    lines.add({ n: count, text, level }, text.length)
    logs.request()
  }

  const leaveOut = (what: string, why: string): void => {
    const line = `${what} left out: ${why}`
    // a kind may report thousands of them
    if (line === saidLast) return
    saidLast = line
    addLine(line, 'warn')
  }
  const progress = throttle(PROGRESS_EVERY_MS, () => {
    if (!pending) return
    const { percent, note, partial } = pending
    pending = null
    const json = partialJson(partial, partialBytes, why => leaveOut('partial result', why))
    post({ type: 'progress', run, report: { percent, note, partial: json } })
  })
  const logs = throttle(LOG_EVERY_MS, () => {
    if (count === 0) return
    let next = 1
    const sent = lines.items().map(({ n, text, level }) => {
      const skipped = n - next
      next = n + 1
      return { text, level, skipped }
    })
    lines = newLines()
    count = 0
    post({ type: 'log', run, lines: sent })
  })
  const checkpoints = throttle(CHECKPOINT_EVERY_MS, () => {
    if (!bytes) return
    const sent = bytes
    bytes = null
    post({ type: 'checkpoint', run, bytes: sent }, [sent.buffer])
  })

  const log = (line: string, level: LogLevel = 'info'): void => {
    if (closed) return
    for (const part of linesOf(line)) addLine(part, levelOf(level))
  }

  return {
    context: {
      id: request.id,
      attempt: request.attempt,
      signal,
      resume,
      submit,
      exec: createExec({ signal, log, isOver: () => closed }),
      artifact: files.artifact,
      upload: files.upload,
      get scratch(): string {
        return files.scratch()
      },
      progress(percent, note, partialResult) {
        const bounded = percentOf(percent)
        if (closed || bounded === null) return
        pending = {
          percent: bounded,
          note: noteOf(note),
          // a report without a partial result keeps the last one
          partial: partialResult === undefined ? pending?.partial : partialResult,
        }
        progress.request()
      },
      log,
      checkpoint(data) {
        const begun = performance.now()
        // Skipping one only makes a resumed attempt begin a little earlier. It cannot be serialised later, since the
        // kind may change it.
        if (closed || begun - serialisedAt < serialisingTook * CHECKPOINT_SHARE) return
        const serialised = serialisedOf(data)
        if (!serialised) {
          leaveOut('checkpoint', 'it nests too deep')
          return
        }
        serialisedAt = performance.now()
        serialisingTook = serialisedAt - begun
        if (serialised.length > MAX_CHECKPOINT_BYTES) {
          addLine(
            `checkpoint left out: ${serialised.length} bytes are over the limit of ${MAX_CHECKPOINT_BYTES}`,
            'warn',
          )
          return
        }
        bytes = serialised
        checkpoints.request()
      },
      cores: () =>
        Math.max(1, Math.floor(sharedCores.cores / Math.max(1, Atomics.load(sharedCores.running, 0)))),
      resultInfo(value) {
        const json = infoJson(value)
        if (json !== null) info = JSON.parse(json) as Json
        else addLine(INFO_TOO_LARGE, 'warn')
      },
    },
    info: () => info,
    print(chunk, level) {
      if (!closed) for (const line of printed[level].add(chunk)) addLine(line, level)
    },
    flush() {
      for (const level of ['info', 'warn'] as const)
        for (const line of printed[level].end()) addLine(line, level)
      progress.flush()
      logs.flush()
      checkpoints.flush()
    },
    close() {
      closed = true
    },
  }
}
