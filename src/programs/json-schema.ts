// A JSON Schema as a schema of our own: checks, fills in defaults, and says each problem with its path. The drafts
// 2020-12 and 7, by ajv.
import { Ajv } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { z } from 'zod'
import type { Json } from '../core/task.ts'
import { reasonOf } from '../core/thrown.ts'
import { UPLOAD_KEYWORD, uploadIdOf } from '../core/upload-ref.ts'
import { flawOfSchema } from './schema-parts.ts'
import { problemsOfErrors } from './schema-problems.ts'

const DRAFTS: readonly { uri: RegExp; make: typeof Ajv | typeof Ajv2020 }[] = [
  { uri: /^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/, make: Ajv2020 },
  { uri: /^https?:\/\/json-schema\.org\/draft-07\/schema#?$/, make: Ajv },
]

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

const open = (schema: { readonly [keyword: string]: Json }): Ajv => {
  const { $schema: draft } = schema
  const make =
    draft === undefined
      ? Ajv2020
      : DRAFTS.find(({ uri }) => typeof draft === 'string' && uri.test(draft))?.make
  if (make === undefined)
    throw new Error(`its $schema is ${JSON.stringify(draft)}: the drafts 2020-12 and 7 are known`)
  const ajv = new make({
    // unknown keywords are looked for before; unknown formats check nothing, as the standard has it
    strict: false,
    allErrors: true,
    verbose: true,
    useDefaults: true,
    // a part that is referred to often must not be copied as often
    inlineRefs: false,
    logger: false,
  })
  formats.default(ajv)
  ajv.addKeyword({
    keyword: UPLOAD_KEYWORD,
    metaSchema: {
      type: 'object',
      properties: {
        types: { type: 'array', items: { type: 'string' } },
        maxBytes: { type: 'number', minimum: 0 },
      },
      additionalProperties: false,
    },
    validate: (_rule: unknown, value: unknown) => UUID.test(uploadIdOf(value) ?? ''),
    error: { message: 'must name an upload: {"$upload": "<its id>"}' },
  })
  return ajv
}

/** Fills in defaults, which the value's owner must not see. */
const copyOf = (value: unknown): unknown =>
  typeof value === 'object' && value !== null ? structuredClone(value) : value

/** @throws Error with what is wrong with the schema, for its author */
export const schemaOfJson = (schema: Json): z.ZodType<Json> => {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
    throw new Error('a JSON Schema is an object')
  const flaw = flawOfSchema(schema)
  if (flaw !== null) throw new Error(flaw)
  const ajv = open(schema)
  let fits: ReturnType<Ajv['compile']>
  try {
    fits = ajv.compile(schema)
  } catch (error) {
    throw new Error(reasonOf(error, 400))
  }
  return z.unknown().transform((given, context): Json => {
    const value = copyOf(given)
    if (fits(value)) return value as Json
    for (const { path, message } of problemsOfErrors(fits.errors ?? []))
      context.issues.push({ code: 'custom', input: given, path, message })
    fits.errors = null
    return z.NEVER
  }) as unknown as z.ZodType<Json>
}
