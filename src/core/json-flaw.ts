// What is wrong with a JSON value, and where: shared by the checks of what comes in and of what a kind hands over.
import { cutText } from './cut-text.ts'

/** How deep arrays and objects may nest in what a client sends, and in what a kind hands over. */
export const JSON_DEPTH_LIMIT = 64

export interface Flaw {
  /** The keys that lead to it, outermost first. */
  steps: string[]
  problem: string
}

export const flawHere = (problem: string): Flaw => ({ steps: [], problem })
/** The same flaw, seen from one level further out. */
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

/** A key as it is shown: short, a lone surrogate as its escape, since the answer must be text itself. */
const shownStep = (step: string): string => cutText(JSON.stringify(step).slice(1, -1), 64)

/** Of a longer way the first steps are enough to find it. */
const STEPS_SHOWN = 32

/** The way to the flaw, such as `params.points.3.x`; '' for the whole. */
export const placeOf = ({ steps }: Flaw): string => {
  const shown = steps.length > STEPS_SHOWN ? [...steps.slice(0, 8), '…'] : steps
  return cutText(shown.map(shownStep).join('.'), 256)
}
