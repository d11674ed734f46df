// Every operation of the document with input that is made from it, good and bad. The fixture holds each answer against
// the document: status, content type, headers, body. 10,000 calls in `npm run test:long`, a sample in `npm test`.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { artifactFile, listArtifact } from '../../src/core/artifacts.ts'
import { anybody } from '../support/actors.ts'
import { createFromSchema, type Node } from '../support/from-schema.ts'
import { manual } from '../support/manual-kind.ts'
import { createFixture, type Fixture } from './fixture.ts'

interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required?: boolean
  schema: Node
}
interface Operation {
  operationId: string
  parameters?: Parameter[]
  requestBody?: { content: Record<string, { schema: Node }> }
  responses: Record<string, unknown>
}
interface Document {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Node> }
}
interface Call {
  url: string
  init: { method: string; headers: Record<string, string>; body?: string | Uint8Array<ArrayBuffer> }
}

const CALLS = process.env.REST_LONG ? 10_000 : 600
/** Values that mean something where the type alone says little. */
const SENSIBLE: Readonly<Record<string, readonly string[]>> = {
  n: ['0', '7', '10000'],
  method: ['plain', 'wijngaarden'],
  pace: ['0', '1.5'],
  offset: ['0', '3'],
  length: ['3'],
  name: ['a.txt'],
  'If-Match': ['*', '"0-0"'],
}
/** Nothing is dead here, and Thrift's bytes have a test of their own: these answer well to nobody who guesses. */
const HARD = [
  ...['replayDead', 'discardDead', 'callRpc', 'openSocket'],
  // they want an id, a name or a secret that is in no schema
  ...['createAccount', 'changeAccount', 'deleteAccount', 'withdrawInvitation', 'logIn', 'changePassword'],
  // the kinds of the fixture are fixed
  'reloadKinds',
  // no provider is set up
  ...['beginSignIn', 'endSignIn'],
  ...['endSession', 'revokeKey', 'withdrawShare', 'getShared', 'getSharedResult', 'watchShared'],
  'getSharedArtifact',
]
/** An operation that chance has not answered well yet gets good calls until one is, so many at most. */
const MORE_CALLS = 500
/** Answers that stay open are left after this time. */
const PATIENCE_MS = 250

const hostile = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '0',
    '-1',
    'null',
    '__proto__',
    '../../etc/passwd',
    '%00',
    '%',
    '\u0000',
    'a'.repeat(9000),
    '{"',
    '*',
    'W/"',
    'bytes=0-0',
    'bytes=5-2',
    'bytes=999999999999999999999-',
    '"',
  ),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
)
const junk = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.json({ maxDepth: 4 }),
  fc.constantFrom(
    '[',
    '{"a":',
    '['.repeat(5000),
    '\ud800',
    '[]',
    '[[]]',
    '{"kind":{}}',
    '{"__proto__":1}',
    '9e999',
  ),
)

/** What a header may hold at all. */
const headerText = (value: string): string => value.replace(/[^\x20-\x7e\xa0-\xff]/g, '').trim()

