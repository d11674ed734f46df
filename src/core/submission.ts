// What a client may submit: the schema, the keys, and when two submissions mean the same. Pure.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { MadhavaError } from './errors.ts'
import { refuseManyValues, refuseNotJson } from './json-size.ts'
import { formatProblems, problemsOf } from './problems.ts'
import { refuseUnsoundJson } from './sound-json.ts'
import type { Json } from './task.ts'
import { shapeOf } from './task-fields.ts'
import { explainUnknownFields } from './unknown-fields.ts'

/** A submission. Unknown fields are refused, so that a typo does not go unnoticed. */
export const submissionSchema = z.strictObject(shapeOf('submit'))
/**
 * For parsing: a quick check without a schema shows whether params are JSON, and the kind decides what they may be.
 */
const parsedSchema = submissionSchema.extend({ params: z.custom<Json>().optional() })
export type Submission = z.input<typeof submissionSchema>
export type ParsedSubmission = z.output<typeof submissionSchema>

/** How many tasks one request may submit. */
export const SUBMIT_MANY_LIMIT = 1000

/** The most fields in a submission, known or not, and the most values in a field other than `params`. */
const FIELDS = { most: 100, values: 1_000 }

/** @throws BAD_REQUEST if a schema would take too long */
const refuseLarge = (submission: unknown): void => {
  if (typeof submission !== 'object' || submission === null || Array.isArray(submission)) return
  const fields = Object.entries(submission)
  if (fields.length > FIELDS.most)
    throw new MadhavaError('BAD_REQUEST', `The task cannot be accepted: it has ${fields.length} fields`)
  for (const [name, value] of fields)
    if (name === 'params') refuseNotJson(value, name)
    else refuseManyValues(value, name, FIELDS.values)
}

/** @throws BAD_REQUEST with one entry per problem in `detail.problems` */
export const parseSubmission = (submission: unknown): ParsedSubmission => {
  // before the schema, which drops what it cannot keep
  refuseUnsoundJson(submission)
  refuseLarge(submission)
  const parsed = parsedSchema.safeParse(submission, { error: explainUnknownFields })
  if (parsed.success) return parsed.data
  const problems = problemsOf(parsed.error)
  throw new MadhavaError('BAD_REQUEST', `The task cannot be accepted: ${formatProblems(problems)}`, {
    detail: { problems },
  })
}

/** JSON with sorted keys, so that equal bodies have equal fingerprints. */
const canonical = (value: Json): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )

/** Equal for two submissions, or two lists of them, that mean the same. */
export const fingerprintOf = (meant: unknown): string =>
  createHash('sha256')
    .update(canonical(meant as Json))
    .digest('hex')

/** @throws BAD_KEY */
export const parseKey = (key: string): string => {
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key
  throw new MadhavaError('BAD_KEY', 'An idempotency key is 1 to 255 visible ASCII characters without spaces')
}

/**
 * The key of one task in a list that was submitted under one key. The first task has the key itself, so that the key
 * cannot be used for another body too. The others contain a space, which no client's key can.
 */
export const keyOfPlace = (key: string, place: number): string => (place === 0 ? key : `${key} ${place}`)

/** Leaves room for the parent's id before the key. @throws BAD_KEY */
export const parseChildKey = (key: unknown): string => {
  if (typeof key === 'string' && /^[\x21-\x7e]{1,200}$/.test(key)) return key
  throw new MadhavaError('BAD_KEY', 'The key of a child is 1 to 200 visible ASCII characters without spaces')
}
