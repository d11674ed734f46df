import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { pino } from 'pino'
import { createFixture, type Fixture, jsonOf } from './fixture.ts'

describe('the REST door', () => {
  let door: Fixture
  beforeEach(() => {
    door = createFixture({ allowedHosts: ['tasks.example.org'] })
  })
  afterEach(() => door.close())

  const KNOWN: Record<string, string> = {
    '/': 'GET, HEAD, OPTIONS',
    '/calcpi/5': 'GET, OPTIONS',
    '/tasks': 'POST, GET, HEAD, OPTIONS',
    '/alltasks': 'GET, HEAD, OPTIONS',
    '/task/x': 'GET, DELETE, PATCH, HEAD, OPTIONS',
    '/task/x/result': 'GET, HEAD, OPTIONS',
    '/task/x/log': 'GET, HEAD, OPTIONS',
    '/task/x/retry': 'POST, OPTIONS',
    '/tasks/cancel': 'POST, OPTIONS',
    '/dead': 'GET, HEAD, OPTIONS',
    '/docs': 'GET, HEAD, OPTIONS',
    '/openapi.json': 'GET, HEAD, OPTIONS',
    '/metrics': 'GET, HEAD, OPTIONS',
    '/kinds': 'GET, HEAD, OPTIONS',
    '/livez': 'GET, HEAD, OPTIONS',
    '/readyz': 'GET, HEAD, OPTIONS',
  }

  it('OPTIONS on a known path is 204 and says what the path takes', async () => {
    for (const [path, allow] of Object.entries(KNOWN)) {
      const response = await door.app.request(path, { method: 'OPTIONS' })
      assert.deepEqual([response.status, response.headers.get('allow')], [204, allow], path)
    }
  })

  it('another method on a known path is 405 with Allow', async () => {
    for (const [path, allow] of Object.entries(KNOWN))
      for (const method of ['PUT', 'PATCH', 'DELETE', 'POST', 'BREW'])
        if (!allow.includes(method)) {
          const response = await door.app.request(path, { method })
          const { code } = await jsonOf(response)
          const seen = [response.status, code, response.headers.get('allow')]
          assert.deepEqual(seen, [405, 'METHOD_NOT_ALLOWED', allow], `${method} ${path}`)
        }
  })

  it('an unknown path, and a path that a later version has, is 404 with a problem', async () => {
    for (const path of ['/nothing', '/tasks/', '/task', '/calcpi', '/tasks/nothing'])
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const response = await door.app.request(path, { method })
        const problem = await jsonOf(response)
        assert.deepEqual([response.status, problem.code, problem.instance], [404, 'NOT_FOUND', path])
        assert.equal(response.headers.get('content-type'), 'application/problem+json')
      }
  })

  it('HEAD answers as GET does, without the body', async () => {
    const task = await door.ended('result')
    for (const path of [
      '/livez',
      '/readyz',
      '/kinds',
      '/tasks',
      '/alltasks',
      `/task/${task.id}`,
      '/nothing',
    ]) {
      const [get, head] = [await door.app.request(path), await door.app.request(path, { method: 'HEAD' })]
      const length = (await get.arrayBuffer()).byteLength
      assert.equal(head.status, get.status)
      assert.equal(head.headers.get('content-type'), get.headers.get('content-type'))
      if (path !== '/alltasks') assert.equal(head.headers.get('content-length'), String(length))
      assert.equal(await head.text(), '')
    }
  })

  it('every answer carries the security headers, and none allows other origins', async () => {
    const task = await door.ended('result')
    for (const path of [
      '/',
      '/tasks',
      '/nothing',
      '/task/x',
      `/task/${task.id}/result`,
      '/alltasks',
      '/calcpi/1',
    ]) {
      const { headers } = await door.app.request(path, { headers: { host: 'localhost' } })
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
      assert.equal(headers.get('cache-control'), 'no-store')
      assert.equal(headers.get('referrer-policy'), 'no-referrer')
      assert.equal(headers.get('x-frame-options'), 'DENY')
      assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin')
      assert.equal(headers.get('content-security-policy'), "default-src 'none'; frame-ancestors 'none'")
      assert.deepEqual(
        [...headers.keys()].filter(name => name.startsWith('access-control')),
        [],
      )
    }
  })

  it('only an origin that CORS_ORIGINS names hears that it may, and only it may change something', async () => {
    const friend = 'https://app.example.org'
    const open = createFixture({ corsOrigins: [friend] })
    try {
      const ask = (method: string, origin: string, headers: Record<string, string> = {}) =>
        open.app.request('/tasks', {
          method,
          headers: { host: 'localhost', origin, 'sec-fetch-site': 'cross-site', ...headers },
          ...(method === 'POST' ? { body: '{"kind":"echo"}' } : {}),
        })
      const allowed = (response: Response) => response.headers.get('access-control-allow-origin')
      const preflight = { 'access-control-request-method': 'POST' }
      const asked = await ask('OPTIONS', friend, preflight)
      assert.deepEqual([asked.status, allowed(asked), asked.headers.get('vary')], [204, friend, 'Origin'])
      assert.match(asked.headers.get('access-control-allow-headers') ?? '', /Idempotency-Key/)
      assert.match(asked.headers.get('access-control-allow-methods') ?? '', /POST/)
      const done = await ask('POST', friend, { 'content-type': 'application/json' })
      assert.deepEqual([done.status, allowed(done)], [202, friend])
      assert.match(done.headers.get('access-control-expose-headers') ?? '', /Location/)
      const failed = await ask('POST', friend)
      assert.deepEqual([failed.status, allowed(failed)], [415, friend], 'an error is readable too')
      for (const origin of [`${friend}.evil`, 'http://app.example.org', `${friend}:444`, 'null']) {
        const refused = await ask('OPTIONS', origin, preflight)
        assert.deepEqual(
          [allowed(refused), refused.headers.get('access-control-allow-methods')],
          [null, null],
        )
        assert.equal(refused.headers.get('vary'), 'Origin')
        assert.equal((await ask('POST', origin)).status, 403)
      }
      assert.equal((await open.store.counts()).total, 1)
    } finally {
      await open.close()
    }
  })

  it('a good X-Request-Id is taken, any other replaced, and it is in the answer', async () => {
    const idFor = async (given: string) =>
      (await door.app.request('/livez', { headers: { 'x-request-id': given } })).headers.get(
        'x-request-id',
      ) ?? ''
    assert.equal(await idFor('A.b_c-1'), 'A.b_c-1')
    for (const bad of ['a b', '<x>', 'x'.repeat(65), '']) {
      const made = await idFor(bad)
      assert.notEqual(made, bad)
      assert.match(made, /^[A-Za-z0-9._-]{1,64}$/)
    }
  })

  it('a Host that is not ours is 403 on every path, harmless ones included', async () => {
    for (const path of ['/', '/livez', '/nothing', '/calcpi/1']) {
      const response = await door.app.request(path, { headers: { host: 'evil.example' } })
      assert.deepEqual([response.status, (await jsonOf(response)).code], [403, 'HOST_NOT_ALLOWED'])
    }
    for (const host of ['tasks.example.org', 'localhost:8000', '10.0.0.7:8000'])
      assert.equal((await door.app.request('/livez', { headers: { host } })).status, 200)
  })

  it('whatever creates or changes something is refused to other web sites, and nothing has happened', async () => {
    const { id } = await door.submit('echo', 1)
    const foreign: Record<string, string>[] = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { host: 'localhost:8000', origin: 'http://evil.example' },
      { host: 'localhost:8000', origin: 'null' },
    ]
    const tries: [string, string][] = [
      ['GET', '/calcpi/5'],
      ['POST', '/tasks'],
      ['DELETE', `/task/${id}`],
      ['POST', `/task/${id}/retry`],
    ]
    for (const headers of foreign)
      for (const [method, path] of tries) {
        const response = await door.app.request(path, { method, headers })
        assert.deepEqual(
          [response.status, (await jsonOf(response)).code],
          [403, 'CROSS_SITE'],
          `${method} ${path}`,
        )
      }
    assert.equal((await door.store.counts()).total, 1)
    assert.equal((await door.store.get(id))?.status, 'PENDING')
    for (const headers of foreign)
      assert.equal((await door.app.request(`/task/${id}`, { headers })).status, 200)
    const own = { host: 'localhost:8000', origin: 'http://localhost:8000', 'sec-fetch-site': 'same-origin' }
    assert.equal((await door.app.request('/calcpi/5', { headers: own })).status, 202)
  })

  it('an address over 8 KiB is 414, and one of 8 KiB is not', async () => {
    const ofBytes = (bytes: number): string => {
      const start = '/nowhere?q='
      return `${start}${'x'.repeat(bytes - start.length)}`
    }
    for (const bytes of [8_193, 20_000]) {
      const response = await door.app.request(ofBytes(bytes))
      assert.deepEqual([response.status, (await jsonOf(response)).code], [414, 'URI_TOO_LONG'], `${bytes}`)
    }
    const response = await door.app.request(ofBytes(8_192))
    assert.deepEqual([response.status, (await jsonOf(response)).code], [404, 'NOT_FOUND'])
  })

  it('an error that nobody foresaw is 500 without a word about the cause, which is in the log', async () => {
    const lines: string[] = []
    const broken = createFixture({
      log: pino({ level: 'error', errorKey: 'error' }, { write: (line: string) => lines.push(line) }),
      service: {
        get: async () => {
          throw new TypeError('secret /etc/shadow')
        },
      },
    })
    const response = await broken.app.request('/task/x', { headers: { 'x-request-id': 'req-7' } })
    const text = await response.text()
    assert.equal(response.status, 500)
    assert.equal(JSON.parse(text).code, 'INTERNAL')
    assert.doesNotMatch(text, /secret|shadow|TypeError/)
    assert.equal(lines.length, 1)
    const line = JSON.parse(lines[0] ?? '')
    assert.equal(line.requestId, 'req-7')
    assert.match(line.error.message, /secret/)
    await broken.close()
  })
})