describe('the API under random input', { timeout: 1_200_000 }, () => {
  let document: Document
  before(async () => {
    const door = createFixture()
    document = (await (await door.app.request('/openapi.json')).json()) as Document
    await door.close()
  })

  const operations = (): { method: string; path: string; operation: Operation }[] =>
    Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
    )

  /** A door with tasks in every state, one with a file, and uploads; and their ids. */
  const fill = async (): Promise<{ door: Fixture; ids: string[]; uploads: string[]; token: string }> => {
    const door = createFixture({ kinds: [manual] })
    const ids: string[] = []
    const uploads = [
      (await door.service.uploads.take(anybody(), { name: 'a' }, Readable.from([Buffer.from('abc')]))).id,
      (await door.service.uploads.begin(anybody(), { length: 3 })).id,
      (await door.service.uploads.begin(anybody(), {})).id,
    ]
    for (let n = 0; n < 6; n += 1) {
      ids.push((await door.submit('echo', n, { title: `waiting ${n}` })).id)
      const { id } = await door.submit('calcpi', { digits: n })
      await door.run(id)
      ids.push(id, (await door.ended(n % 2 === 0 ? `text ${n}` : { n })).id)
    }
    for (let n = 0; n < 6; n += 1) ids.push((await door.submit('manual', {}, { title: `to do ${n}` })).id)
    const file = artifactFile(0, 1)
    for (const id of ids) {
      await door.store.putBlob(id, file, Buffer.from('abc'))
      const task = await door.store.get(id)
      if (task?.status !== 'STARTED') continue
      const artifact = { name: 'a.txt', bytes: 3, type: 'text/plain', sha256: 'a'.repeat(64), file }
      await door.store.move(id, task.claim, listArtifact(artifact, task.updatedAt))
    }
    return { door, ids, uploads, token: (await door.logIn('root', 'admin')).token }
  }

  const goodCall = (
    { method, path, operation }: { method: string; path: string; operation: Operation },
    ids: readonly string[],
  ): fc.Arbitrary<Call> => {
    const from = createFromSchema(document.components.schemas, {
      kind: fc.constantFrom('echo', 'echo', 'calcpi', 'nothing'),
      params: fc.oneof(fc.constant({ digits: 5 }), fc.jsonValue({ maxDepth: 3 })),
    })
    const parameters = operation.parameters ?? []
    const valueFor = (parameter: Parameter): fc.Arbitrary<unknown> => {
      if (parameter.name === 'id')
        return fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...ids) }, fc.uuid())
      const sensible = SENSIBLE[parameter.name]
      if (sensible)
        return fc.oneof(
          { weight: 4, arbitrary: fc.constantFrom(...sensible) },
          parameter.in === 'header' ? hostile.map(headerText) : from(parameter.schema),
        )
      // only the server makes cursors; the bad calls try others
      if (['cursor', 'since', 'Last-Event-ID'].includes(parameter.name)) return fc.constant('')
      // the test has no time for whole polls
      if (parameter.name === 'wait') return fc.constantFrom('0', '0.02')
      if (parameter.name === 'file') return fc.constantFrom('docs.css', 'docs.mjs', 'index.html', 'style.css')
      return parameter.in === 'header' ? hostile.map(headerText) : from(parameter.schema)
    }
    const given = fc.record(
      Object.fromEntries(parameters.map(parameter => [parameter.name, valueFor(parameter)])),
      { requiredKeys: parameters.filter(({ required }) => required).map(({ name }) => name) },
    )
    const [type, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? []
    const body: fc.Arbitrary<string | Uint8Array<ArrayBuffer> | undefined> =
      content === undefined
        ? fc.constant(undefined)
        : type === 'application/json'
          ? from(content.schema).map(value => JSON.stringify(value))
          : fc.uint8Array({ maxLength: 100 }).map(bytes => new Uint8Array(bytes))
    return fc.tuple(given, body).map(([values, text]) => {
      const query = new URLSearchParams()
      const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type }
      let filled = path
      for (const { name, in: place } of parameters) {
        const value = values[name]
        if (value === undefined || value === '') continue
        if (place === 'path') filled = filled.replace(`{${name}}`, encodeURIComponent(String(value)))
        else if (place === 'header') headers[name] = String(value)
        else for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one))
      }
      return {
        url: query.size > 0 ? `${filled}?${query}` : filled,
        init: { method, headers, ...(text === undefined ? {} : { body: text }) },
      }
    })
  }

  /** A good call with something wrong in its path, its query, its headers or its body. */
  const badCall = (good: fc.Arbitrary<Call>): fc.Arbitrary<Call> =>
    fc.tuple(good, fc.nat({ max: 5 }), hostile, junk).map(([{ url, init }, what, text, body]) => {
      const [path = '', query = ''] = url.split('?')
      const quoted = encodeURIComponent(text.toWellFormed())
      const withQuery = (extra: string) => `${path}?${query}${query === '' ? '' : '&'}${extra}`
      if (what === 0) return { url: path.replace(/[^/]+$/, quoted), init }
      if (what === 1) return { url: withQuery(`${quoted}=1`), init }
      if (what === 2) return { url: withQuery(`${query.split('=')[0]}=${quoted}`), init }
      if (what === 3)
        return {
          url,
          init: {
            ...init,
            headers: {
              ...init.headers,
              accept: headerText(text),
              range: headerText(text),
              'idempotency-key': headerText(text),
              'last-event-id': headerText(text),
            },
          },
        }
      if (what === 4)
        return {
          url,
          init: { ...init, headers: { ...init.headers, 'content-type': headerText(text) || 'x' } },
        }
      return init.body === undefined ? { url: `${url}/..%2f`, init } : { url, init: { ...init, body } }
    })

  const answers = new Map<string, Map<number, number>>()
  const call = async (door: Fixture, id: string, token: string, { url, init }: Call): Promise<void> => {
    const left = new AbortController()
    const timer = setTimeout(() => left.abort(), PATIENCE_MS)
    try {
      const response = await door.app.request(`http://localhost${url}`, {
        ...init,
        headers: { authorization: `Bearer ${token}`, ...init.headers },
        signal: left.signal,
      } as RequestInit)
      const { status, headers } = response
      // the text of an event stream comes to no end
      if (status >= 500) assert.fail(`${init.method} ${url}: ${status} ${await response.text()}`)
      if (status >= 400) assert.equal(headers.get('content-type'), 'application/problem+json')
      // an event stream has no end of its own
      if (headers.get('content-type')?.startsWith('text/event-stream')) await response.body?.cancel()
      else {
        const text = await response.text()
        // neither where the program lies nor how it got there
        if (status >= 400) assert.doesNotMatch(text, /node_modules|\.[cm]?[jt]s:\d|\n\s+at |\/src\/|\/dist\//)
      }
      const seen = answers.get(id) ?? new Map<number, number>()
      answers.set(id, seen.set(status, (seen.get(status) ?? 0) + 1))
    } finally {
      clearTimeout(timer)
    }
  }

  const wasWell = (id: string): boolean => [...(answers.get(id) ?? [])].some(([status]) => status < 400)

  it('never gives a 5xx, always a problem for an error, always what the document says', async () => {
    const each = Math.ceil(CALLS / operations().length)
    for (const route of operations()) {
      const { door, ids, uploads, token } = await fill()
      const good = goodCall(route, route.path.startsWith('/uploads') ? uploads : ids)
      try {
        await fc.assert(
          fc.asyncProperty(fc.oneof(good, badCall(good)), one =>
            call(door, route.operation.operationId, token, one),
          ),
          { numRuns: each, endOnFailure: true },
        )
        const { operationId } = route.operation
        const isHard = HARD.includes(operationId)
        for (let more = 0; !isHard && !wasWell(operationId) && more < MORE_CALLS; more += 1)
          for (const one of fc.sample(good, 1)) await call(door, operationId, token, one)
      } finally {
        await door.close()
      }
    }
  })

  after(() => {
    // what was never answered well was not tried
    const made = [...answers.values()]
      .flatMap(seen => [...seen.values()])
      .reduce((sum, count) => sum + count, 0)
    assert.ok(made >= CALLS, `${made} calls`)
    for (const [id, seen] of answers) {
      assert.ok(wasWell(id) || HARD.includes(id), `${id}: ${[...seen]}`)
    }
  })
})
