// What a JSON Schema says of the params of a kind: which there are, and which types one of them may have. Pure.

/** A part of a JSON Schema, as a server sends it: nothing in it is sure. */
export type Schema = Readonly<Record<string, unknown>>

export type SchemaType = 'string' | 'number' | 'integer' | 'boolean' | 'null' | 'object' | 'array'

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const DEEPEST = 20

/** Where `#/$defs/x` leads in the whole schema. */
const follow = (reference: unknown, root: Schema): Schema | null => {
  if (typeof reference !== 'string' || !reference.startsWith('#')) return null
  let at: unknown = root
  for (const part of reference.slice(1).split('/').filter(Boolean)) {
    const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
    if (!isSchema(at) && !Array.isArray(at)) return null
    at = Object.hasOwn(at, name) ? (at as Schema)[name] : undefined
  }
  return isSchema(at) ? at : null
}

/** A schema with its alternatives and what it refers to, each by itself. */
export const variantsOf = (schema: unknown, root: Schema, depth = 0): Schema[] => {
  if (!isSchema(schema) || depth > DEEPEST) return []
  const nested = [schema.anyOf, schema.oneOf, schema.allOf].flatMap(one => (Array.isArray(one) ? one : []))
  const target = schema.$ref === undefined ? null : follow(schema.$ref, root)
  return [
    schema,
    ...(target ? variantsOf(target, root, depth + 1) : []),
    ...nested.flatMap(one => variantsOf(one, root, depth + 1)),
  ]
}

const typeOfValue = (value: unknown): SchemaType => {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  const type = typeof value
  return type === 'string' || type === 'number' || type === 'boolean' ? type : 'object'
}

/** The types that a value may have; empty: any. */
export const typesOf = (schema: unknown, root: Schema): Set<SchemaType> => {
  const types = new Set<SchemaType>()
  for (const { type, enum: values, const: only, properties, items } of variantsOf(schema, root)) {
    for (const one of Array.isArray(type) ? type : [type])
      if (typeof one === 'string') types.add(one as SchemaType)
    for (const value of Array.isArray(values) ? values : []) types.add(typeOfValue(value))
    if (only !== undefined) types.add(typeOfValue(only))
    if (isSchema(properties)) types.add('object')
    if (items !== undefined) types.add('array')
  }
  return types
}

/** The values that are listed for it; null: it is no list. */
export const choicesOf = (schema: unknown, root: Schema): unknown[] | null => {
  const choices = variantsOf(schema, root).flatMap(({ enum: values, const: only }) => [
    ...(Array.isArray(values) ? (values as unknown[]) : []),
    ...(only === undefined ? [] : [only]),
  ])
  return choices.length > 0 ? choices : null
}

/** Whether a file is taken there. */
export const takesUpload = (schema: unknown, root: Schema): boolean =>
  variantsOf(schema, root).some(variant => variant['x-upload'] !== undefined)

/** The named fields of an object, over all its alternatives. */
export const fieldsOf = (schema: unknown, root: Schema): Map<string, Schema> => {
  const fields = new Map<string, Schema>()
  for (const { properties } of variantsOf(schema, root))
    if (isSchema(properties))
      for (const [name, field] of Object.entries(properties))
        if (!fields.has(name)) fields.set(name, isSchema(field) ? field : {})
  return fields
}

/** Whether it may have fields that it does not name. */
export const isOpen = (schema: unknown, root: Schema): boolean => {
  const objects = variantsOf(schema, root).filter(({ type, properties }) => type === 'object' || properties)
  return objects.length === 0 || objects.some(({ additionalProperties }) => additionalProperties !== false)
}

/** The schema of the elements of a list; null: it is none, or its elements differ by their place. */
export const itemsOf = (schema: unknown, root: Schema): Schema | null =>
  variantsOf(schema, root)
    .map(({ items }) => items)
    .find(isSchema) ?? null

export const isRequired = (name: string, schema: unknown, root: Schema): boolean =>
  variantsOf(schema, root).some(
    ({ required, properties }) =>
      Array.isArray(required) &&
      required.includes(name) &&
      // what has a default may be left out, whatever the form of the output says
      !(isSchema(properties) && isSchema(properties[name]) && properties[name].default !== undefined),
  )

/** What is said of it, and what it is when it is left out, as far as the schema tells. */
export const noteOf = (schema: unknown, root: Schema): { description: string; default: unknown } => {
  const variants = variantsOf(schema, root)
  return {
    description: variants.map(({ description }) => description).find(one => typeof one === 'string') ?? '',
    default: variants.map(variant => variant.default).find(one => one !== undefined),
  }
}
