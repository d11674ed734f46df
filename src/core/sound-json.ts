// JSON from outside: bounded in depth before it is parsed; what we could not keep as it is gets refused with its place,
// so that nothing is lost or damaged in silence. It knows no schema.
import { MadhavaError } from './errors.ts'

/** How deep arrays and objects may nest in what a client sends. */
export const JSON_DEPTH_LIMIT = 64

/** Bytes of JSON that one submit may have, at every door and from a task: a record is no place for data. */
export const SUBMIT_LIMIT_BYTES = 1024 * 1024

interface Flaw {
  /** The keys that lead to it, outermost first. */
  steps: string[]
  problem: string
}

const loneSurrogate = (text: string): string | null => {
  const half = /\p{Surrogate}/u.exec(text)?.[0]
  return half === undefined
    ? null
    : `holds a lone surrogate (\\u${half.charCodeAt(0).toString(16)}), which is not text`
}

const flawOfKey = (key: string): string | null =>
  key === '__proto__' ? 'is a name that cannot be kept' : loneSurrogate(key)

/** Recursion is fine: it goes no deeper than `depth`, also when a value holds itself. */
const flawOf = (value: unknown, depth: number): Flaw | null => {
  if (typeof value === 'string') {
    const problem = loneSurrogate(value)
    return problem === null ? null : { steps: [], problem }
  }
  if (typeof value !== 'object' || value === null) return null
  if (depth === 0) return { steps: [], problem: `nests deeper than ${JSON_DEPTH_LIMIT} levels` }
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at += 1) {
      const flaw = flawOf(value[at], depth - 1)
      if (flaw) return { ...flaw, steps: [String(at), ...flaw.steps] }
    }
    return null
  }
  for (const key of Object.keys(value)) {
    const problem = flawOfKey(key)
    if (problem !== null) return { steps: [key], problem }
    const flaw = flawOf((value as Record<string, unknown>)[key], depth - 1)
    if (flaw) return { ...flaw, steps: [key, ...flaw.steps] }
  }
  return null
}

/** A key as it is shown: short, a lone surrogate as its escape, since the answer must be text itself. */
const shownStep = (step: string): string => JSON.stringify(step.slice(0, 64)).slice(1, -1)

/**
 * Refuses a lone surrogate in a text or a key (strict readers of JSON fail on it), a key `__proto__` (schemas drop
 * it), and nesting over the limit. Names the first of them in `detail.problems`.
 * @throws BAD_REQUEST
 */
export const refuseUnsoundJson = (value: unknown): void => {
  const flaw = flawOf(value, JSON_DEPTH_LIMIT)
  if (!flaw) return
  const path = flaw.steps.map(shownStep).join('.').slice(0, 256)
  throw new MadhavaError('BAD_REQUEST', `The JSON cannot be accepted: ${path || 'it'} ${flaw.problem}`, {
    detail: { problems: [{ path, problem: flaw.problem }] },
  })
}

/**
 * How deep arrays and objects nest in JSON text, found in one pass without recursion. Of text that is not JSON it
 * may say anything; the parser finds that out.
 */
export const jsonDepth = (text: string): number => {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at)
    if (inString) {
      if (char === 0x5c) at += 1
      else if (char === 0x22) inString = false
    } else if (char === 0x22) inString = true
    else if (char === 0x5b || char === 0x7b) {
      depth += 1
      if (depth > deepest) deepest = depth
    } else if (char === 0x5d || char === 0x7d) depth -= 1
  }
  return deepest
}

/** The value that sound JSON text stands for; `what` names the text in errors. @throws BAD_REQUEST */
export const parseSoundJson = (text: string, what: string): unknown => {
  if (text.trim() === '') throw new MadhavaError('BAD_REQUEST', `${what} is empty; JSON is expected`)
  if (jsonDepth(text) > JSON_DEPTH_LIMIT)
    throw new MadhavaError('BAD_REQUEST', `The JSON nests deeper than ${JSON_DEPTH_LIMIT} levels`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new MadhavaError('BAD_REQUEST', `${what} is not JSON`)
  }
  refuseUnsoundJson(value)
  return value
}
