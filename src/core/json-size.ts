// Checks that a value is JSON and counts its values before a schema runs: a schema can take a hundred times longer
// than the parser did, most of all to report many problems.
import { MadhavaError } from './errors.ts'

/** The most values (elements, members, arrays and objects) in the params of one task. */
export const JSON_VALUES_LIMIT = 50_000

const isPlain = (value: object): boolean => {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Recursion is as deep as the value, whose depth is bounded before. Infinity: part of it is not JSON. */
const countOf = (value: unknown, most: number): number => {
  if (typeof value === 'number') return Number.isFinite(value) ? 1 : Number.POSITIVE_INFINITY
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return 1
  if (typeof value !== 'object' || !(Array.isArray(value) || isPlain(value))) return Number.POSITIVE_INFINITY
  let count = 1
  // not with an iterator: a hole in an array is not JSON
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

const tooMany = (path: string, most: number): MadhavaError =>
  refusal(path, `holds more than ${most} values; a task is no place for data`)

/** @throws BAD_REQUEST if it holds more values than `most` */
export const refuseManyValues = (value: unknown, path: string, most: number): void => {
  const count = countOf(value, most)
  if (count > most && count !== Number.POSITIVE_INFINITY) throw tooMany(path, most)
}

/** Undefined means left out. @throws BAD_REQUEST if it is not JSON, or holds more values than the limit */
export const refuseNotJson = (value: unknown, path: string): void => {
  if (value === undefined) return
  const count = countOf(value, JSON_VALUES_LIMIT)
  if (count === Number.POSITIVE_INFINITY) throw refusal(path, 'is not JSON')
  if (count > JSON_VALUES_LIMIT) throw tooMany(path, JSON_VALUES_LIMIT)
}
