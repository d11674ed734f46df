// The dashboard as a browser, a program and an attacker see it; with made-up processes.
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { MadhavaError } from '../../src/core/errors.ts'
import { type EndedSessions, openEndedSessions } from '../../src/dashboard/access/ended-sessions.ts'
import type { Operator } from '../../src/dashboard/access/operator.ts'
import { DEEDS } from '../../src/dashboard/access/rights.ts'
import { createSessions, SESSION_LIFETIME_MS } from '../../src/dashboard/access/session.ts'
import { createDashboard } from '../../src/dashboard/app.ts'
import type { ActionOutcome, Processes, ProcessRow } from '../../src/dashboard/processes/processes.ts'
import { PAGES } from '../../src/dashboard/web/paths.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createFixture, type Fixture } from '../api/fixture.ts'
import { INSTALLATION, madeUpParts, WEB } from './fixture.ts'

const PASSWORD = 'correct horse'
const SAME_SITE = { host: 'localhost:9001', origin: 'http://localhost:9001', 'sec-fetch-site': 'same-origin' }

const row = (name: string, pmId: number, more: Partial<ProcessRow> = {}): ProcessRow => ({
  name,
  pmId,
  state: 'online',
  pid: 1000 + pmId,
  uptimeMs: 61_000,
  restarts: 2,
  cpuPercent: 0.4,
  memoryBytes: 55 * 1024 * 1024,
  isDashboard: name === 'dashboard',
  ...more,
})

