// Whether a value is JSON, and how many values it holds, before a schema looks at it: a schema may take a hundred times
// longer over a value than it took to parse, most of all to say what is wrong with each of many.
import { MadhavaError } from './errors.ts'

/** Values (elements, members, and what holds them) in the params of one task. */
export const JSON_VALUES_LIMIT = 50_000

/** The same in all of a request, which may submit many. */
export const JSON_TEXT_VALUES_LIMIT = 100_000

/**
 * How many values JSON text holds, found in one pass without recursion, and no further than `most`. Of text that is not
 * JSON it may say anything; the parser finds that out.
 */
export const valuesIn = (text: string, most: number = Number.POSITIVE_INFINITY): number => {
  let count = 1
  /** Right behind the beginning of a list or an object. */
  let begun = false
  for (let at = 0; at < text.length && count <= most; at += 1) {
    const char = text.charCodeAt(at)
    // white space
    if (char <= 0x20) continue
    const isEnd = char === 0x5d || char === 0x7d
    if (begun && !isEnd) count += 1
    begun = char === 0x5b || char === 0x7b
    if (char === 0x2c) count += 1
    else if (char === 0x22)
      for (at += 1; at < text.length && text.charCodeAt(at) !== 0x22; at += 1)
        if (text.charCodeAt(at) === 0x5c) at += 1
  }
  return count
}

/** Before it is parsed: half a million empty lists take long even for that. @throws BAD_REQUEST */
export const refuseLargeText = (text: string, what: string): void => {
  if (valuesIn(text, JSON_TEXT_VALUES_LIMIT) > JSON_TEXT_VALUES_LIMIT)
    throw new MadhavaError('BAD_REQUEST', `${what} holds more than ${JSON_TEXT_VALUES_LIMIT} values`)
}

const isPlain = (value: object): boolean => {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Goes as deep as the value does: the depth is bounded before. Infinity: something in it is not JSON. */
const countOf = (value: unknown, most: number): number => {
  if (typeof value === 'number') return Number.isFinite(value) ? 1 : Number.POSITIVE_INFINITY
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return 1
  if (typeof value !== 'object' || !(Array.isArray(value) || isPlain(value))) return Number.POSITIVE_INFINITY
  let count = 1
  // not by iterating: a hole in a list is not JSON
  for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) {
    count += countOf((value as Record<PropertyKey, unknown>)[key], most - count)
    if (count > most) break
  }
  return count
}

const refusal = (path: string, problem: string): MadhavaError =>
  new MadhavaError('BAD_REQUEST', `The task cannot be accepted: ${path}: ${problem}`, {
    detail: { problems: [{ path, problem }] },
  })

/** @throws BAD_REQUEST for what holds more values than `most` */
export const refuseManyValues = (value: unknown, path: string, most: number): void => {
  const count = countOf(value, most)
  if (count > most && count !== Number.POSITIVE_INFINITY)
    throw refusal(path, `holds more than ${most} values; a task is no place for data`)
}

/**
 * Undefined stands for what was left out. @throws BAD_REQUEST for what is not JSON, or holds more values than the limit
 */
export const refuseNotJson = (value: unknown, path: string): void => {
  if (value === undefined) return
  refuseManyValues(value, path, JSON_VALUES_LIMIT)
  if (countOf(value, JSON_VALUES_LIMIT) === Number.POSITIVE_INFINITY) throw refusal(path, 'is not JSON')
}
