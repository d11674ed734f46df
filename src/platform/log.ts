// JSON lines to standard output, one per event. PM2 keeps them; nothing else writes there.
import { writeSync } from 'node:fs'
import pino from 'pino'
import { visibleJson } from './visible.ts'

export type Log = pino.Logger

const RETRIES = 50
const RETRY_MS = 20
const pause = new Int32Array(new SharedArrayBuffer(4))

/** Writes some of the bytes from `at` on and answers how many; throws as `fs.writeSync` does. */
type WriteSome = (bytes: Buffer, at: number) => number

/**
 * Standard output, written at once. pino's own writer waits for ever when the reader is gone (a supervisor killed
 * with -9), and would keep the process from ending. Here a reader that is gone loses the lines, and one that does
 * not read for a second loses some. It is waited for once: a reader that has stopped must not cost a second a line.
 * @param rest waits between two tries
 */
export const createLineWriter = (writeSome: WriteSome, rest: () => void): { write(line: string): void } => {
  let patience = RETRIES
  let torn = false
  return {
    write(line) {
      const text = visibleJson(line)
      const bytes = Buffer.from(torn ? `\n${text}` : text)
      let at = 0
      for (let tries = 0; at < bytes.length; ) {
        try {
          at += writeSome(bytes, at)
        } catch (error) {
          const isFull = (error as NodeJS.ErrnoException).code === 'EAGAIN'
          if (isFull && tries < patience) {
            tries += 1
            rest()
            continue
          }
          if (isFull) patience = 0
          // what is written next must not go on the same line
          torn ||= at > 0
          return
        }
      }
      patience = RETRIES
      torn = false
    },
  }
}

const standardOutput = createLineWriter(
  (bytes, at) => writeSync(1, bytes, at),
  () => void Atomics.wait(pause, 0, 0, RETRY_MS),
)

/** Without the command that a client of Redis hangs on its errors: a login's has the password in it. */
const describeError = (error: unknown): unknown => {
  if (!(error instanceof Error)) return error
  const {
    command: _,
    previousErrors: __,
    ...rest
  } = pino.stdSerializers.err(error) as Record<string, unknown>
  return rest
}

/** A logger whose lines carry `role`. Fields before the text: `log.warn({ id }, 'what happened')`. */
export const createLog = (role: string, level: string): Log =>
  pino(
    {
      level,
      base: { role, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'message',
      errorKey: 'error',
      serializers: { error: describeError },
      formatters: { level: label => ({ level: label }) },
    },
    standardOutput,
  )

/** A logger that says nothing, for tests and tools. */
export const silentLog = (): Log => pino({ level: 'silent' })
