// The names of shapes in the document of the REST API.
import { z } from 'zod'
import { jsonSchema } from '../core/task.ts'

/** Schemas of what comes in, and of what goes out, each with its name in the document. */
export const INPUTS = z.registry<{ id: string }>()
export const OUTPUTS = z.registry<{ id: string }>()

export const input = <T extends z.ZodType>(id: string, schema: T): T => {
  INPUTS.add(schema, { id })
  return schema
}
/** For shapes that a route answers: name them here, once. */
export const output = <T extends z.ZodType>(id: string, schema: T): T => {
  OUTPUTS.add(schema, { id })
  return schema
}

INPUTS.add(jsonSchema, { id: 'Json' })
OUTPUTS.add(jsonSchema, { id: 'Json' })
