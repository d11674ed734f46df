// Params on a command line: types by the schema of the kind, files, JSON, and words that are none.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { ConsoleError } from '../../src/cli/exit.ts'
import { readJson } from '../../src/cli/params/json-text.ts'
import { placeUpload, readParams } from '../../src/cli/params/read-params.ts'
import type { Json } from '../../src/client/task.ts'
import { uploadSchema } from '../../src/core/upload-ref.ts'

const schemaOf = (schema: z.ZodType): unknown =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
const SCHEMA = schemaOf(
  z.strictObject({
    digits: z.int(),
    pace: z.number().default(0),
    method: z.enum(['plain', 'fast']).optional(),
    loud: z.boolean().optional(),
    name: z.string().optional(),
    either: z.union([z.number(), z.string()]).nullable().optional(),
    image: uploadSchema().optional(),
    images: z.array(uploadSchema()).optional(),
    tags: z.array(z.string()).optional(),
    sizes: z.array(z.tuple([z.int(), z.int()])).optional(),
    inner: z.strictObject({ depth: z.int(), 'a.b': z.string().optional() }).optional(),
    level: z.union([z.literal(1), z.literal('top')]).optional(),
  }),
)
const params = (...words: string[]): Json => readParams(words, SCHEMA, null).params
const refused = (words: string[], message: RegExp): void => {
  assert.throws(
    () => readParams(words, SCHEMA, null),
    (error: unknown) => error instanceof ConsoleError && error.exit === 2 && message.test(error.message),
  )
}

describe('params on a command line', () => {
  it('have the types that the schema asks for', () => {
    assert.deepEqual(params('digits=1000', 'pace=0.5', 'method=plain', 'loud=true', 'name=12'), {
      digits: 1000,
      pace: 0.5,
      method: 'plain',
      loud: true,
      name: '12',
    })
    assert.deepEqual(params('either=12'), { either: 12 })
    assert.deepEqual(params('either=x'), { either: 'x' })
    assert.deepEqual(params('either=null'), { either: null })
    assert.deepEqual(params('level=1'), { level: 1 })
    assert.deepEqual(params('level=top'), { level: 'top' })
    assert.deepEqual(params('name='), { name: '' })
    assert.deepEqual(params('name=a=b'), { name: 'a=b' })
    assert.deepEqual(params('inner.depth=3'), { inner: { depth: 3 } })
    assert.deepEqual(params('digits=1e3'), { digits: 1000 })
  })

  it('take JSON by :=, and lists by their elements', () => {
    assert.deepEqual(params('sizes:=[[64,64]]'), { sizes: [[64, 64]] })
    assert.deepEqual(params('sizes=[[64,64]]'), { sizes: [[64, 64]] })
    assert.deepEqual(params('tags=a', 'tags=b'), { tags: ['a', 'b'] })
    assert.deepEqual(params('inner:={"depth":1}'), { inner: { depth: 1 } })
  })

  it('name files, whose uploads are put in their place', () => {
    const read = readParams(['image=@a b.jpg', 'images=@1.jpg', 'images=@2.jpg'], SCHEMA, null)
    assert.deepEqual(read.files, [
      { path: ['image'], file: 'a b.jpg' },
      { path: ['images', 0], file: '1.jpg' },
      { path: ['images', 1], file: '2.jpg' },
    ])
    for (const [at, { path }] of read.files.entries()) placeUpload(read.params, path, `id${at}`)
    assert.deepEqual(read.params, {
      image: { $upload: 'id0' },
      images: [{ $upload: 'id1' }, { $upload: 'id2' }],
    })
    const id = '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f'
    assert.deepEqual(params(`image=${id}`), { image: { $upload: id } })
    assert.deepEqual(params('name=@text'), { name: '@text' })
    refused(['image=photo.jpg'], /image=@FILE/)
  })

  it('change what a file of params has', () => {
    const read = readParams(['digits=2'], SCHEMA, { digits: 1, pace: 3 })
    assert.deepEqual(read.params, { digits: 2, pace: 3 })
    assert.deepEqual(readParams([], SCHEMA, [1, 2]).params, [1, 2])
    assert.throws(() => readParams(['digits=2'], SCHEMA, [1]), /no object/)
  })

  it('are refused with the reason where they do not fit', () => {
    refused(['digits=x'], /digits is a whole number, not "x"/)
    refused(['digits=1.5'], /whole number/)
    refused(['loud=yes'], /true or false/)
    refused(['digit=1'], /has no param digit; it has digits, pace/)
    refused(['inner.deep=1'], /inner has no param deep/)
    refused(['digits'], /is no param/)
    refused(['=1'], /is no param/)
    refused(['digits=1', 'digits=2'], /twice/)
    refused(['digits=9007199254740993'], /would change on its way/)
    refused(['digits:={'], /no JSON/)
    refused(['name:={"__proto__":1}'], /__proto__/)
    refused(['__proto__.x=1'], /no name of a param/)
  })

  it('are texts where the schema says nothing', () => {
    assert.deepEqual(readParams(['a=1', 'b:=1'], {}, null).params, { a: '1', b: 1 })
    assert.deepEqual(readParams(['a=1'], null, null).params, { a: '1' })
    assert.deepEqual(readParams(['a=1'], { $ref: '#/nowhere' }, null).params, { a: '1' })
    assert.deepEqual(
      readParams(
        ['n=1'],
        { $ref: '#/$defs/p', $defs: { p: { properties: { n: { type: 'integer' } } } } },
        null,
      ).params,
      { n: 1 },
    )
  })

  it('come back as they were for any number, truth and text', () => {
    fc.assert(
      fc.property(
        fc.maxSafeInteger(),
        fc.double({ noDefaultInfinity: true, noNaN: true }).filter(one => !Object.is(one, -0)),
        fc.boolean(),
        fc.string({ unit: 'grapheme' }),
        (digits, pace, loud, name) => {
          fc.pre(Number.isSafeInteger(pace) || !/^-?\d+$/.test(String(pace)))
          assert.deepEqual(params(`digits=${digits}`, `pace=${pace}`, `loud=${loud}`, `name=${name}`), {
            digits,
            pace,
            loud,
            name,
          })
        },
      ),
    )
  })

  it('take any JSON that holds no name and no number that a server refuses', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        const text = JSON.stringify(value)
        fc.pre(!text.includes('__proto__') && !/\d{16}|e\+/.test(text))
        assert.deepEqual(readJson(text, 'it'), JSON.parse(text))
      }),
    )
  })

  it('never do anything but answer or refuse, whatever the words and the schema are', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.jsonValue(), (words, schema) => {
        try {
          readParams(words, schema, null)
        } catch (error) {
          assert.ok(error instanceof ConsoleError, String(error))
        }
      }),
    )
  })
})
