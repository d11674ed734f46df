// Runs the schemas of kinds. They hold their authors' code: checks, transforms and defaults, which may throw or be
// asynchronous. An error of that code is reported as such and breaks nothing else.
import type { z } from 'zod'
import { formatProblems, problemsOf } from './problems.ts'
import { explainUnknownFields } from './unknown-fields.ts'

/** How many parts of a schema are examined. A schema with more counts as one with code. */
const PARTS = 5_000

/** Functions that return a text or a schema, or decide whether a check runs. */
const HARMLESS = new Set(['error', 'getter', 'when'])

const looksLikeSchema = (value: unknown): value is z.core.$ZodType =>
  typeof value === 'object' && value !== null && '_zod' in value

/**
 * Whether a schema runs functions of its author. Only running one shows whether it is asynchronous, so such a schema
 * is always parsed as asynchronous. A schema without functions is parsed synchronously, which is many times faster.
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
    // a recursive schema is behind a function
    if (def.type === 'lazy') rest.push((part as z.ZodLazy)._zod.innerType)
  }
  return false
}

const known = new WeakMap<z.core.$ZodType, boolean>()
/** As `findCode`, cached. A schema that cannot be examined counts as one with code. */
export const hasOwnCode = (schema: z.core.$ZodType): boolean => {
  const answer = known.get(schema)
  if (answer !== undefined) return answer
  let found = true
  try {
    found = findCode(schema)
  } catch {
    // one of the schema's own getters: running it will show why it throws
  }
  known.set(schema, found)
  return found
}

const WORDS = { error: explainUnknownFields }

/** As the schema's `safeParse`, for asynchronous schemas too. @throws what the schema's code throws */
export const parseWith = async <T>(schema: z.ZodType<T>, value: unknown): Promise<z.ZodSafeParseResult<T>> =>
  hasOwnCode(schema) ? schema.safeParseAsync(value, WORDS) : schema.safeParse(value, WORDS)

/** How many problems one line names. */
const PROBLEMS_MAX = 10

/** One line that says what is wrong. A check can report any path. */
export const describeProblems = (error: z.ZodError): string =>
  formatProblems(problemsOf(error).slice(0, PROBLEMS_MAX), 'it')
