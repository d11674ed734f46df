// How params name uploads, and what a schema asks of each place.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import type { Json } from '../../../src/core/field-types.ts'
import { findUploads, flawOfUpload } from '../../../src/core/upload-params.ts'
import { isOfType, uploadSchema } from '../../../src/core/upload-ref.ts'

const ID = '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f'
const REF = { $upload: ID }
const schemaOf = (schema: z.ZodType): Json =>
  JSON.parse(JSON.stringify(z.toJSONSchema(schema, { io: 'input' })))
const png = uploadSchema({ types: ['image/png'] })
const pdf = uploadSchema({ types: ['application/pdf'], maxBytes: 10 })

/** `[path, [types of each rule]]` of each place. */
const found = (schema: z.ZodType, params: Json) =>
  findUploads(params, schemaOf(schema)).map(({ path, rules }) => [path, rules.map(({ types }) => types?.[0])])

describe('findUploads', () => {
  it('finds the rule of each place, through lists, tuples, records, unions and references', () => {
    assert.deepEqual(found(z.object({ a: png, b: z.object({ c: pdf }) }), { a: REF, b: { c: REF } }), [
      ['params.a', ['image/png']],
      ['params.b.c', ['application/pdf']],
    ])
    assert.deepEqual(found(z.array(png), [REF, REF]), [
      ['params.0', ['image/png']],
      ['params.1', ['image/png']],
    ])
    assert.deepEqual(found(z.tuple([z.number(), pdf], png), [1, REF, REF]), [
      ['params.1', ['application/pdf']],
      ['params.2', ['image/png']],
    ])
    assert.deepEqual(found(z.record(z.string(), pdf), { x: REF }), [['params.x', ['application/pdf']]])
    assert.deepEqual(found(png, REF), [['params', ['image/png']]])
    const [either] = findUploads(REF, schemaOf(z.union([png, pdf])))
    assert.deepEqual(either?.rules.map(({ types }) => types?.[0]).sort(), ['application/pdf', 'image/png'])
    const tree: z.ZodType = z.object({ file: png.optional(), below: z.lazy(() => z.array(tree)) })
    assert.deepEqual(found(tree, { below: [{ below: [{ file: REF, below: [] }] }] }), [
      ['params.below.0.below.0.file', ['image/png']],
    ])
  })

  it('finds what a schema says nothing of, and takes nothing else for an upload', () => {
    assert.deepEqual(found(z.any(), { a: [REF] }), [['params.a.0', []]])
    assert.deepEqual(found(z.any(), { a: { $upload: ID, more: 1 }, b: { $upload: 1 }, $upload: [] }), [])
    assert.deepEqual(
      findUploads({ $upload: ID.toUpperCase() }, {}).map(({ id }) => id),
      [ID],
    )
  })

  it('finds every upload in any JSON once, at its path', () => {
    const other = fc.jsonValue({ depthSize: 'small' }) as fc.Arbitrary<Json>
    const { json } = fc.letrec<{ json: Json }>(tie => ({
      json: fc.oneof(
        { depthSize: 'small' },
        fc.constant<Json>(REF),
        other.filter(value => !JSON.stringify(value).includes('$upload')),
        fc.array(tie('json'), { maxLength: 4 }),
        fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), tie('json'), { maxKeys: 4 }),
      ),
    }))
    fc.assert(
      fc.property(json, params => {
        const places = findUploads(params, {})
        assert.equal(places.length, JSON.stringify(params).split('$upload').length - 1)
        for (const { path } of places) {
          let at: Json | undefined = params
          for (const part of path.split('.').slice(1)) at = (at as Record<string, Json>)[part]
          assert.deepEqual(at, REF)
        }
        assert.equal(new Set(places.map(({ path }) => path)).size, places.length)
      }),
    )
  })

  it('is not upset by how deep params nest, nor by a schema that refers to itself', () => {
    let deep: Json = REF
    for (let n = 0; n < 20_000; n += 1) deep = [deep]
    assert.equal(findUploads(deep, { $ref: '#', items: { $ref: '#' } }).length, 1)
    assert.deepEqual(findUploads(REF, { anyOf: [{ $ref: '#' }, { $ref: '#/missing' }, true] }).length, 1)
  })
})

describe('flawOfUpload', () => {
  it('lets through what fits one of the rules', () => {
    const rules = [{ types: ['image/*'] }, { types: ['application/pdf'], maxBytes: 10 }]
    assert.equal(flawOfUpload(rules, { type: 'image/webp', bytes: 99 }), null)
    assert.equal(flawOfUpload(rules, { type: 'application/pdf', bytes: 10 }), null)
    assert.match(flawOfUpload(rules, { type: 'application/pdf', bytes: 11 }) ?? '', /must be image/)
    assert.equal(flawOfUpload([], { type: 'x/y', bytes: 1e12 }), null)
    assert.match(
      flawOfUpload([{ maxBytes: 3 }], { type: 'x/y', bytes: 4 }) ?? '',
      /has 4 bytes, and may have 3/,
    )
  })

  it('takes image/* for images alone', () => {
    assert.ok(isOfType('image/png', ['image/*']))
    assert.ok(!isOfType('images/png', ['image/*']))
    assert.ok(!isOfType('text/plain', ['image/*', 'application/pdf']))
  })
})
