// JSON from outside: bounded in depth before it is parsed; what we could not keep as it is gets refused with its place,
// so that nothing is lost or damaged in silence. It knows no schema.
import { MadhavaError } from './errors.ts'
import {
  type Flaw,
  flawHere,
  flawUnder,
  JSON_DEPTH_LIMIT,
  placeOf,
  problemOfKey,
  problemOfText,
  tooDeep,
} from './json-flaw.ts'
import { flawInText, scanJson } from './json-scan.ts'

/** Bytes of JSON that one submit may have, at every API and from a task: a record is no place for data. */
export const SUBMIT_LIMIT_BYTES = 1024 * 1024
/** Values (elements, members, and what holds them) in all of a request, which may submit many tasks. */
export const JSON_TEXT_VALUES_LIMIT = 100_000

/**
 * Recursion is fine: it goes no deeper than `depth`, also when a value holds itself. `count` gets the names of fields.
 */
const flawOf = (value: unknown, depth: number, count: { names: number }): Flaw | null => {
  if (typeof value === 'string') {
    const problem = problemOfText(value)
    return problem === null ? null : flawHere(problem)
  }
  // what parsing makes of 1e400
  if (typeof value === 'number' && !Number.isFinite(value)) return flawHere('is a number that is too large')
  if (typeof value !== 'object' || value === null) return null
  if (depth === 0) return flawHere(tooDeep(JSON_DEPTH_LIMIT))
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at += 1) {
      const flaw = flawOf(value[at], depth - 1, count)
      if (flaw) return flawUnder(String(at), flaw)
    }
    return null
  }
  const names = Object.keys(value)
  count.names += names.length
  for (const name of names) {
    const problem = problemOfKey(name)
    if (problem !== null) return flawUnder(name, flawHere(problem))
    const flaw = flawOf((value as Record<string, unknown>)[name], depth - 1, count)
    if (flaw) return flawUnder(name, flaw)
  }
  return null
}

/** @throws BAD_REQUEST with the place in `detail.problems` */
const refuse = (flaw: Flaw): never => {
  const path = placeOf(flaw)
  throw new MadhavaError('BAD_REQUEST', `The JSON cannot be accepted: ${path || 'it'} ${flaw.problem}`, {
    detail: { problems: [{ path, problem: flaw.problem }] },
  })
}

/**
 * Refuses a lone surrogate in a text or a key (strict readers of JSON fail on it), a key `__proto__` (schemas drop
 * it), a number that is not finite, and nesting over the limit. Names the first of them in `detail.problems`.
 * @throws BAD_REQUEST
 */
export const refuseUnsoundJson = (value: unknown): void => {
  const flaw = flawOf(value, JSON_DEPTH_LIMIT, { names: 0 })
  if (flaw) refuse(flaw)
}

/**
 * The value that sound JSON text stands for; `what` names the text in errors. Refuses what `refuseUnsoundJson` does, and
 * what is gone once the text is parsed: a name that stands twice in one object, the digits of a large integer. Holding
 * more than `JSON_TEXT_VALUES_LIMIT` values is refused, too.
 * @throws BAD_REQUEST
 */
export const parseSoundJson = (text: string, what: string): unknown => {
  if (text.trim() === '') throw new MadhavaError('BAD_REQUEST', `${what} is empty; JSON is expected`)
  // before it is parsed: half a million empty lists take long even for that
  const scan = scanJson(text, JSON_DEPTH_LIMIT, JSON_TEXT_VALUES_LIMIT)
  if (scan.values > JSON_TEXT_VALUES_LIMIT)
    throw new MadhavaError('BAD_REQUEST', `${what} holds more than ${JSON_TEXT_VALUES_LIMIT} values`)
  if (scan.depth > JSON_DEPTH_LIMIT)
    throw new MadhavaError('BAD_REQUEST', `The JSON ${tooDeep(JSON_DEPTH_LIMIT)}`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new MadhavaError('BAD_REQUEST', `${what} is not JSON`)
  }
  const count = { names: 0 }
  const flaw = flawOf(value, JSON_DEPTH_LIMIT, count)
  if (flaw) refuse(flaw)
  // of two values under one name one is gone, and the name is counted once
  if (scan.hasLargeInteger || scan.names !== count.names) {
    const lost = flawInText(text)
    if (lost) refuse(lost)
  }
  return value
}
