// The answer of GET /kinds, as the API's document has it.
import { z } from 'zod'
import { limitsSchema, retryPolicySchema } from '../core/task.ts'
import { jsonSchema, kindTrouble, output } from './schemas.ts'

export const kindList = output(
  'KindList',
  z.object({
    kinds: z.array(
      z.object({
        name: z.string(),
        summary: z.string(),
        params: jsonSchema.describe('JSON Schema'),
        result: jsonSchema.describe('JSON Schema'),
        example: jsonSchema,
        maxAttempts: z.int(),
        retry: retryPolicySchema.nullable(),
        limits: limitsSchema,
        maxConcurrency: z.int().nullable(),
        rate: z.string().nullable(),
      }),
    ),
    trouble: z
      .array(
        kindTrouble.extend({
          roles: z.array(z.string()).describe('whose processes could not use it, as far as known'),
        }),
      )
      .describe('kinds whose files cannot be used: a submit to one is 503 KIND_IN_TROUBLE, the others run'),
  }),
)
