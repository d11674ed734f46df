// What an answer says beside its body: links, lines, when to ask again, and how it is packed.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { prefers } from '../../src/api/request-headers.ts'
import { pollAfter } from '../../src/api/task.ts'
import type { TaskRecord } from '../../src/core/task.ts'
import { createFixture, type Fixture, jsonOf } from './fixture.ts'

describe('what answers say beside their body', () => {
  let door: Fixture
  beforeEach(() => {
    door = createFixture()
  })
  afterEach(() => door.close())

  const nextOf = (response: Response): string | null =>
    /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1] ?? null

  it('Link leads through the pages of GET /tasks, with the filters, and back to the first', async () => {
    for (let n = 0; n < 7; n += 1) await door.submit('echo', n, { title: `a & b ${n}` })
    await door.submit('calcpi', { digits: 1 })
    const seen: string[] = []
    let path: string | null = `/tasks?limit=3&kind=echo&q=${encodeURIComponent('A & b')}`
    const begun = path
    while (path !== null) {
      const response: Response = await door.app.request(path)
      const { tasks } = await jsonOf<{ tasks: TaskRecord[] }>(response)
      seen.push(...tasks.map(({ id }) => id))
      assert.match(
        response.headers.get('link') ?? '',
        /<\/tasks\?limit=3&kind=echo&q=A\+%26\+b>; rel="first"/,
      )
      path = nextOf(response)
    }
    assert.equal(seen.length, 7, begun)
    assert.equal(new Set(seen).size, 7)
    assert.equal(nextOf(await door.app.request('/tasks')), null)
  })

  it('GET / gives a page with links to who prefers HTML, and JSON to everybody else', async () => {
    await door.store.announce({
      role: 'dashboard',
      details: () => ({
        ...{
          address: '127.0.0.1:9001',
          slots: 0,
          running: [],
          counters: {},
          rssBytes: 1,
          cpu: 0,
          troubles: {},
        },
      }),
    })
    const ask = (headers: Record<string, string>, method = 'GET') =>
      door.app.request('http://tasks.localhost:8000/', { method, headers })
    const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'
    const page = await ask({ accept: browser })
    assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8')
    assert.match(page.headers.get('vary') ?? '', /(?:^|, )Accept(?:,|$)/)
    assert.match(page.headers.get('content-security-policy') ?? '', /^default-src 'none'; style-src 'self';/)
    const text = await page.text()
    assert.match(text, /<a href="http:\/\/tasks\.localhost:9001\/">/)
    const links = [...text.matchAll(/href="([^"]+)"/g)].map(([, link = '']) => link)
    assert.ok(links.length >= 8)
    for (const link of links.filter(one => !one.startsWith('http://')))
      assert.equal((await door.app.request(`/${link}`)).status, 200, link)
    const head = await ask({ accept: browser }, 'HEAD')
    assert.equal(head.headers.get('content-length'), String(Buffer.byteLength(text)))

    for (const accept of [
      undefined,
      '*/*',
      'application/json',
      'application/json, text/html;q=0.9',
      'text/*',
      'x',
    ])
      for (const method of ['GET', 'HEAD']) {
        const answer = await ask(accept === undefined ? {} : { accept }, method)
        assert.equal(answer.headers.get('content-type'), 'application/json', accept)
        assert.match(answer.headers.get('vary') ?? '', /(?:^|, )Accept(?:,|$)/)
      }
    assert.equal((await jsonOf(await ask({ accept: '*/*' }))).name, 'madhava')
  })

  it('GET / as a page escapes what it shows, and says so while no dashboard is known', async () => {
    const other = createFixture({ service: { state: () => Promise.reject(new Error('away')) } })
    const answer = await other.app.request('http://[::1]:8000/', { headers: { accept: 'text/html' } })
    const text = await answer.text()
    assert.equal(answer.status, 200)
    assert.match(text, /It is not known where/)
    assert.match(text, /curl http:\/\/\[::1\]:8000\//)
    await other.close()
  })

  it('GET /alltasks gives a line per task to who asks for lines, the array to everybody else', async () => {
    for (let n = 0; n < 3; n += 1) await door.submit('echo', n)
    const ask = (accept: string, path = '/alltasks') => door.app.request(path, { headers: { accept } })
    const lines = await ask('application/x-ndjson')
    assert.equal(lines.headers.get('content-type'), 'application/x-ndjson')
    assert.match(lines.headers.get('vary') ?? '', /Accept/)
    const text = await lines.text()
    assert.deepEqual(
      text
        .trimEnd()
        .split('\n')
        .map(line => (JSON.parse(line) as TaskRecord).params),
      [2, 1, 0],
    )
    assert.ok(text.endsWith('}\n'))
    assert.equal(await (await ask('application/x-ndjson', '/alltasks?kind=none')).text(), '')
    for (const accept of ['*/*', 'application/json', 'text/html', 'application/x-ndjson;q=0', ''])
      assert.equal((await ask(accept)).headers.get('content-type'), 'application/json', accept)
  })

  it('the type that is named with the greater weight is sent', () => {
    const lines = (header: string | undefined) => prefers(header, 'application/x-ndjson', 'application/json')
    for (const header of [
      'application/x-ndjson',
      'Application/X-NDJSON ; q=0.3',
      'application/json;q=0.2, application/x-ndjson;q=0.2',
    ])
      assert.equal(lines(header), true, header)
    for (const header of [
      undefined,
      '',
      '*/*',
      'application/x-ndjson;q=0',
      'application/json, application/x-ndjson;q=0.9',
      'application/x-ndjsonx',
    ])
      assert.equal(lines(header), false, header)
  })

  it('Retry-After says when to ask again, while a task has not ended', async () => {
    const after = (response: Response) => response.headers.get('retry-after')
    const submitted = await door.post('/tasks', { kind: 'echo' })
    const { id } = await jsonOf<TaskRecord>(submitted)
    assert.equal(after(submitted), '1')
    assert.equal(after(await door.app.request(`/task/${id}`)), '1')
    const unfinished = await door.app.request(`/task/${id}/result`)
    assert.deepEqual([unfinished.status, after(unfinished)], [409, '1'])
    door.pass(115_000)
    assert.equal(after(await door.app.request(`/task/${id}`)), '12', 'the longer nothing moves, the later')
    const later = new Date(Date.now() + 150_000).toISOString()
    const waits = await door.submit('echo', 1, { notBefore: later })
    assert.ok(Number(after(await door.app.request(`/task/${waits.id}`))) >= 25)
    const ended = await door.ended('done')
    assert.equal(after(await door.app.request(`/task/${ended.id}`)), null)
    assert.equal(after(await door.app.request(`/task/${ended.id}/result`)), null)
  })

  it('Retry-After is 1 to 60 seconds, whatever the task foretells and wherever the clock is', () => {
    const now = new Date('2026-01-31T12:00:00.000Z')
    const at = (seconds: number) => new Date(now.getTime() + seconds * 1000).toISOString()
    const ask = (task: Partial<TaskRecord>) =>
      pollAfter(
        { status: 'PENDING', notBefore: null, expiresAt: null, updatedAt: at(0), progress: null, ...task },
        now,
      )
    const running = (etaSeconds: number | null): Partial<TaskRecord> => ({
      status: 'PROGRESS',
      progress: { percent: 1, note: null, etaSeconds },
    })
    assert.equal(ask({}), 1)
    assert.equal(ask({ updatedAt: at(3600) }), 1, 'a clock that was set back')
    assert.equal(ask({ updatedAt: at(-86_400) }), 60)
    assert.equal(ask({ status: 'RETRY', notBefore: at(9.5) }), 10)
    assert.equal(ask({ notBefore: at(1e7) }), 60)
    assert.equal(ask(running(7.2)), 8)
    assert.equal(ask(running(1e9)), 60)
    assert.equal(ask(running(null)), 1)
    assert.equal(ask({ status: 'REVOKED' }), null)
  })

  it('a long text is packed for who asks for gzip; its ETag is weak and is known again', async () => {
    const { id } = await door.submit('echo', 'x'.repeat(5000))
    const get = (path: string, headers: Record<string, string> = { 'accept-encoding': 'gzip' }) =>
      door.app.request(path, { headers })
    const packed = await get(`/task/${id}`)
    assert.equal(packed.headers.get('content-encoding'), 'gzip')
    assert.equal(packed.headers.get('content-length'), null)
    assert.match(packed.headers.get('vary') ?? '', /Accept-Encoding/)
    const bytes = Buffer.from(await packed.arrayBuffer())
    assert.ok(bytes.length < 1500, `${bytes.length} bytes`)
    const plain = await get(`/task/${id}`, {})
    assert.deepEqual(JSON.parse(gunzipSync(bytes).toString()), await plain.json())
    assert.equal(plain.headers.get('content-encoding'), null)
    assert.match(plain.headers.get('vary') ?? '', /Accept-Encoding/, 'a cache must know, too')
    const etag = packed.headers.get('etag') ?? ''
    assert.equal(etag, `W/${plain.headers.get('etag')}`)
    assert.equal((await get(`/task/${id}`, { 'if-none-match': etag })).status, 304)
    const all = await get('/alltasks')
    assert.deepEqual(
      JSON.parse(gunzipSync(Buffer.from(await all.arrayBuffer())).toString()),
      await (await get('/alltasks', {})).json(),
    )
  })

  it('nothing is packed that is short, that has ranges, that is an event stream, or for who does not take it', async () => {
    const { id } = await door.submit('echo', 'x'.repeat(5000))
    const ended = await door.ended('y'.repeat(5000))
    const encoding = async (path: string, accept = 'gzip', method = 'GET') => {
      const response = await door.app.request(path, { method, headers: { 'accept-encoding': accept } })
      await response.body?.cancel()
      return response.headers.get('content-encoding')
    }
    assert.equal(await encoding('/livez'), null)
    assert.equal(await encoding(`/task/${ended.id}/result`), null)
    assert.equal(await encoding('/events'), null)
    assert.equal(await encoding(`/task/${id}`, 'gzip', 'HEAD'), null)
    for (const accept of ['', 'br', 'identity', 'gzip;q=0', '*;q=0', 'gzipped'])
      assert.equal(await encoding(`/task/${id}`, accept), null, accept)
    for (const accept of ['br, gzip;q=0.1', '*', 'GZIP'])
      assert.equal(await encoding(`/task/${id}`, accept), 'gzip', accept)
  })

  it('a client that leaves a packed stream stops the reading of the store', async () => {
    let pages = 0
    const record = await door.submit('echo', 'p'.repeat(2000))
    const endless = createFixture({
      service: {
        list: async () => {
          pages += 1
          return { tasks: Array.from({ length: 200 }, () => record), next: 'more' }
        },
      },
    })
    const response = await endless.app.request('/alltasks', { headers: { 'accept-encoding': 'gzip' } })
    const reader = response.body?.getReader()
    await reader?.read()
    await reader?.cancel()
    let before = -1
    while (pages !== before) {
      before = pages
      await new Promise(resolve => setTimeout(resolve, 200))
    }
    assert.ok(pages < 5000)
    await endless.close()
  })
})
