// What the pages make of files and of parsed pages, without a browser: rules, references, sizes, addresses.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { findUploads } from '../../../src/core/upload-params.ts'
import { type ExactJson, parseExact } from '../../../src/dashboard/web/format/exact-json.ts'
import {
  fileRuleOf,
  refusalOf,
  typeNames,
  uploadsIn,
  withoutUploads,
} from '../../../src/dashboard/web/format/file-rule.ts'
import { fieldsOf, formOf, keyOf } from '../../../src/dashboard/web/pages/new-task/schema-form.ts'
import { asUrl, fileNameOf, isWeb, readPage } from '../../../src/dashboard/web/pages/parse/page-result.ts'
import { readSizes, sizesText } from '../../../src/dashboard/web/pages/thumbnails/sizes.ts'

const exactly = (value: unknown): ExactJson => parseExact(JSON.stringify(value))
const ID = '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f'
const FILE = {
  type: 'object',
  properties: { $upload: { type: 'string' } },
  required: ['$upload'],
  'x-upload': { types: ['image/png', 'text/csv'], maxBytes: 1000 },
}

describe('a rule for files', () => {
  it('is read from the schema, and refuses what cannot fit before it is sent', () => {
    const rule = fileRuleOf(exactly(FILE))
    assert.deepEqual(rule, { types: ['image/png', 'text/csv'], maxBytes: 1000 })
    assert.ok(rule)
    assert.equal(refusalOf({ type: 'image/png', size: 1000 }, rule), null)
    assert.equal(refusalOf({ type: 'image/png', size: 1001 }, rule), 'size')
    assert.equal(refusalOf({ type: 'image/jpeg', size: 1 }, rule), 'type')
    // a table is an application's file for some systems, and a file without a known ending has no type
    assert.equal(refusalOf({ type: 'application/vnd.ms-excel', size: 1 }, rule), null)
    assert.equal(refusalOf({ type: '', size: 1 }, rule), null)
    assert.equal(refusalOf({ type: 'image/gif', size: 1 }, { types: ['image/*'], maxBytes: null }), null)
    assert.equal(refusalOf({ type: 'video/mp4', size: 1 }, { types: ['image/*'], maxBytes: null }), 'type')
    assert.equal(typeNames(['image/png', 'image/*', 'text/csv']), 'PNG, IMAGE/*, TEXT/CSV')
    for (const none of [null, {}, { 'x-upload': true }, []]) assert.equal(fileRuleOf(exactly(none)), null)
    assert.deepEqual(fileRuleOf(exactly({ 'x-upload': {} })), { types: null, maxBytes: null })
  })

  it('makes a field for a file of its place: alone, in an object, in a list, or one that may be null', () => {
    const schema = {
      type: 'object',
      properties: {
        one: FILE,
        perhaps: { anyOf: [FILE, { type: 'null' }] },
        many: { type: 'array', items: FILE },
        inside: { type: 'object', properties: { deep: FILE } },
      },
      required: ['one', 'perhaps', 'many'],
    }
    const fields = fieldsOf(formOf(exactly(schema), ['params'], undefined))
    assert.deepEqual(
      fields.map(({ path, control, takesNull }) => [keyOf(path), control, takesNull]),
      [
        ['params.one', 'file', false],
        ['params.perhaps', 'file', true],
        ['params.many', 'list', false],
        ['params.inside.deep', 'file', false],
      ],
    )
    assert.equal(fields[2]?.item?.control, 'file')
    const known = { one: { $upload: ID } }
    assert.equal(fieldsOf(formOf(exactly(schema), ['params'], exactly(known)))[0]?.control, 'file')
    // what names no upload can only be mended by hand
    const odd = { one: { $upload: ID, more: 1 } }
    assert.equal(fieldsOf(formOf(exactly(schema), ['params'], exactly(odd)))[0]?.control, 'json')
    assert.equal(fieldsOf(formOf(exactly(FILE), ['params'], undefined))[0]?.control, 'file')
  })

  it('finds the same uploads in params as the server', () => {
    const reference = fc.uuid().map($upload => ({ $upload }))
    const value = fc.letrec(tie => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue(),
        reference,
        fc.array(tie('any'), { maxLength: 4 }),
        fc.dictionary(fc.string({ maxLength: 8 }), tie('any'), { maxKeys: 4 }),
      ),
    })).any
    fc.assert(
      fc.property(value, made => {
        const params = JSON.parse(JSON.stringify(made ?? null)) as never
        const theirs = [...new Set(findUploads(params, {}).map(({ id }) => id))]
        assert.deepEqual(uploadsIn(params).toSorted(), theirs.toSorted())
        assert.deepEqual(uploadsIn(withoutUploads([params])), [])
      }),
    )
    assert.deepEqual(withoutUploads(exactly({ a: { $upload: ID }, b: [1, { $upload: ID }] })), { b: [1] })
  })
})

describe('sizes', () => {
  it('are read as people write them, each once', () => {
    assert.deepEqual(readSizes('128x128, 640 × 480;128X128,'), [
      [128, 128],
      [640, 480],
    ])
    for (const none of [
      '',
      ' , ',
      '128',
      '128x',
      'x',
      '0x5',
      '5x0',
      '-1x5',
      '1.5x2',
      '128x128 64x64',
      '123456x1',
    ])
      assert.equal(readSizes(none), null, none)
  })

  it('come back as they were written out', () => {
    const side = fc.integer({ min: 1, max: 99_999 })
    const sizes = fc.uniqueArray(fc.tuple(side, side), { minLength: 1, maxLength: 9, selector: String })
    fc.assert(fc.property(sizes, made => assert.deepEqual(readSizes(sizesText(made)), made)))
    fc.assert(
      fc.property(fc.string(), text => {
        const read = readSizes(text)
        assert.ok(read === null || read.every(size => size.every(each => each > 0)))
      }),
    )
  })
})

describe('a parsed page', () => {
  it('is read whatever the result is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), result => {
        const page = readPage(result as never)
        assert.ok(Array.isArray(page.links) && Array.isArray(page.headings))
      }),
    )
    const page = readPage({
      title: 'T',
      isHtml: true,
      links: [{ url: 'https://a/', text: 5 }],
      timing: { totalMs: 7 },
    })
    assert.deepEqual(
      [page.title, page.isHtml, page.links, page.totalMs],
      ['T', true, [{ url: 'https://a/', text: '' }], 7],
    )
  })

  it('has links that lead only to pages, and a name for its file that is one', () => {
    assert.deepEqual(
      [
        'https://a/',
        'HTTP://a/',
        'javascript:alert(1)',
        ' javascript:alert(1)',
        'mailto:a@b',
        'data:text/html,x',
        '',
      ].map(isWeb),
      [true, true, false, false, false, false, false],
    )
    assert.equal(asUrl(' example.org/a '), 'https://example.org/a')
    assert.equal(asUrl('127.0.0.1:80/'), 'https://127.0.0.1:80/')
    assert.equal(asUrl('localhost:80'), 'https://localhost:80')
    assert.equal(asUrl('http://a'), 'http://a')
    assert.equal(asUrl('ftp://a'), 'ftp://a')
    assert.equal(asUrl(''), '')
    assert.equal(fileNameOf('https://example.org:8080/../etc'), 'example.org.json')
    assert.equal(fileNameOf('http://[::1]/'), '1.json')
    assert.equal(fileNameOf('no url'), 'page.json')
    assert.equal(fileNameOf(null), 'page.json')
    fc.assert(fc.property(fc.webUrl(), url => assert.match(fileNameOf(url), /^[A-Za-z0-9.-]+\.json$/)))
  })
})
