// Looks through a JSON Schema that somebody else has written: how much it is, and whether each of its keywords is one.
// A misspelt keyword would check nothing, silently. Pure.
import { didYouMean } from '../core/nearest.ts'
import type { Json } from '../core/task.ts'
import { UPLOAD_KEYWORD } from '../core/upload-ref.ts'

/** How deep a schema may nest, and how many schemas it may be made of. */
export const SCHEMA_LIMITS = { depth: 64, parts: 10_000 }

type Schema = { readonly [keyword: string]: Json }
const isSchema = (value: Json | undefined): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Keywords whose values are a schema, a list of schemas, or schemas by name. */
const ONE = [
  ...['additionalItems', 'additionalProperties', 'contains', 'contentSchema', 'else', 'if', 'items', 'not'],
  ...['propertyNames', 'then', 'unevaluatedItems', 'unevaluatedProperties'],
]
const LIST = ['allOf', 'anyOf', 'items', 'oneOf', 'prefixItems']
const NAMED = ['$defs', 'definitions', 'dependencies', 'dependentSchemas', 'patternProperties', 'properties']
const PLAIN = [
  ...['$anchor', '$comment', '$dynamicAnchor', '$dynamicRef', '$id', '$ref', '$schema', '$vocabulary'],
  ...['const', 'contentEncoding', 'contentMediaType', 'default', 'dependentRequired', 'deprecated'],
  ...['description', 'enum', 'examples', 'exclusiveMaximum', 'exclusiveMinimum', 'format', 'maxContains'],
  ...['maxItems', 'maxLength', 'maxProperties', 'maximum', 'minContains', 'minItems', 'minLength'],
  ...['minProperties', 'minimum', 'multipleOf', 'pattern', 'readOnly', 'required', 'title', 'type'],
  ...['uniqueItems', 'writeOnly'],
  // of OpenAPI, as generators of schemas write them; they check nothing
  ...['discriminator', 'example', 'externalDocs', 'xml'],
]
const KEYWORDS = [...new Set([...ONE, ...LIST, ...NAMED, ...PLAIN, UPLOAD_KEYWORD])]

const within = (schema: Schema): [string, Json][] => {
  const inner: [string, Json][] = []
  for (const [keyword, value] of Object.entries(schema)) {
    if (LIST.includes(keyword) && Array.isArray(value))
      inner.push(...value.map((each, at): [string, Json] => [`${keyword}/${at}`, each]))
    else if (ONE.includes(keyword)) inner.push([keyword, value])
    else if (NAMED.includes(keyword) && isSchema(value))
      inner.push(...Object.entries(value).map(([name, each]): [string, Json] => [`${keyword}/${name}`, each]))
  }
  return inner
}

/** What is wrong with it, for its author; null: nothing. Whether the keywords' values are right is for others. */
export const flawOfSchema = (whole: Json): string | null => {
  const rest: { schema: Json; place: string; depth: number }[] = [{ schema: whole, place: '#', depth: 1 }]
  let parts = 0
  for (let next = rest.pop(); next; next = rest.pop()) {
    const { schema, place, depth } = next
    if (!isSchema(schema)) continue
    parts += 1
    if (parts > SCHEMA_LIMITS.parts) return `it is made of more than ${SCHEMA_LIMITS.parts} schemas`
    if (depth > SCHEMA_LIMITS.depth) return `it nests deeper than ${SCHEMA_LIMITS.depth} schemas`
    if ('$async' in schema) return `${place} has $async: it must be checked without waiting`
    const unknown = Object.keys(schema).find(name => !KEYWORDS.includes(name) && !name.startsWith('x-'))
    if (unknown !== undefined)
      return `${place} has the unknown keyword ${JSON.stringify(unknown)}${didYouMean(unknown, KEYWORDS)}`
    for (const [step, inner] of within(schema))
      rest.push({ schema: inner, place: `${place}/${step}`, depth: depth + 1 })
  }
  return null
}
