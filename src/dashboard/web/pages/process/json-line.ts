// A line that is JSON of ours, in parts: what it says first, and the rest of its fields. Pure.
import { type ExactJson, parseExact, printExact } from '../../format/exact-json.ts'
import type { LogLine } from './log-types.ts'

export interface JsonLine {
  /** What stands behind the message: the reason, or the error's own words. */
  reason: string | null
  /** The task that it is about. */
  task: { id: string; kind: string | null } | null
  /** The further fields. */
  count: number
  /** As indented JSON; no number loses a digit. */
  fields: string
}

const isObject = (value: ExactJson | undefined): value is { [key: string]: ExactJson } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const TASK_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Null: it is none of ours, or it was cut. */
export const readJsonLine = ({ text, level, time, message, cut }: LogLine): JsonLine | null => {
  if (cut || (level === null && time === null && message === null)) return null
  try {
    const whole = parseExact(text)
    if (!isObject(whole)) return null
    const { time: _time, level: _level, message: _message, ...fields } = whole
    const { error, reason, id, kind } = fields
    const words = isObject(error) ? error.message : error
    const said = [reason, words].find(each => typeof each === 'string' && each !== '')
    return {
      reason: typeof said === 'string' ? said : null,
      task:
        typeof id === 'string' && TASK_ID.test(id)
          ? { id, kind: typeof kind === 'string' ? kind : null }
          : null,
      count: Object.keys(fields).length,
      fields: printExact(fields),
    }
  } catch {
    return null
  }
}
