// What is wrong with a JSON value, and where: for input from clients and for values from kinds.
import { cutText } from './cut-text.ts'

/** How deep arrays and objects may nest in input from clients and values from kinds. */
export const JSON_DEPTH_LIMIT = 64

export interface Flaw {
  /** The keys that lead to it, outermost first. */
  steps: string[]
  problem: string
}

export const flawHere = (problem: string): Flaw => ({ steps: [], problem })
/** The same flaw, with its path one level longer. */
export const flawUnder = (step: string, flaw: Flaw): Flaw => ({ ...flaw, steps: [step, ...flaw.steps] })

export const tooDeep = (limit: number): string => `nests deeper than ${limit} levels`

export const LARGE_INTEGER =
  'is an integer beyond 9007199254740991 (2^53 - 1), whose digits would be changed: use a string'

/** What is wrong with a text, or null. */
export const problemOfText = (text: string): string | null => {
  if (text.isWellFormed()) return null
  const half = /\p{Surrogate}/u.exec(text)?.[0] ?? ''
  return `holds a lone surrogate (\\u${half.charCodeAt(0).toString(16)}), which is not text`
}

/** What is wrong with the name of a field, or null. */
export const problemOfKey = (key: string): string | null =>
  key === '__proto__' ? 'is a name that cannot be kept' : problemOfText(key)

/** A key for display: short, with lone surrogates escaped, since the answer must be valid text. */
const displayedStep = (step: string): string => cutText(JSON.stringify(step).slice(1, -1), 64)

/** The first steps are enough to find it. */
const STEPS_SHOWN = 32

/** The path to the flaw, such as `params.points.3.x`; '' for the whole value. */
export const pathOf = ({ steps }: Flaw): string => {
  const shown = steps.length > STEPS_SHOWN ? [...steps.slice(0, 8), '…'] : steps
  return cutText(shown.map(displayedStep).join('.'), 256)
}