describe('the dashboard', { timeout: 300_000 }, () => {
  let api: Fixture
  let closing: AbortController
  let now: number
  let rows: ProcessRow[]
  let orders: string[]
  let failure: MadhavaError | null
  let result: ActionOutcome
  let logFile: string | null
  let app: ReturnType<typeof createDashboard>
  // Without the hashing, which takes its time on purpose; operator.test.ts has the real one.
  const operator: Operator = {
    verify: async (name, password) => name === 'operator' && password === PASSWORD,
    credential: async () => PASSWORD,
  }

  let ended: EndedSessions
  before(async () => {
    api = createFixture({ allowedHosts: ['tasks.example'] })
    ended = openEndedSessions(api.store.documents)
  })
  after(() => api.close())

  beforeEach(() => {
    now = Date.UTC(2030, 0, 1)
    rows = [
      row('api', 0),
      row('worker', 1, { state: 'stopped', pid: null, uptimeMs: null }),
      row('dashboard', 2),
    ]
    orders = []
    failure = null
    closing = new AbortController()
    logFile = null
    result = { outcome: 'done' }
    const order = async (what: string): Promise<ActionOutcome> => {
      if (failure) throw failure
      orders.push(what)
      return result
    }
    const processes: Processes = {
      list: async () => {
        if (failure) throw failure
        return rows
      },
      act: (action, name) => order(`${action} ${name}`),
      actAll: action => order(`${action} all`),
      logFile: async name => {
        if (!rows.some(one => one.name === name)) throw new MadhavaError('NOT_FOUND')
        return logFile
      },
    }
    const clock = (): number => now
    app = createDashboard({
      ...madeUpParts(),
      processes,
      operator,
      api: api.app,
      topics: {},
      web: WEB,
      installation: INSTALLATION,
      closing: closing.signal,
      sessions: createSessions({
        key: Buffer.alloc(32, 1),
        credential: operator.credential,
        ended,
        clock,
        log: silentLog(),
      }),
      log: silentLog(),
      allowedHosts: ['tasks.example'],
      clock,
    })
  })

  const get = (where: string, headers: Record<string, string> = {}) =>
    app.request(where, { headers: { host: 'localhost:9001', ...headers } })
  const post = (where: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
    app.request(where, {
      method: 'POST',
      body: new URLSearchParams(fields).toString(),
      headers: { ...SAME_SITE, 'content-type': 'application/x-www-form-urlencoded', ...headers },
    })
  /** A change as a page of ours sends it. */
  const change = (
    where: string,
    { cookie, token }: { cookie?: string; token?: string },
    more: { method?: string; body?: unknown; headers?: Record<string, string> } = {},
  ) =>
    app.request(where, {
      method: more.method ?? 'POST',
      ...(more.body === undefined ? {} : { body: JSON.stringify(more.body) }),
      headers: {
        ...SAME_SITE,
        accept: 'application/json',
        ...(cookie === undefined ? {} : { cookie }),
        ...(token === undefined ? {} : { 'x-csrf-token': token }),
        ...(more.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...more.headers,
      },
    })
  const login = (fields: Record<string, string> = {}, headers: Record<string, string> = {}) =>
    post('/login', { name: 'operator', password: PASSWORD, ...fields }, headers)

  /** Logs in; answers the cookie and the token of the forms. */
  const enter = async (): Promise<{ cookie: string; token: string }> => {
    const answer = await login()
    assert.equal(answer.status, 303)
    const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? ''
    const { csrf: token } = (await (await get('/me.json', { cookie })).json()) as { csrf: string }
    assert.notEqual(token, '')
    return { cookie, token }
  }

  describe('before the login', () => {
    it('leads people to the login and from there to what they wanted; programs get a 401', async () => {
      assert.equal((await get('/')).headers.get('location'), '/login')
      for (const [where, next] of [
        ['/tasks?status=FAILURE&q=a%20b', '/tasks?status=FAILURE&q=a%20b'],
        ['/task/1', '/task/1'],
      ] as const) {
        const answer = await get(where)
        const to = new URL(answer.headers.get('location') ?? '', 'http://x')
        assert.deepEqual([answer.status, to.pathname, to.searchParams.get('next')], [303, '/login', next])
        assert.ok((await (await get(to.pathname + to.search)).text()).includes('name="next" value="/'))
        assert.equal((await login({ next })).headers.get('location'), next)
      }
      for (const next of ['//evil.example', '/\\\\evil.example', 'https://evil.example', '/a b', '']) {
        assert.equal((await login({ next })).headers.get('location'), '/', next)
        const page = await (await get(`/login?${new URLSearchParams({ next })}`)).text()
        assert.doesNotMatch(page, /name="next"/)
      }
      for (const where of [
        '/processes.json',
        '/me.json',
        '/logs/api/out.json',
        '/stream?topic=x',
        '/api/tasks',
      ]) {
        const answer = await get(where)
        assert.equal(answer.status, 401, where)
        assert.equal(answer.headers.get('content-type'), 'application/problem+json')
        assert.equal(((await answer.json()) as { code: string }).code, 'UNAUTHORIZED')
      }
      for (const where of ['/processes/all/stop', '/processes/api/stop', '/api/tasks/cancel?all=1'])
        assert.equal((await change(where, { token: 'x' })).status, 401, where)
      assert.equal((await post('/logout', { token: 'x' })).status, 303)
      assert.deepEqual(orders, [])
    })

    it('shows nobody a route but the login and the files of the pages', async () => {
      const open = app.routes.filter(({ method }) => method === 'GET' || method === 'POST')
      const answers = await Promise.all(
        open.map(async ({ method, path: where }) => {
          const place = where.replace(/:\w+/g, 'api')
          const { status, headers } = await (method === 'GET' ? get(place) : post(place, { token: 'x' }))
          const leadsAway =
            status === 401 || (status === 303 && headers.get('location')?.startsWith('/login'))
          return leadsAway ? [] : [`${method} ${where}`]
        }),
      )
      assert.deepEqual([...new Set(answers.flat())].sort(), [
        'GET /api/shared/:token',
        'GET /api/shared/:token/artifacts/:name',
        'GET /api/shared/:token/events',
        'GET /api/shared/:token/result',
        'GET /assets/:name',
        'GET /livez',
        'GET /login',
        'GET /login/oidc',
        'GET /login/oidc/callback',
        'GET /register',
        'GET /shared/:token',
        'POST /register',
      ])
    })

    it('says that it lives, and serves the files of the pages for ever, packed for who takes it', async () => {
      assert.equal(await (await get('/livez')).text(), 'ok\n')
      for (const [accepts, encoding, text] of [
        ['gzip, deflate, br', 'br', 'br'],
        ['gzip', 'gzip', 'gz'],
        ['br;q=0, gzip', 'gzip', 'gz'],
        ['identity', null, 'plain'],
      ] as const) {
        const answer = await get('/assets/main-abc.js', { 'accept-encoding': accepts })
        assert.equal(answer.headers.get('content-encoding'), encoding)
        assert.equal(await answer.text(), text)
        assert.match(answer.headers.get('cache-control') ?? '', /immutable/)
        assert.equal(answer.headers.get('vary'), 'Accept-Encoding')
        assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
      }
      assert.equal((await get('/assets/icon-abc.svg')).headers.get('content-type'), 'image/svg+xml')
      assert.equal((await get('/assets/other.js', { accept: 'application/json' })).status, 404)
    })

    it('has a login that works without scripts, in the language and theme of the reader', async () => {
      const page = await (await get('/login')).text()
      assert.match(page, /<html lang="en" data-theme="system">/)
      assert.match(page, /<form method="post" action="\/login">/)
      assert.doesNotMatch(page, /<script|style=/)
      const chosen = await get('/login', { cookie: 'theme=dark; language=ru' })
      assert.match(await chosen.text(), /<html lang="ru" data-theme="dark">[\s\S]*Пароль/)
      assert.match(await (await get('/login', { 'accept-language': 'ru-RU,ru;q=0.9' })).text(), /lang="ru"/)
      const odd = await get('/login', { cookie: 'theme="><b>; language=xx' })
      assert.match(await odd.text(), /<html lang="en" data-theme="system">/)
    })

    it('answers for its own hosts only', async () => {
      for (const host of ['localhost:9001', '127.0.0.1:9001', '[::1]:9001', 'tasks.example'])
        assert.equal((await get('/livez', { host })).status, 200, host)
      for (const host of ['evil.example', 'localhost.evil.example', 'a b'])
        for (const where of ['/livez', '/', '/login', '/nothing'])
          assert.equal((await get(where, { host })).status, 403, host)
    })

    it('gives every answer its security headers, errors too', async () => {
      for (const where of ['/', '/login', '/livez', '/nothing', '/processes.json', '/me.json', '/stream']) {
        const { headers } = await get(where)
        assert.match(
          headers.get('content-security-policy') ?? '',
          /^default-src 'none'; style-src 'self'; script/,
        )
        assert.doesNotMatch(headers.get('content-security-policy') ?? '', /unsafe|\*|https?:/)
        assert.equal(headers.get('x-content-type-options'), 'nosniff')
        assert.equal(headers.get('cache-control'), 'no-store')
        assert.equal(headers.get('referrer-policy'), 'same-origin')
        assert.equal(headers.get('access-control-allow-origin'), null)
      }
    })
  })

  describe('the login', () => {
    it('gives a cookie that no script can read and no other site can send', async () => {
      const answer = await login()
      const cookie = answer.headers.get('set-cookie') ?? ''
      assert.match(cookie, /^madhava_session=v1\./)
      for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/', `Max-Age=${SESSION_LIFETIME_MS / 1000}`])
        assert.ok(cookie.includes(part), part)
      assert.doesNotMatch(cookie, /Domain|Secure/)
      assert.equal((await get('/login', { cookie: cookie.split(';')[0] ?? '' })).headers.get('location'), '/')
    })

    it('says the same about a wrong name and a wrong password, and gives no cookie', async () => {
      const texts = []
      for (const fields of [{ name: 'root' }, { password: 'wrong' }, { name: '', password: '' }]) {
        const answer = await login(fields)
        assert.equal(answer.status, 401)
        assert.equal(answer.headers.get('set-cookie'), null)
        // what was typed as the name stands there again
        texts.push((await answer.text()).replace(/(id="name" name="name" value)="[^"]*"/, '$1'))
      }
      assert.equal(new Set(texts).size, 1)
    })

    it('is refused from another site, or as anything but a form', async () => {
      const foreign: Record<string, string>[] = [
        { origin: 'http://evil.example' },
        { origin: 'null', 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
        { origin: 'http://localhost:3000' },
      ]
      for (const headers of foreign)
        assert.equal((await login({}, headers)).status, 403, JSON.stringify(headers))
      assert.equal((await login({}, { 'content-type': 'text/plain' })).status, 415)
      assert.equal((await login({}, { 'content-type': 'multipart/form-data; boundary=x' })).status, 415)
      assert.equal((await login({ password: 'x'.repeat(70_000) })).status, 413)
    })

    it('can be tried five times a minute, and a right one sets the count back', async () => {
      for (let count = 0; count < 4; count++) assert.equal((await login({ password: 'wrong' })).status, 401)
      assert.equal((await login()).status, 303)
      for (let count = 0; count < 5; count++) assert.equal((await login({ password: 'wrong' })).status, 401)
      const refused = await login()
      assert.equal(refused.status, 429)
      assert.equal(refused.headers.get('retry-after'), '60')
      now += 60_000
      assert.equal((await login()).status, 303)
    })

    it('ends with the logout, at once and for a copied cookie too', async () => {
      const { cookie, token } = await enter()
      const answer = await post('/logout', { token }, { cookie })
      assert.equal(answer.headers.get('location'), '/login')
      assert.match(answer.headers.get('set-cookie') ?? '', /^madhava_session=; Max-Age=0/)
      assert.equal((await get('/', { cookie })).headers.get('location'), '/login')
    })

    it('does not end with a logout whose token is missing or that of another session', async () => {
      const [{ cookie }, other] = [await enter(), await enter()]
      for (const form of [{}, { token: '' }, { token: other.token }]) {
        assert.equal((await post('/logout', form, { cookie })).status, 403, JSON.stringify(form))
        assert.equal((await get('/', { cookie })).status, 200)
      }
    })

    it('ends after twelve hours; a forged or foreign cookie is none', async () => {
      const { cookie } = await enter()
      for (const wrong of [`${cookie}x`, 'madhava_session=v1.zzzzzzzz.x.y', 'madhava_session=', 'other=1'])
        assert.equal((await get('/', { cookie: wrong })).status, 303, wrong)
      assert.equal((await get('/', { cookie })).status, 200)
      now += SESSION_LIFETIME_MS
      assert.equal((await get('/', { cookie })).status, 303)
    })
  })

  describe('a page', () => {
    it('is one document for every address of a page, and for one that is none', async () => {
      const { cookie } = await enter()
      for (const { path: where } of PAGES) {
        const answer = await get(where.replace(/:\w+/, 'x'), { cookie })
        assert.equal(answer.status, 200, where)
        assert.equal(answer.headers.get('cache-control'), 'no-store')
        assert.match(await answer.text(), /<div id="app">/)
      }
      const missing = await get('/nothing/here', { cookie })
      assert.equal(missing.status, 404)
      assert.match(await missing.text(), /<div id="app">/)
      assert.equal((await get('/nothing', { cookie, accept: 'application/json' })).status, 404)
      const dark = await get('/', { cookie: `${cookie}; theme=dark; language=ru` })
      assert.match(await dark.text(), /<html lang="ru" data-theme="dark" data-may="tasks\.look [a-z. ]+">/)
    })

    it('learns who reads it and which installation it is', async () => {
      const { cookie, token } = await enter()
      assert.deepEqual(await (await get('/me.json', { cookie })).json(), {
        name: 'operator',
        account: 'operator',
        role: 'admin',
        may: [...DEEDS],
        scopes: ['read', 'submit', 'operate', 'admin'],
        isBuiltIn: true,
        csrf: token,
        sessionEndsAt: new Date(now + SESSION_LIFETIME_MS).toISOString(),
        installation: INSTALLATION,
      })
    })
  })

  describe('the task API', () => {
    it('answers under /api to who is logged in, as whom tasks are submitted', async () => {
      const session = await enter()
      const made = await change('/api/tasks', session, {
        body: { kind: 'echo', params: 'x'.repeat(100_000) },
      })
      assert.equal(made.status, 202)
      const { id, owner } = (await made.json()) as { id: string; owner: string }
      assert.equal(owner, 'operator')
      const { cookie } = session
      assert.equal((await get(`/api/task/${id}`, { cookie })).status, 200)
      const { tasks } = (await (await get('/api/tasks?owner=operator', { cookie })).json()) as {
        tasks: object[]
      }
      assert.ok(tasks.length > 0)
      assert.equal((await get('/api/', { cookie })).status, 200)
    })

    it('changes nothing without the token of the session, from another site, or by a GET', async () => {
      const session = await enter()
      const other = await enter()
      const body = { kind: 'echo', params: 1 }
      for (const token of [undefined, '', 'x', other.token])
        assert.equal(
          (
            await change(
              '/api/tasks',
              { cookie: session.cookie, ...(token === undefined ? {} : { token }) },
              { body },
            )
          ).status,
          403,
        )
      for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }])
        assert.equal((await change('/api/tasks', session, { body, headers })).status, 403)
      for (const where of [
        '/api/calcpi/5',
        '/api/rpc',
        '/api/openapi.json',
        '/api/docs',
        '/api/nothing',
        '/apix',
      ])
        assert.equal((await get(where, { ...session, accept: 'application/json' })).status, 404, where)
    })
  })

  describe('the processes', () => {
    it('are a fault of ours, and no word of the supervisor, when anything else goes wrong', async () => {
      const { cookie } = await enter()
      for (const code of ['INTERNAL', 'STORE_UNAVAILABLE'] as const) {
        failure = new MadhavaError(code, undefined, { cause: 'ENOENT /secret' })
        const answer = await get('/processes.json', { cookie })
        assert.equal(answer.status, code === 'INTERNAL' ? 500 : 503)
        assert.doesNotMatch(await answer.text(), /supervisor|secret/)
      }
    })

    it('are not shown when the supervisor is away; the answer says so', async () => {
      const { cookie } = await enter()
      failure = new MadhavaError('SUPERVISOR_UNAVAILABLE', undefined, { cause: 'ENOENT /secret/rpc.sock' })
      const problem = await get('/processes.json', { cookie })
      assert.equal(problem.status, 503)
      const text = await problem.text()
      assert.match(text, /"code":"SUPERVISOR_UNAVAILABLE"/)
      assert.doesNotMatch(text, /secret/)
    })

    it('come as JSON with whitelisted fields', async () => {
      const { cookie } = await enter()
      const body = (await (await get('/processes.json', { cookie })).json()) as Record<string, unknown>
      assert.deepEqual(Object.keys(body), ['processes', 'summary'])
      assert.equal(body.summary, '2 of 3 online')
      const [first] = body.processes as Record<string, unknown>[]
      assert.deepEqual(Object.keys(first ?? {}).sort(), [
        'can',
        'cells',
        'cpuPercent',
        'isDashboard',
        'memoryBytes',
        'name',
        'pid',
        'pmId',
        'restarts',
        'state',
        'tone',
        'uptimeMs',
      ])
    })
  })
})
