// The form of a new task without a page: fields from a schema, texts as values, the submission, and its command.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { parseExact, printExact } from '../../../src/dashboard/web/format/exact-json.ts'
import { valueAt, withValueAt } from '../../../src/dashboard/web/format/exact-object.ts'
import { readKinds } from '../../../src/dashboard/web/format/kind-list.ts'
import { readText, textOf } from '../../../src/dashboard/web/pages/new-task/field-text.ts'
import { placeProblems } from '../../../src/dashboard/web/pages/new-task/problem-places.ts'
import {
  type Field,
  fieldsOf,
  formOf,
  isGroup,
  keyOf,
} from '../../../src/dashboard/web/pages/new-task/schema-form.ts'
import {
  addressOfApi,
  asCurl,
  quoted,
  submissionFrom,
} from '../../../src/dashboard/web/pages/new-task/submission.ts'

const exactly = (value: unknown) => parseExact(JSON.stringify(value))
const formFrom = (schema: z.ZodType, value?: unknown) =>
  formOf(
    exactly(z.toJSONSchema(schema, { io: 'input' })),
    ['params'],
    value === undefined ? undefined : exactly(value),
  )
const brief = ({ path, control, isRequired, takesNull }: Field) =>
  `${keyOf(path)} ${control}${isRequired ? '' : '?'}${takesNull ? ' or null' : ''}`

describe('the form of a schema', () => {
  it('has a field for each plain value, also of an object in it and of a list', () => {
    const shared = z.enum(['a', 'b']).meta({ id: 'Shared' })
    const schema = z.strictObject({
      count: z.int().min(1).max(9).describe('how many'),
      share: z.number().default(0.5),
      name: z.string(),
      note: z.string().nullable(),
      mode: shared,
      other: shared.optional(),
      fixed: z.union([z.literal('x'), z.literal(3)]),
      isFast: z.boolean().default(true),
      list: z.array(z.int()),
      inner: z.strictObject({ a: z.number().optional(), deep: z.strictObject({ b: z.int() }) }).optional(),
      lists: z.array(z.array(z.int())),
      any: z.json().optional(),
      map: z.record(z.string(), z.int()),
      pair: z.tuple([z.int(), z.int()]),
      either: z.union([z.int(), z.string()]),
    })
    const entries = formFrom(schema)
    assert.deepEqual(fieldsOf(entries).map(brief), [
      'params.count integer',
      'params.share number?',
      'params.name text',
      'params.note text or null',
      'params.mode choice',
      'params.other choice?',
      'params.fixed choice',
      'params.isFast switch?',
      'params.list list',
      'params.inner.a number?',
      'params.inner.deep json',
      'params.lists json',
      'params.any json?',
      'params.map json',
      'params.pair json',
      'params.either json',
    ])
    assert.equal(entries.filter(isGroup).length, 1)
    const [count, share] = fieldsOf(entries)
    assert.deepEqual([count?.least, count?.most, count?.help], ['1', '9', 'how many'])
    assert.deepEqual([share?.fallback, share?.least], [0.5, null])
  })

  it('is one field where the params are no object, and JSON where a value does not fit', () => {
    assert.deepEqual(fieldsOf(formFrom(z.string())).map(brief), ['params text'])
    assert.deepEqual(fieldsOf(formFrom(z.json())).map(brief), ['params json'])
    assert.deepEqual(fieldsOf(formFrom(z.strictObject({}))).map(brief), ['params json'])
    const schema = z.object({ list: z.array(z.int()), inner: z.object({ a: z.int() }) })
    assert.deepEqual(fieldsOf(formFrom(schema, { list: 1, inner: 2, more: 3 })).map(brief), [
      'params.list json',
      'params.inner json',
      'params.more json?',
    ])
  })

  it('bears any schema', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (schema, value) => {
        formOf(exactly(schema), ['params'], exactly(value))
        formOf(exactly({ properties: { a: schema }, required: schema }), ['params'], exactly({ a: value }))
      }),
    )
    const loop = { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/a' } } }
    assert.deepEqual(fieldsOf(formOf(exactly(loop), ['params'], undefined)).map(brief), ['params json'])
  })
})

