// What clients see of a kind. The schema is the one description: the API's document and the types are made of it.
import { z } from 'zod'
import type { NamedKind } from './kind.ts'
import { DEFAULT_MAX_ATTEMPTS, jsonSchema, limitsSchema, retryPolicySchema } from './task.ts'

export const kindInfoSchema = z.object({
  name: z.string(),
  summary: z.string(),
  doneBy: z.enum(['workers', 'people']).describe('who does its tasks'),
  params: jsonSchema.describe('JSON Schema'),
  result: jsonSchema.describe('JSON Schema'),
  example: jsonSchema,
  maxAttempts: z.int(),
  retry: retryPolicySchema.nullable(),
  limits: limitsSchema,
  maxConcurrency: z.int().nullable(),
  rate: z.string().nullable(),
  code: z
    .string()
    .nullable()
    .describe(
      'SHA-256 in hex of its file, or of the list of its file and of all that it imports by relative paths; null: not known',
    ),
})

export type KindInfo = z.infer<typeof kindInfoSchema>

/** @param code what its file was when this process read it; null: not known */
export const kindInfoOf = (kind: NamedKind, code: string | null): KindInfo => ({
  name: kind.name,
  summary: kind.summary,
  doneBy: kind.doneBy ?? 'workers',
  ...kind.schemas,
  example: kind.example,
  maxAttempts: kind.maxAttempts ?? DEFAULT_MAX_ATTEMPTS,
  retry: kind.retry ? retryPolicySchema.parse(kind.retry) : null,
  limits: limitsSchema.parse(kind.limits ?? {}),
  maxConcurrency: kind.maxConcurrency ?? null,
  rate: kind.rate ?? null,
  code,
})
