// What a kind reports, in the form in which it is kept: percent, note, lines of its log. Pure.
import { cutText } from './cut-text.ts'
import { isMadhavaError } from './errors.ts'
import { strictJson } from './strict-json.ts'
import { isLogLevel, type LogLevel } from './task-log.ts'

export const MAX_LINE = 4_096
const MAX_NOTE = 500

/** A kind in JavaScript may give anything. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : String(value))

/** 0 to 100; null: it is no number, and the report counts for nothing. */
export const percentOf = (percent: number): number | null =>
  Number.isFinite(percent) ? Math.min(100, Math.max(0, percent)) : null

export const noteOf = (note: unknown): string | null =>
  note === undefined || note === null ? null : cutText(textOf(note), MAX_NOTE)

/** One line as the log keeps it. */
export const cutLine = (line: string): string =>
  line.length > MAX_LINE ? `${cutText(line, MAX_LINE - 1)}…` : line

export const linesOf = (line: unknown): string[] => textOf(line).split('\n')

export const levelOf = (level: LogLevel): LogLevel => (isLogLevel(level) ? level : 'info')

const PARTIAL = { what: 'the partial result', code: 'RESULT_INVALID' } as const

/**
 * A partial result as JSON. Null: it is left out, silently if it has more than `maxBytes`, as documented for kinds.
 * `tell` is told why it cannot be JSON.
 */
export const partialJson = (value: unknown, maxBytes: number, tell: (why: string) => void): string | null => {
  if (value === undefined) return null
  try {
    const json = strictJson(value, PARTIAL, maxBytes)
    return json !== null && Buffer.byteLength(json) <= maxBytes ? json : null
  } catch (error) {
    // a getter of the kind's own may throw anything
    tell(isMadhavaError(error) ? error.message : 'it cannot be read')
    return null
  }
}

const MAX_INFO_BYTES = 4 * 1024
const INFO = { what: 'what resultInfo was given', code: 'RESULT_INVALID' } as const
export const INFO_TOO_LARGE = `resultInfo left out: it has more than ${MAX_INFO_BYTES} bytes`

/** What a kind says of its result, as JSON; null: it is too large. @throws RESULT_INVALID if it is no JSON */
export const infoJson = (value: unknown): string | null => {
  const json = strictJson(value, INFO, MAX_INFO_BYTES)
  return json !== null && Buffer.byteLength(json) <= MAX_INFO_BYTES ? json : null
}