describe('a field', () => {
  const field = (control: Field['control'], more: Partial<Field> = {}): Field => ({
    ...{ path: ['params', 'x'], label: 'x', control, isRequired: true, takesNull: false, help: null },
    ...{ fallback: undefined, choices: [], least: null, most: null, isLong: false, item: null },
    file: null,
    ...{ isInOptional: false, ...more },
  })

  it('takes what is a value, with all its digits, and says what is none', () => {
    const value = (control: Field['control'], text: string): string => {
      const read = readText(field(control), text)
      return 'fault' in read ? read.fault : read.value === undefined ? 'nothing' : printExact(read.value, '')
    }
    assert.equal(value('integer', ' 90071992547409931 '), '90071992547409931')
    assert.equal(value('number', '0.1000000000000000055'), '0.1000000000000000055')
    for (const text of ['1.5', '1e3', '007', 'x', '0x1', '1,000'])
      assert.equal(value('integer', text), 'integer')
    for (const text of ['.5', '5.', '01', 'NaN', '0,5']) assert.equal(value('number', text), 'number')
    assert.equal(value('integer', ''), 'missing')
    assert.equal(value('text', ''), '""')
    assert.equal(value('text', ' 1 '), '" 1 "')
    assert.equal(value('json', '{"a": 1e400}'), '{"a":1e400}')
    for (const text of ['{a: 1}', '[1,]', '01']) assert.equal(value('json', text), 'json')
    assert.equal(value('instant', 'soon'), 'instant')
  })

  it('is left out or null when it is empty, as it may be', () => {
    assert.deepEqual(readText(field('integer', { isRequired: false }), ''), { value: undefined })
    assert.deepEqual(readText(field('text', { isRequired: false }), ''), { value: undefined })
    assert.deepEqual(readText(field('text', { takesNull: true }), ''), { value: null })
    assert.deepEqual(readText(field('json', { takesNull: true }), ' '), { value: null })
  })

  it('shows a time in the zone of the reader and reads it back', () => {
    const at = '2026-01-31T12:00:05.000Z'
    assert.equal(textOf({ control: 'instant' }, at, true), '2026-01-31T12:00:05')
    for (const isUtc of [true, false])
      assert.deepEqual(readText(field('instant'), textOf({ control: 'instant' }, at, isUtc), isUtc), {
        value: at,
      })
  })

  it('reads back what it shows, of any value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), json => {
        const value = exactly(json)
        const read = readText(field('json'), textOf({ control: 'json' }, value))
        assert.ok('value' in read && read.value !== undefined)
        assert.equal(printExact(read.value), printExact(value))
      }),
    )
  })
})

describe('a path into JSON', () => {
  it('leads to fields and places, and changes one without touching another', () => {
    const value = parseExact('{"a":{"b":[1,2,9007199254740993]},"__proto__":{"x":1}}')
    assert.equal(String(valueAt(value, ['a', 'b', '2'])), '9007199254740993')
    assert.equal(valueAt(value, ['__proto__', 'x']), 1)
    assert.equal(valueAt(value, ['a', 'toString']), undefined)
    const changed = withValueAt(withValueAt(value, ['a', 'b', '0'], 7), ['n', 'm'], 'new')
    assert.equal(
      printExact(changed ?? null, ''),
      '{"a":{"b":[7,2,9007199254740993]},"__proto__":{"x":1},"n":{"m":"new"}}',
    )
    assert.equal(
      printExact(withValueAt(changed, ['a'], undefined) ?? null, ''),
      '{"__proto__":{"x":1},"n":{"m":"new"}}',
    )
    assert.equal(valueAt(value, ['a', 'b', '0']), 1)
  })
})

