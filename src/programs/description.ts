// What a program says of itself, as a kind. Pure, except for its `run`, which others give.
import { z } from 'zod'
import type { Kind } from '../core/kind.ts'
import { rateSchema } from '../core/kind-limits.ts'
import { describeProblems } from '../core/kind-schema.ts'
import { type Json, jsonSchema, limitsSchema, retryPolicySchema } from '../core/task.ts'
import { reasonOf } from '../core/thrown.ts'
import { explainUnknownFields } from '../core/unknown-fields.ts'
import { schemaOfJson } from './json-schema.ts'

const jsonObject = z.record(z.string(), jsonSchema)

const shape = z.strictObject({
  summary: z.string().trim().min(1).max(1_000),
  params: jsonObject,
  result: jsonObject,
  example: jsonSchema,
  maxAttempts: z.int().min(1).max(1000).optional(),
  limits: limitsSchema.partial().optional(),
  retry: retryPolicySchema.partial().optional(),
  maxConcurrency: z.int().min(1).max(10_000).optional(),
  concurrency: z.int().min(1).max(10_000).optional(),
  rate: rateSchema.optional(),
  answers: z.boolean().optional(),
})

export interface DescribedKind {
  /** Its schemas check by the author's JSON Schema. */
  kind: Omit<Kind<Json, unknown>, 'run'>
  /** As the author wrote them. */
  schemas: { params: Json; result: Json }
  /** Its input stays open, and it is told what came of children and artifacts. */
  answers: boolean
}

const schemaFor = (part: 'params' | 'result', schema: Json): z.ZodType<Json> => {
  try {
    return schemaOfJson(schema)
  } catch (error) {
    throw new Error(`its ${part}: ${reasonOf(error)}`)
  }
}

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    const [line = ''] = text.trim().split('\n')
    throw new Error(
      line === ''
        ? '--describe prints nothing: it must print one JSON object'
        : `--describe must print one JSON object and nothing else; it prints ${JSON.stringify(line.slice(0, 80))}`,
    )
  }
}

/** @throws Error with the reason for people */
export const readDescription = (text: string): DescribedKind => {
  const parsed = shape.safeParse(jsonOf(text), { error: explainUnknownFields })
  if (!parsed.success) throw new Error(`what --describe prints: ${describeProblems(parsed.error)}`)
  const { params, result, concurrency, maxConcurrency = concurrency, answers = false, ...same } = parsed.data
  if (concurrency !== undefined && maxConcurrency !== concurrency)
    throw new Error('what --describe prints: concurrency is another word for maxConcurrency; give one')
  return {
    kind: {
      ...(same as Omit<Kind<Json>, 'run' | 'params' | 'result'>),
      params: schemaFor('params', params),
      result: schemaFor('result', result),
      ...(maxConcurrency === undefined ? {} : { maxConcurrency }),
    },
    schemas: { params, result },
    answers,
  }
}
