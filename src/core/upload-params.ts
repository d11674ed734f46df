// Finds the uploads that params name, with what the kind's JSON Schema asks of each. Pure; it follows no recursion of
// the language, since params nest as deep as a client likes.
import type { Json } from './field-types.ts'
import { isOfType, type NamedUpload, UPLOAD_KEYWORD, type UploadRule, uploadIdOf } from './upload-ref.ts'

/** How many uploads one task may name. */
export const UPLOADS_PER_TASK = 100

type Schema = { readonly [keyword: string]: Json }
const isSchema = (value: Json | undefined): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `#/$defs/name` within the root. */
const resolve = (root: Json, pointer: string): Json | undefined => {
  if (!pointer.startsWith('#')) return undefined
  let at: Json | undefined = root
  for (const part of pointer.slice(1).split('/').filter(Boolean)) {
    if (!isSchema(at)) return undefined
    at = at[decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')]
  }
  return at
}

/** A schema with all that it refers to and all its alternatives. */
const alternativesOf = (root: Json, schemas: readonly Json[]): Schema[] => {
  const found = new Set<Schema>()
  const rest: (Json | undefined)[] = [...schemas]
  while (rest.length > 0) {
    const schema = rest.pop()
    if (!isSchema(schema) || found.has(schema)) continue
    found.add(schema)
    if (typeof schema.$ref === 'string') rest.push(resolve(root, schema.$ref))
    for (const keyword of ['anyOf', 'oneOf', 'allOf'])
      if (Array.isArray(schema[keyword])) rest.push(...(schema[keyword] as Json[]))
  }
  return [...found]
}

const schemaAt = (schema: Schema, key: string | number): Json | undefined => {
  if (typeof key === 'number') {
    const { prefixItems, items } = schema
    return (Array.isArray(prefixItems) ? prefixItems[key] : undefined) ?? items
  }
  const { properties, additionalProperties } = schema
  return isSchema(properties) && Object.hasOwn(properties, key) ? properties[key] : additionalProperties
}

/** Every place that names an upload, in the order of the params. `schema`: the JSON Schema of the kind's params. */
export const findUploads = (params: Json, schema: Json): NamedUpload[] => {
  const found: NamedUpload[] = []
  const rest: { value: Json; path: string; schemas: Json[] }[] = [
    { value: params, path: 'params', schemas: [schema] },
  ]
  for (let place = rest.pop(); place; place = rest.pop()) {
    const { value, path, schemas } = place
    if (typeof value !== 'object' || value === null) continue
    const here = alternativesOf(schema, schemas)
    const id = uploadIdOf(value)
    if (id !== null) {
      const rules = here.flatMap(each =>
        isSchema(each[UPLOAD_KEYWORD]) ? [each[UPLOAD_KEYWORD] as UploadRule] : [],
      )
      found.push({ id, path, rules })
      continue
    }
    const inner: [string | number, Json][] = Array.isArray(value)
      ? [...value.entries()]
      : Object.entries(value)
    for (const [key, each] of inner.reverse())
      rest.push({
        value: each,
        path: `${path}.${key}`,
        schemas: here.flatMap(one => schemaAt(one, key) ?? []),
      })
  }
  return found
}

/** The ids, each once. */
export const idsOf = (named: readonly Pick<NamedUpload, 'id'>[]): string[] => [
  ...new Set(named.map(({ id }) => id)),
]

/** What is wrong with an upload at this place, for people; null: nothing. */
export const flawOfUpload = (
  rules: readonly UploadRule[],
  { type, bytes }: { type: string; bytes: number },
): string | null => {
  if (rules.length === 0) return null
  const flaws = rules.map(({ types, maxBytes }) => {
    if (types && !isOfType(type, types)) return `the upload is ${type}, and must be ${types.join(' or ')}`
    if (maxBytes !== undefined && bytes > maxBytes)
      return `the upload has ${bytes} bytes, and may have ${maxBytes}`
    return null
  })
  return flaws.includes(null) ? null : (flaws[0] ?? null)
}