describe('the submission', () => {
  it('is filled in from a task without what its kind sets by itself and without times that are over', () => {
    const kind = exactly({ maxAttempts: 3, retry: null, limits: { softSeconds: null, hardSeconds: 5 } })
    const task = {
      ...{ id: 'x', kind: 'echo', params: { a: 1 }, title: 'again', description: null, priority: 5 },
      ...{ notBefore: '2020-01-01T00:00:00.000Z', expiresAt: '2040-01-01T00:00:00.000Z', maxAttempts: 3 },
      ...{ retry: { delaySeconds: 1 }, limits: { softSeconds: null, hardSeconds: 5 }, owner: 'me' },
    }
    assert.equal(
      printExact(submissionFrom(exactly(task), kind, Date.UTC(2030, 0, 1)), ''),
      JSON.stringify({
        ...{ kind: 'echo', params: { a: 1 }, title: 'again', expiresAt: '2040-01-01T00:00:00.000Z' },
        retry: { delaySeconds: 1 },
      }),
    )
  })

  it('keeps the digits of examples and schemas', () => {
    const text =
      '{"kinds":[{"name":"a","params":{"maximum":1e999},"result":{},"example":9007199254740993}],"trouble":[]}'
    const [kind] = readKinds(text).kinds
    assert.equal(
      printExact([kind?.example ?? null, kind?.params ?? null], ''),
      '[9007199254740993,{"maximum":1e999}]',
    )
  })

  it('is one word of the shell, whatever stands in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        // a shell's words cannot hold it, and JSON never does
        const word = text.replaceAll('\0', '').replaceAll(/[\uD800-\uDFFF]/g, '')
        assert.equal(execFileSync('sh', ['-c', `printf %s ${quoted(word)}`], { encoding: 'utf8' }), word)
      }),
      { numRuns: 30 },
    )
    const submission = { kind: 'echo', params: 'it\'s $HOME `id` \\ "!\n@x' }
    const command = asCurl(submission, { url: 'http://127.0.0.1:8000/tasks', login: null })
    const said = execFileSync('sh', ['-c', `curl() { printf '%s\\n' "$@"; }; ${command}`], {
      encoding: 'utf8',
    })
    assert.deepEqual(said.trimEnd().split('\n'), [
      ...['-X', 'POST', 'http://127.0.0.1:8000/tasks', '-H', 'Content-Type: application/json', '--data-raw'],
      JSON.stringify(submission),
    ])
  })

  it('goes to REST on its own port, where its process says which', () => {
    const at = { hostname: 'box', origin: 'http://box:9001', login: 'operator' }
    const api = (address: string | null, alive = true) => [{ role: 'api', alive, address }]
    const urlOf = (processes: Parameters<typeof addressOfApi>[0]) => addressOfApi(processes, at)
    assert.deepEqual(urlOf(api('127.0.0.1:8000')), { url: 'http://127.0.0.1:8000/tasks', login: null })
    assert.deepEqual(urlOf(api('[::]:8000')), { url: 'http://box:8000/tasks', login: null })
    for (const unknown of [null, [], api(null), api('127.0.0.1:8000', false)])
      assert.deepEqual(urlOf(unknown), { url: 'http://box:9001/api/tasks', login: 'operator' })
  })
})

describe('the problems of a submission', () => {
  it('stand at the nearest field', () => {
    const { byKey, rest } = placeProblems(
      [
        { path: 'params.a', problem: 'one' },
        { path: 'params.list.1.x', problem: 'two' },
        { path: 'params', problem: 'three' },
        { path: 'params.ab', problem: 'four' },
      ],
      ['params.a', 'params.list', 'params.list.1'],
    )
    assert.deepEqual(
      [...byKey],
      [
        ['params.a', ['one']],
        ['params.list.1', ['x: two']],
      ],
    )
    assert.deepEqual(
      rest.map(({ problem }) => problem),
      ['three', 'four'],
    )
  })
})
