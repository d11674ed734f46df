// JSON Schema, as the document of the API uses it -> arbitrary values that fit it.
import fc from 'fast-check'

export type Node = Record<string, unknown>

/** @param schemas the components that `$ref` names; @param named values for fields whose name says more than their type */
export const createFromSchema = (
  schemas: Readonly<Record<string, Node>>,
  named: Readonly<Record<string, fc.Arbitrary<unknown>>> = {},
) => {
  const text = ({ minLength, maxLength, pattern, format }: Node): fc.Arbitrary<string> => {
    if (format === 'uuid') return fc.uuid()
    if (format === 'date-time')
      return fc
        .date({ min: new Date('1970-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
        .map(date => date.toISOString())
    if (pattern !== undefined) return fc.stringMatching(new RegExp(String(pattern)))
    // lone surrogates are no text
    return fc
      .string({
        unit: 'grapheme',
        minLength: Number(minLength ?? 0),
        maxLength: Math.min(Number(maxLength ?? 30), 300),
      })
      .filter(value => value.length <= Number(maxLength ?? Number.POSITIVE_INFINITY))
  }
  const number = (schema: Node): fc.Arbitrary<number> => {
    const min = Number(schema.minimum ?? schema.exclusiveMinimum ?? -1e6)
    const max = Number(schema.maximum ?? schema.exclusiveMaximum ?? 1e6)
    if (schema.type === 'integer') return fc.integer({ min: Math.ceil(min), max: Math.floor(max) })
    return fc.double({
      min,
      max,
      minExcluded: schema.exclusiveMinimum !== undefined,
      noNaN: true,
      noDefaultInfinity: true,
    })
  }
  const record = (schema: Node, depth: number): fc.Arbitrary<unknown> => {
    const properties = (schema.properties ?? {}) as Record<string, Node>
    return fc.record(
      Object.fromEntries(
        Object.entries(properties).map(([name, inner]) => [name, named[name] ?? of(inner, depth + 1)]),
      ),
      { requiredKeys: (schema.required ?? []) as string[], noNullPrototype: true },
    )
  }

  const of = (schema: Node, depth = 0): fc.Arbitrary<unknown> => {
    if (typeof schema.$ref === 'string') {
      const name = schema.$ref.split('/').at(-1) ?? ''
      if (name === 'Json') return fc.jsonValue({ maxDepth: 3 })
      return of(schemas[name] ?? {}, depth)
    }
    if (Array.isArray(schema.examples)) return fc.constantFrom(...schema.examples)
    if ('const' in schema) return fc.constant(schema.const)
    if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum)
    const parts = (schema.anyOf ?? schema.oneOf) as Node[] | undefined
    if (parts) return fc.oneof(...parts.map(part => of(part, depth)))
    if (schema.type === 'string') return text(schema)
    if (schema.type === 'integer' || schema.type === 'number') return number(schema)
    if (schema.type === 'boolean') return fc.boolean()
    if (schema.type === 'null') return fc.constant(null)
    if (schema.type === 'array')
      return fc.array(of((schema.items ?? {}) as Node, depth + 1), {
        minLength: Number(schema.minItems ?? 0),
        maxLength: 4,
      })
    if (schema.type === 'object') return record(schema, depth)
    return fc.jsonValue({ maxDepth: 3 })
  }
  return of
}
