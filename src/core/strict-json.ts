// Serialises values from kinds to exactly equivalent JSON. Values that JSON would silently change or drop are refused
// with their place: promises, errors, Buffers, Maps and class instances become {} or worse, holes become null.
import { type ErrorCode, MadhavaError } from './errors.ts'
import {
  type Flaw,
  flawHere,
  flawUnder,
  JSON_DEPTH_LIMIT,
  LARGE_INTEGER,
  pathOf,
  problemOfKey,
  problemOfText,
  tooDeep,
} from './json-flaw.ts'

/** From here on JSON writes a double with an exponent, and its digits are not exact. */
const WRITTEN_IN_DIGITS = 1e21

interface Walk {
  /** Characters that the JSON may still have. A value that surely needs more is not read to its end. */
  left: number
  /** Whether integers that a double cannot hold exactly are accepted. */
  takesLargeIntegers: boolean
}

const inexpressible = (what: string): Flaw => flawHere(`is ${what}, which JSON cannot express`)

const nameOf = (value: object): string => {
  const { constructor: maker } = value as { constructor?: unknown }
  const name = typeof maker === 'function' ? maker.name : ''
  return name === '' ? 'object of a kind of its own' : name
}

/** Made by `{}`, `Object.create(null)` or JSON, in this context or another. */
const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return (
    prototype === Object.prototype ||
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf'))
  )
}

const flawOfNumber = (value: number, walk: Walk): Flaw | null => {
  if (Number.isSafeInteger(value)) return null
  if (!Number.isFinite(value)) return inexpressible(String(value))
  const isLarge = Number.isInteger(value) && Math.abs(value) < WRITTEN_IN_DIGITS
  return isLarge && !walk.takesLargeIntegers ? flawHere(LARGE_INTEGER) : null
}

const flawOfArray = (value: readonly unknown[], depth: number, walk: Walk): Flaw | null => {
  for (let at = 0; at < value.length; at += 1) {
    const each = value[at]
    const flaw =
      each === undefined
        ? inexpressible(at in value ? 'undefined inside an array' : 'missing in its array')
        : flawOf(each, String(at), depth - 1, walk)
    if (flaw) return flawUnder(String(at), flaw)
    if (walk.left < 0) return null
  }
  return null
}

const flawOfFields = (value: object, depth: number, walk: Walk): Flaw | null => {
  for (const symbol of Object.getOwnPropertySymbols(value))
    if (Object.prototype.propertyIsEnumerable.call(value, symbol))
      return inexpressible(`an object with a symbol as a key (${String(symbol)})`)
  for (const key of Object.keys(value)) {
    const field = (value as Record<string, unknown>)[key]
    // JSON leaves it out, as expected
    if (field === undefined) continue
    walk.left -= key.length + 3
    const problem = problemOfKey(key)
    const flaw = problem === null ? flawOf(field, key, depth - 1, walk) : flawHere(problem)
    if (flaw) return flawUnder(key, flaw)
    if (walk.left < 0) return null
  }
  return null
}

const flawOfObject = (value: object, key: string, depth: number, walk: Walk): Flaw | null => {
  if (depth === 0) return flawHere(tooDeep(JSON_DEPTH_LIMIT))
  if (Array.isArray(value)) return flawOfArray(value, depth, walk)
  const { toJSON } = value as { toJSON?: unknown }
  if (typeof toJSON !== 'function')
    return isPlain(value)
      ? flawOfFields(value, depth, walk)
      : inexpressible(`an instance of ${nameOf(value)}`)
  // a Buffer's toJSON would turn it into an object with a list
  if (ArrayBuffer.isView(value)) return inexpressible(`a ${nameOf(value)}`)
  if (value instanceof Date && Number.isNaN(value.getTime())) return inexpressible('an invalid Date')
  const said: unknown = toJSON.call(value, key)
  if (typeof said !== 'object' || said === null || Array.isArray(said)) return flawOf(said, key, depth, walk)
  // JSON does not call toJSON on this
  return isPlain(said) ? flawOfFields(said, depth, walk) : inexpressible(`an instance of ${nameOf(said)}`)
}

/** Recursion is bounded by `depth`, also for a cyclic value. */
const flawOf = (value: unknown, key: string, depth: number, walk: Walk): Flaw | null => {
  // every value is followed by at least one more character
  walk.left -= 2
  switch (typeof value) {
    case 'string': {
      walk.left -= value.length
      const problem = problemOfText(value)
      return problem === null ? null : flawHere(problem)
    }
    case 'number':
      return flawOfNumber(value, walk)
    case 'boolean':
      return null
    case 'bigint':
      return inexpressible('a BigInt')
    case 'object':
      return value === null ? null : flawOfObject(value, key, depth, walk)
    default:
      return inexpressible(typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`)
  }
}

/** How errors name the value. */
export interface JsonCheckOptions {
  /** Such as `the result`. */
  what: string
  /** The code of the error. */
  code: ErrorCode
  /** For numbers read from text that was checked before. */
  takesLargeIntegers?: true
}

/** About the most characters that a V8 string can have. */
const TEXT_MAX = 2 ** 29

const refuse = (flaw: Flaw, { what, code }: JsonCheckOptions): never => {
  const path = pathOf(flaw)
  const message = path === '' ? `${what} ${flaw.problem}` : `${what} at ${path}: it ${flaw.problem}`
  throw new MadhavaError(code, `${message.charAt(0).toUpperCase()}${message.slice(1)}`, {
    detail: { problems: [{ path, problem: flaw.problem }] },
  })
}

/**
 * The JSON text of a value; undefined counts as null. Null if it has more than `max` characters or does not fit in
 * one string; slightly longer texts than `max` may be returned. Accepts null, booleans, well-formed strings, finite
 * numbers whose integers a double holds exactly, arrays without holes, plain objects, and objects with their own
 * `toJSON`, such as a valid Date or a URL.
 * @throws the error's `code` with the place of a value that JSON cannot express or that nests too deep
 */
export const strictJson = (value: unknown, options: JsonCheckOptions, max = TEXT_MAX): string | null => {
  if (value === undefined) return 'null'
  const walk: Walk = {
    left: Math.min(max, TEXT_MAX) + 2,
    takesLargeIntegers: options.takesLargeIntegers === true,
  }
  const flaw = flawOf(value, '', JSON_DEPTH_LIMIT, walk)
  if (flaw) refuse(flaw, options)
  if (walk.left < 0) return null
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (error instanceof RangeError && /string length/.test(error.message)) return null
    throw error
  }
}

const flawForSchema = (value: unknown, depth: number): Flaw | null => {
  if (typeof value !== 'object' || value === null) return null
  if (depth === 0) return flawHere(tooDeep(JSON_DEPTH_LIMIT))
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at += 1) {
      const flaw = flawForSchema(value[at], depth - 1)
      if (flaw) return flawUnder(String(at), flaw)
    }
    return null
  }
  if (!isPlain(value)) return null
  if (Object.hasOwn(value, '__proto__'))
    return flawUnder('__proto__', flawHere('is a name that cannot be kept'))
  for (const key of Object.keys(value)) {
    const flaw = flawForSchema((value as Record<string, unknown>)[key], depth - 1)
    if (flaw) return flawUnder(key, flaw)
  }
  return null
}

/**
 * Refuses what must not reach a schema: nesting over the limit, which overflows a schema's stack, and a field
 * `__proto__`, which schemas drop. @throws `code` with the place
 */
export const refuseBeforeSchema = (value: unknown, options: JsonCheckOptions): void => {
  const flaw = flawForSchema(value, JSON_DEPTH_LIMIT)
  if (flaw) refuse(flaw, options)
}
