// JSON Schemas of programs: what a value has wrong is told with its place, and a schema that is wrong is refused.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { problemsOf } from '../../src/core/problems.ts'
import type { Json } from '../../src/core/task.ts'
import { schemaOfJson } from '../../src/programs/json-schema.ts'

const told = (schema: Json, value: unknown): Record<string, string> => {
  const parsed = schemaOfJson(schema).safeParse(value)
  if (parsed.success) return {}
  return Object.fromEntries(problemsOf(parsed.error).map(({ path, problem }) => [path, problem]))
}

describe('a value by a JSON Schema', () => {
  it('has each of its problems told with its path', () => {
    const schema = {
      type: 'object',
      properties: {
        width: { type: 'integer', minimum: 1 },
        mode: { enum: ['fit', 'crop'] },
        names: { type: 'array', items: { type: 'string', maxLength: 3 } },
      },
      required: ['width', 'mode'],
      additionalProperties: false,
    }
    assert.deepEqual(told(schema, { width: 0, mode: 'cut', names: ['a', 'long', 5] }), {
      width: 'must be >= 1',
      mode: 'must be one of "fit", "crop"',
      'names.1': 'must NOT have more than 3 characters',
      'names.2': 'must be string',
    })
    assert.deepEqual(told(schema, { widht: 1 }), {
      width: 'is required',
      mode: 'is required',
      '': 'unknown field "widht" (did you mean "width"?); known are "width", "mode", "names"',
    })
    assert.deepEqual(told(schema, 5), { '': 'must be object' })
  })

  it('has what it might be told where it fits no alternative', () => {
    const schema = {
      anyOf: [
        { type: 'integer' },
        { type: 'null' },
        { type: 'object', properties: { a: { type: 'string' } } },
      ],
    }
    assert.deepEqual(told({ properties: { x: schema } }, { x: 'text' }), {
      x: 'must be integer or null or object',
    })
    assert.deepEqual(told({ properties: { x: schema } }, { x: { a: 1 } }), { 'x.a': 'must be string' })
    assert.match(told({ oneOf: [{ minimum: 1 }, { maximum: 5 }] }, 3)[''] ?? '', /exactly one/)
  })

  it('has defaults filled in, in a copy, which fits again', () => {
    const schema = schemaOfJson({
      type: 'object',
      properties: {
        a: { type: 'integer', default: 3 },
        deep: { type: 'object', properties: { b: { default: [] } } },
      },
    })
    const given = { deep: {} }
    const made = schema.parse(given)
    assert.deepEqual([given, made], [{ deep: {} }, { a: 3, deep: { b: [] } }])
    assert.deepEqual(schema.parse(made), made)
  })

  it('names an upload where x-upload says so', () => {
    const schema = { properties: { file: { 'x-upload': { types: ['image/*'] } } } }
    assert.deepEqual(told(schema, { file: { $upload: '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f' } }), {})
    for (const file of [
      'x',
      null,
      { $upload: 'x' },
      { $upload: '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f', a: 1 },
    ])
      assert.match(told(schema, { file }).file ?? '', /must name an upload/)
  })

  it('is never changed, and fits or has a problem, whatever it is', () => {
    const schema = schemaOfJson({
      type: 'object',
      properties: { a: { type: 'integer', default: 3 }, b: { $ref: '#' } },
      additionalProperties: { type: ['string', 'null'] },
    })
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), value => {
        const before = structuredClone(value)
        const parsed = schema.safeParse(value)
        assert.deepEqual(value, before)
        if (parsed.success) assert.deepEqual(schema.parse(parsed.data), parsed.data)
        else assert.ok(parsed.error.issues.length > 0)
      }),
      { numRuns: 300 },
    )
  })

  it('has a hundred of its problems told at the most', () => {
    assert.equal(Object.keys(told({ items: { type: 'integer' } }, Array(5_000).fill('x'))).length, 100)
  })
})

describe('a JSON Schema', () => {
  it('is refused with the reason where it is wrong', () => {
    const deep = Array.from({ length: 70 }).reduce<Json>(items => ({ items }), {})
    const wrong: [Json, RegExp][] = [
      [5, /is an object/],
      [[], /is an object/],
      [
        { properties: { a: { maxLenght: 5 } } },
        /#\/properties\/a has the unknown keyword "maxLenght"; did you mean maxLength/,
      ],
      [{ type: 'texts' }, /type/],
      [{ minimum: 'x' }, /minimum/],
      [{ pattern: '(' }, /pattern|regular/i],
      [{ $ref: 'https://example.org/other.json' }, /can't resolve reference/],
      [{ $ref: '#/$defs/gone' }, /can't resolve reference/],
      [{ $ref: 'file:///etc/passwd' }, /can't resolve reference/],
      [{ $schema: 'http://json-schema.org/draft-04/schema#' }, /2020-12 and 7/],
      [{ $async: true }, /\$async/],
      [{ 'x-upload': { type: 'image/png' } }, /x-upload/],
      [deep, /nests deeper/],
    ]
    for (const [schema, reason] of wrong)
      assert.throws(() => schemaOfJson(schema), reason, JSON.stringify(schema))
  })

  it('may be of draft 7 or 2020-12, refer to its own parts, and carry words of others', () => {
    const draft7 = {
      $schema: 'http://json-schema.org/draft-07/schema#',
      definitions: { n: { type: 'integer' } },
      items: [{ $ref: '#/definitions/n' }],
      additionalItems: false,
      'x-of-ours': 1,
    }
    assert.deepEqual(told(draft7, [1]), {})
    assert.ok(Object.keys(told(draft7, [1, 2])).length > 0)
    const now = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $defs: { n: { type: 'integer' } },
      prefixItems: [{ $ref: '#/$defs/n' }],
      items: false,
      example: [1],
      format: 'of nobody',
    }
    assert.deepEqual(told(now, [1]), {})
    assert.ok(Object.keys(told(now, [1, 2])).length > 0)
  })

  it('of many references to one part is not copied as often', () => {
    const part = {
      type: 'object',
      properties: Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`p${n}`, { type: 'integer' }])),
    }
    const schema = {
      $defs: { part },
      properties: Object.fromEntries(
        Array.from({ length: 2_000 }, (_, n) => [`a${n}`, { $ref: '#/$defs/part' }]),
      ),
    }
    assert.deepEqual(told(schema, { a5: { p1: 1 } }), {})
    assert.deepEqual(told(schema, { a1999: { p199: 'x' } }), { 'a1999.p199': 'must be integer' })
  })
})
