// Parses JSON from outside. Depth is bounded before parsing, and a value that we could not keep unchanged is refused
// with its place, so that nothing is lost silently. It knows no schema.
import { MadhavaError } from './errors.ts'
import {
  type Flaw,
  flawHere,
  flawUnder,
  JSON_DEPTH_LIMIT,
  pathOf,
  problemOfKey,
  problemOfText,
  tooDeep,
} from './json-flaw.ts'
import { flawInText, scanJson } from './json-scan.ts'

/** Bytes of JSON in one submission, from any API or a task: records are not for bulk data. */
export const SUBMIT_LIMIT_BYTES = 1024 * 1024
/** Values (elements, members, arrays and objects) in one whole request, which may submit many tasks. */
export const JSON_TEXT_VALUES_LIMIT = 100_000

/** Recursion is bounded by `depth`, also for a cyclic value. `count` gets the number of field names. */
const flawOf = (value: unknown, depth: number, count: { names: number }): Flaw | null => {
  if (typeof value === 'string') {
    const problem = problemOfText(value)
    return problem === null ? null : flawHere(problem)
  }
  // 1e400 parses to this
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
  const path = pathOf(flaw)
  throw new MadhavaError('BAD_REQUEST', `The JSON cannot be accepted: ${path || 'it'} ${flaw.problem}`, {
    detail: { problems: [{ path, problem: flaw.problem }] },
  })
}

/**
 * Refuses lone surrogates in texts and keys (strict JSON readers fail on them), the key `__proto__` (schemas drop
 * it), numbers that are not finite, and nesting over the limit. `detail.problems` names the first one found.
 * @throws BAD_REQUEST
 */
export const refuseUnsoundJson = (value: unknown): void => {
  const flaw = flawOf(value, JSON_DEPTH_LIMIT, { names: 0 })
  if (flaw) refuse(flaw)
}

/**
 * Parses sound JSON text; `what` names the text in errors. Refuses what `refuseUnsoundJson` does, and what parsing
 * would lose: a name that occurs twice in one object, the digits of a large integer. Also refuses more than
 * `JSON_TEXT_VALUES_LIMIT` values.
 * @throws BAD_REQUEST
 */
export const parseSoundJson = (text: string, what: string): unknown => {
  if (text.trim() === '') throw new MadhavaError('BAD_REQUEST', `${what} is empty; JSON is expected`)
  // before parsing: half a million empty lists take long even to parse
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
  // of two equal names one is gone after parsing, so the counts differ
  if (scan.hasLargeInteger || scan.names !== count.names) {
    const lost = flawInText(text)
    if (lost) refuse(lost)
  }
  return value
}
