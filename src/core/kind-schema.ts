// The schemas of kinds hold code of their authors: checks, transforms, defaults, which may throw, or answer later. What
// runs them goes through here, so that what a schema throws is told as what it is and takes nothing down.
import type { z } from 'zod'
import { inWords, problemsOf } from './problems.ts'
import { explainUnknownFields } from './unknown-fields.ts'

/** Parts of a schema that are looked at; one with more of them counts as one with code. */
const PARTS = 5_000

/** Functions that answer a text or a schema, or whether a check is worth running. */
const HARMLESS = new Set(['error', 'getter', 'when'])

const looksLikeSchema = (value: unknown): value is z.core.$ZodType =>
  typeof value === 'object' && value !== null && '_zod' in value

/**
 * Whether a schema runs functions that somebody wrote for it. Those may be asynchronous, and whether one is shows only
 * when it runs: so such a schema is always parsed as if it were. One without is parsed at once, which is many times as
 * fast.
 */
const findCode = (schema: z.core.$ZodType): boolean => {
  const seen = new Set<unknown>()
  const rest: unknown[] = [schema]
  while (rest.length > 0) {
    const part = rest.pop()
    if (typeof part === 'function') return true
    if (typeof part !== 'object' || part === null || seen.has(part) || part instanceof RegExp) continue
    seen.add(part)
    if (seen.size > PARTS) return true
    if (!looksLikeSchema(part)) {
      rest.push(...Object.values(part))
      continue
    }
    const { def } = part._zod
    // `superRefine` and `check` keep their function elsewhere
    if (def.type === 'promise' || (def as { check?: string }).check === 'custom') return true
    for (const [name, value] of Object.entries(def)) if (!HARMLESS.has(name)) rest.push(value)
    // a schema that names itself is behind a function
    if (def.type === 'lazy') rest.push((part as z.ZodLazy)._zod.innerType)
  }
  return false
}

const known = new WeakMap<z.core.$ZodType, boolean>()
/** As `findCode`, found once. What a schema does not let itself be asked is taken for code. */
export const hasOwnCode = (schema: z.core.$ZodType): boolean => {
  const answer = known.get(schema)
  if (answer !== undefined) return answer
  let found = true
  try {
    found = findCode(schema)
  } catch {
    // a getter of the schema's own: running it says why it throws
  }
  known.set(schema, found)
  return found
}

const WORDS = { error: explainUnknownFields }

/** As the schema's `safeParse`, of schemas with asynchronous code too. @throws what code of the schema throws */
export const parseWith = async <T>(schema: z.ZodType<T>, value: unknown): Promise<z.ZodSafeParseResult<T>> =>
  hasOwnCode(schema) ? schema.safeParseAsync(value, WORDS) : schema.safeParse(value, WORDS)

/** Problems that one line names. */
const PROBLEMS_MAX = 10

/** One line for what is wrong. A check may say anything about where. */
export const wordsOfProblems = (error: z.ZodError): string =>
  inWords(problemsOf(error).slice(0, PROBLEMS_MAX), 'it')
