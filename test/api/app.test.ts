import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { pino } from 'pino'
import type { ServiceState } from '../../src/core/service.ts'
import { createFixture, type Fixture, HOST, jsonOf } from './fixture.ts'

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
    '/task/x': 'GET, DELETE, HEAD, OPTIONS',
    '/task/x/result': 'GET, HEAD, OPTIONS',
    '/task/x/log': 'GET, HEAD, OPTIONS',
    '/task/x/retry': 'POST, OPTIONS',
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
    for (const path of [
      '/nothing',
      '/tasks/',
      '/task',
      '/calcpi',
      '/task/x/events',
      '/events',
      '/dead',
      '/events',
    ])
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
      assert.equal(headers.get('content-security-policy'), "default-src 'none'; frame-ancestors 'none'")
      assert.deepEqual(
        [...headers.keys()].filter(name => name.startsWith('access-control')),
        [],
      )
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

  it('an address over 8 KiB is 414', async () => {
    const response = await door.app.request(`/tasks?q=${'x'.repeat(8200)}`)
    assert.deepEqual([response.status, (await jsonOf(response)).code], [414, 'URI_TOO_LONG'])
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

  it('GET /kinds gives each kind with JSON Schema and an example', async () => {
    const { kinds } = await jsonOf<{
      kinds: { name: string; params: { type?: string }; example: unknown }[]
    }>(await door.app.request('/kinds'))
    assert.deepEqual(
      kinds.map(kind => kind.name),
      ['calcpi', 'echo'],
    )
    assert.equal(kinds[0]?.params.type, 'object')
    assert.equal(kinds[1]?.example, 'hello')
  })

  it('GET / tells of the machine, the processes, the queue and the tasks', async () => {
    await door.store.announce({
      role: 'worker',
      details: () => ({
        address: null,
        slots: 2,
        running: [],
        counters: { done: 3 },
        rssBytes: 1,
        cpu: 0.5,
        troubles: {},
      }),
    })
    await door.submit('echo', 1)
    const status = await jsonOf<{
      name: string
      version: string
      time: string
      host: unknown
      processes: Record<string, unknown>[]
      queue: unknown
      tasks: { total: number; byStatus: Record<string, number> }
      troubles: unknown
    }>(await door.app.request('/'))
    assert.deepEqual([status.name, status.version, status.host], ['madhava', '1.2.3', HOST])
    assert.ok(Math.abs(Date.parse(status.time) - Date.now()) < 60_000)
    const worker = status.processes[0]
    assert.deepEqual(
      [worker?.role, worker?.alive, worker?.slots, worker?.pid, worker?.counters],
      ['worker', true, 2, process.pid, { done: 3 }],
    )
    assert.deepEqual(status.queue, { name: 'listening', status: 'ready', reason: null, depth: 1, outbox: 0 })
    assert.deepEqual([status.tasks.total, status.tasks.byStatus.PENDING], [1, 1])
    assert.deepEqual(status.troubles, {})
  })

  it('GET / does not call a process alive that has not beaten for 30 seconds', async () => {
    const frozen = {
      instance: 'a',
      role: 'worker',
      host: 'machine',
      pid: 1,
      startedAt: '2026-01-31T12:00:00.000Z',
      beatAt: new Date(Date.now() - 45_000).toISOString(),
      details: {
        address: null,
        slots: 1,
        running: [],
        counters: {},
        rssBytes: 0,
        cpu: 0,
        troubles: { queue: 'away' },
      },
      alive: true,
    }
    const state = { ...(await door.service.state({ name: null, via: 'rest' })), presences: [frozen] }
    const seen = createFixture({ service: { state: async () => state } })
    const { processes } = await jsonOf<{
      processes: { alive: boolean; troubles: Record<string, string> }[]
    }>(await seen.app.request('/'))
    assert.equal(processes[0]?.alive, false)
    assert.match(processes[0]?.troubles.beat ?? '', /No beat for \d+ s: frozen or overloaded/)
    assert.equal(processes[0]?.troubles.queue, 'away')
    await seen.close()
  })

  it('GET / keeps what the store knows when the broker does not say how long the queue is', async () => {
    for (const depth of [
      () => new Promise<number>(() => undefined),
      () => Promise.reject(new Error('secret')),
    ]) {
      const hung = createFixture({ depth })
      await hung.submit('echo', 1)
      const status = await jsonOf<{
        queue: { name: string; depth: number | null }
        tasks: { total: number }
        troubles: unknown
      }>(await hung.app.request('/'))
      assert.deepEqual(
        [status.queue.name, status.queue.depth, status.tasks.total, status.troubles],
        ['listening', null, 1, {}],
      )
      await hung.close()
    }
  })

  it('GET / answers in time and with the reason when the state cannot be read, and asks once for many', async () => {
    let asked = 0
    let state: () => Promise<ServiceState> = () => new Promise(() => undefined)
    const slow = createFixture({
      service: {
        state: () => {
          asked += 1
          return state()
        },
      },
    })
    const start = performance.now()
    const answers = await Promise.all([1, 2, 3].map(() => slow.app.request('/')))
    assert.ok(performance.now() - start < 5_000)
    assert.equal(asked, 1)
    for (const answer of answers) {
      const status = await jsonOf<{ processes: unknown; host: unknown; troubles: Record<string, string> }>(
        answer,
      )
      assert.deepEqual([answer.status, status.processes, status.host], [200, null, HOST])
      assert.match(status.troubles.state ?? '', /No answer within 500 ms/)
    }
    await slow.close()

    state = () => Promise.reject(new Error('secret'))
    const failing = createFixture({ service: { state: () => state() } })
    const answer = await failing.app.request('/')
    const text = await answer.text()
    assert.equal(answer.status, 200)
    assert.doesNotMatch(text, /secret/)
    assert.notEqual(JSON.parse(text).troubles.state, undefined)
    await failing.close()
  })

  it('GET /livez is 200; GET /readyz is 200 or 503 with every check', async () => {
    assert.equal((await door.app.request('/livez')).status, 200)
    for (const ok of [true, false]) {
      const checks = { store: { status: ok ? ('ok' as const) : ('failed' as const) } }
      const other = createFixture({ readiness: async () => ({ ok, checks }) })
      const response = await other.app.request('/readyz')
      assert.equal(response.status, ok ? 200 : 503)
      assert.deepEqual(await response.json(), { ok, checks })
      await other.close()
    }
  })
})
