// The dashboard as a browser, a program and an attacker see it; with made-up processes.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { MadhavaError } from '../../src/core/errors.ts'
import type { SeenKindTrouble } from '../../src/core/kind-trouble.ts'
import { createDashboard } from '../../src/dashboard/app.ts'
import { type EndedSessions, openEndedSessions } from '../../src/dashboard/ended-sessions.ts'
import type { Operator } from '../../src/dashboard/operator.ts'
import type { ActionOutcome, Processes, ProcessRow } from '../../src/dashboard/processes.ts'
import { createSessions, SESSION_LIFETIME_MS } from '../../src/dashboard/session.ts'
import { silentLog } from '../../src/platform/log.ts'

const PASSWORD = 'correct horse'
const HOSTILE = `<script>alert('x')</script>"&/..%2f`
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

describe('the dashboard', { timeout: 120_000 }, () => {
  let kindTroubles: SeenKindTrouble[]
  let now: number
  let rows: ProcessRow[]
  let orders: string[]
  let failure: MadhavaError | null
  let result: ActionOutcome
  let folder: string
  let logFile: string | null
  let app: ReturnType<typeof createDashboard>
  // Without the hashing, which takes its time on purpose; operator.test.ts has the real one.
  const operator: Operator = {
    verify: async (name, password) => name === 'operator' && password === PASSWORD,
    credential: async () => PASSWORD,
  }

  let ended: EndedSessions
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'madhava-dashboard-'))
    ended = await openEndedSessions(folder, () => now)
  })
  after(() => rm(folder, { recursive: true, force: true }))

  beforeEach(() => {
    now = Date.UTC(2030, 0, 1)
    rows = [
      row('api', 0),
      row('worker', 1, { state: 'stopped', pid: null, uptimeMs: null }),
      row('dashboard', 2),
    ]
    orders = []
    failure = null
    kindTroubles = []
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
      processes,
      operator,
      kindTroubles: async () => kindTroubles,
      session: createSessions({ key: Buffer.alloc(32, 1), credential: operator.credential, ended, clock }),
      figures: { columns: span => ({ span, everyMs: 10_000, at: [] }) as never },
      overview: async () => ({ time: new Date(now).toISOString(), troubles: [] }) as never,
      settings: [],
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
  const login = (fields: Record<string, string> = {}, headers: Record<string, string> = {}) =>
    post('/login', { name: 'operator', password: PASSWORD, ...fields }, headers)

  /** Logs in; answers the cookie and the token of the forms. */
  const enter = async (): Promise<{ cookie: string; token: string }> => {
    const answer = await login()
    assert.equal(answer.status, 303)
    const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? ''
    const page = await (await get('/', { cookie })).text()
    const token = /name="token" value="([^"]+)"/.exec(page)?.[1] ?? ''
    assert.notEqual(token, '')
    return { cookie, token }
  }

  it('has overview, figures and settings as JSON, behind the login', async () => {
    const { cookie } = await enter()
    for (const where of ['/overview.json', '/figures.json', '/figures.json?span=week', '/settings.json']) {
      assert.equal((await get(where)).status, 401, where)
      const answer = await get(where, { cookie })
      assert.equal(answer.status, 200, where)
      assert.equal(answer.headers.get('content-type'), 'application/json', where)
    }
    const week = (await (await get('/figures.json?span=week', { cookie })).json()) as { span: string }
    assert.equal(week.span, 'week')
    assert.equal((await get('/figures.json?span=week&points=500', { cookie })).status, 200)
    for (const query of ['span=year', 'points=0', 'points=x'])
      assert.equal((await get(`/figures.json?${query}`, { cookie })).status, 400, query)
  })

  it('names the kinds that are in trouble, with the reason as text, and none when all are well', async () => {
    const { cookie } = await enter()
    assert.doesNotMatch(await (await get('/', { cookie })).text(), /in trouble/)
    kindTroubles = [{ name: 'broken', file: 'broken.ts', reason: 'no <b>luck</b>', roles: ['worker'] }]
    const page = await (await get('/', { cookie })).text()
    assert.match(
      page,
      /Kinds in trouble.*<li><b>broken<\/b> broken\.ts: no &lt;b&gt;luck&lt;\/b&gt; \(in worker\)/s,
    )
  })

  describe('before the login', () => {
    it('leads people to the login and answers programs 401, for every address that shows or does something', async () => {
      for (const where of ['/', '/processes/api/log', '/processes/api/log/out', '/processes/api/log/err']) {
        const answer = await get(where)
        assert.deepEqual([answer.status, answer.headers.get('location')], [303, '/login'], where)
      }
      const answer = await get('/processes.json')
      assert.equal(answer.status, 401)
      assert.equal(answer.headers.get('content-type'), 'application/problem+json')
      assert.equal(((await answer.json()) as { code: string }).code, 'UNAUTHORIZED')
      for (const where of ['/processes/stop', '/processes/api/stop', '/logout']) {
        assert.equal((await post(where, { token: 'x' })).status, 303, where)
        assert.equal((await post(where, { token: 'x' }, { accept: 'application/json' })).status, 401, where)
      }
      assert.deepEqual(orders, [])
    })

    it('shows nobody a route but the login and the files of the page', async () => {
      const open = app.routes.filter(({ method }) => method === 'GET' || method === 'POST')
      const answers = await Promise.all(
        open.map(async ({ method, path: where }) => {
          const place = where.replace(/:\w+/g, 'api')
          const { status, headers } = await (method === 'GET' ? get(place) : post(place, { token: 'x' }))
          const leadsAway = status === 401 || (status === 303 && headers.get('location') === '/login')
          return leadsAway ? [] : [`${method} ${where}`]
        }),
      )
      assert.deepEqual([...new Set(answers.flat())].sort(), [
        'GET /icon.svg',
        'GET /livez',
        'GET /login',
        'GET /page.js',
        'GET /style.css',
      ])
    })

    it('says that it lives, and serves the files of the page', async () => {
      assert.equal(await (await get('/livez')).text(), 'ok\n')
      for (const [where, type] of [
        ['/style.css', 'text/css'],
        ['/page.js', 'text/javascript'],
        ['/icon.svg', 'image/svg+xml'],
      ] as const) {
        const answer = await get(where)
        assert.equal(answer.status, 200)
        assert.ok(answer.headers.get('content-type')?.startsWith(type))
        assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
        assert.match(await (await get('/login')).text(), new RegExp(`"${where}\\?v=[0-9a-f]{12}"`))
      }
    })

    it('answers for its own hosts only', async () => {
      for (const host of ['localhost:9001', '127.0.0.1:9001', '[::1]:9001', 'tasks.example'])
        assert.equal((await get('/livez', { host })).status, 200, host)
      for (const host of ['evil.example', 'localhost.evil.example', 'a b'])
        for (const where of ['/livez', '/', '/login', '/nothing'])
          assert.equal((await get(where, { host })).status, 403, host)
    })

    it('gives every answer its security headers, errors too', async () => {
      for (const where of ['/', '/login', '/livez', '/nothing', '/processes.json']) {
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
        texts.push(await answer.text())
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

  describe('the table', () => {
    it('shows every process, and only buttons that can do something', async () => {
      const { cookie } = await enter()
      const page = await (await get('/', { cookie })).text()
      assert.match(page, /<caption>/)
      assert.match(page, /2 of 3 online/)
      assert.match(page, /1 min 1 s/)
      assert.match(page, /55\.0 MiB/)
      const enabled = [...page.matchAll(/aria-label="([A-Z][a-z]+ [a-z]+)"( title="[^"]+")?( disabled)?>/g)]
        .filter(match => match[3] === undefined)
        .map(match => match[1])
      assert.deepEqual(
        enabled.filter(label => /^(Start|Stop|Restart) /.test(label ?? '')),
        ['Stop api', 'Restart api', 'Start worker', 'Restart worker', 'Restart dashboard'],
      )
    })

    it('shows a hostile name and state as text, and its buttons work', async () => {
      rows = [row(HOSTILE, 0, { state: '<b>odd</b>' })]
      const { cookie, token } = await enter()
      const page = await (await get('/', { cookie })).text()
      assert.ok(!page.includes('<script>alert') && !page.includes('<b>odd'))
      assert.ok(page.includes('&lt;b&gt;odd'))
      const action = /action="(\/processes\/[^"]+\/stop)"/.exec(page)?.[1]?.replaceAll('&#39;', "'") ?? ''
      assert.equal((await post(action, { token }, { cookie })).status, 303)
      assert.deepEqual(orders, [`stop ${HOSTILE}`])
    })

    it('is a fault of ours, and no word of the supervisor, when anything else goes wrong', async () => {
      const { cookie } = await enter()
      for (const code of ['INTERNAL', 'STORE_UNAVAILABLE'] as const) {
        failure = new MadhavaError(code, undefined, { cause: 'ENOENT /secret' })
        const answer = await get('/', { cookie })
        assert.equal(answer.status, code === 'INTERNAL' ? 500 : 503)
        assert.doesNotMatch(await answer.text(), /supervisor|secret/)
      }
    })

    it('is not shown when the supervisor is away; the page says so', async () => {
      const { cookie } = await enter()
      failure = new MadhavaError('SUPERVISOR_UNAVAILABLE', undefined, { cause: 'ENOENT /secret/rpc.sock' })
      const answer = await get('/', { cookie })
      const page = await answer.text()
      assert.equal(answer.status, 503)
      assert.match(page, /The process supervisor does not answer\./)
      assert.doesNotMatch(page, /<table|secret/)
      const problem = await get('/processes.json', { cookie })
      assert.equal(problem.status, 503)
      assert.equal(((await problem.json()) as { code: string }).code, 'SUPERVISOR_UNAVAILABLE')
    })

    it('comes as JSON with whitelisted fields', async () => {
      const { cookie } = await enter()
      const body = (await (await get('/processes.json', { cookie })).json()) as Record<string, unknown>
      assert.deepEqual(Object.keys(body), ['processes', 'summary'])
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

    it('says what the last button did, and nothing that an address makes up', async () => {
      const { cookie } = await enter()
      const say = async (query: string) =>
        /role="status">([^<]*)</.exec(await (await get(`/?${query}`, { cookie })).text())?.[1] ?? null
      assert.equal(await say('did=stop&outcome=done&process=api'), 'Stopped: api.')
      assert.equal(await say('did=start&outcome=done'), 'Started: all processes.')
      assert.match((await say('did=restart&outcome=underway&process=api')) ?? '', /^Restarting: api\./)
      for (const query of [
        'did=stop&outcome=done&process=call+0900',
        'did=hack&outcome=done',
        'did=stop',
        '',
      ])
        assert.equal(await say(query), null, query)
    })
  })

  describe('a button', () => {
    it('starts, stops and restarts one process and all of them', async () => {
      const { cookie, token } = await enter()
      for (const action of ['start', 'stop', 'restart']) {
        const one = await post(`/processes/api/${action}`, { token }, { cookie })
        assert.deepEqual(
          [one.status, one.headers.get('location')],
          [303, `/?did=${action}&outcome=done&process=api`],
        )
        const all = await post(`/processes/${action}`, { token }, { cookie })
        assert.deepEqual([all.status, all.headers.get('location')], [303, `/?did=${action}&outcome=done`])
      }
      assert.deepEqual(orders, [
        'start api',
        'start all',
        'stop api',
        'stop all',
        'restart api',
        'restart all',
      ])
    })

    it('does nothing without the token of its session, or from another site', async () => {
      const { cookie, token } = await enter()
      const other = await enter()
      for (const fields of [{}, { token: '' }, { token: 'x' }, { token: other.token }] as Record<
        string,
        string
      >[])
        assert.equal((await post('/processes/api/stop', fields, { cookie })).status, 403)
      for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }])
        assert.equal((await post('/processes/stop', { token }, { cookie, ...headers })).status, 403)
      assert.equal((await get('/processes/api/stop', { cookie })).status, 404)
      assert.equal((await post('/processes/api/delete', { token }, { cookie })).status, 404)
      assert.deepEqual(orders, [])
    })

    it('says why it was refused', async () => {
      const { cookie, token } = await enter()
      failure = new MadhavaError('FORBIDDEN', 'Not <this> one')
      const answer = await post('/processes/dashboard/stop', { token }, { cookie })
      assert.equal(answer.status, 403)
      assert.match(await answer.text(), /Not &lt;this&gt; one\./)
    })

    it('answers before it restarts the dashboard', async () => {
      const { cookie, token } = await enter()
      let acted = () => {}
      const done = new Promise<void>(resolve => {
        acted = resolve
      })
      let isAnswered = false
      result = {
        outcome: 'deferred',
        act: async () => {
          assert.equal(isAnswered, true)
          acted()
        },
      }
      const answer = await post('/processes/dashboard/restart', { token }, { cookie })
      isAnswered = true
      assert.equal(answer.status, 202)
      assert.match(await answer.text(), /restarts\. This page comes back/)
      await done
    })
  })

  describe('a log', () => {
    it('is shown as text, whatever stands in it', async () => {
      logFile = path.join(folder, 'out.log')
      await writeFile(logFile, `one\n${HOSTILE}\n\u001b[31mred\u001b[0m\u0000</code></pre><img src=x>\n`)
      const { cookie } = await enter()
      for (const where of [
        '/processes/api/log/out',
        '/processes/api/log',
        '/processes/api/log?stream=err&lines=5',
      ]) {
        const page = await (await get(where, { cookie })).text()
        assert.doesNotMatch(page, /<script>|<img src=x|(?!\n)\p{Cc}/u)
        assert.ok(page.includes('red␀&lt;/code&gt;'))
        assert.ok(!page.includes(folder), 'the path of the file stays here')
      }
    })

    it('has as many lines as asked for, 1 to 1000', async () => {
      logFile = path.join(folder, 'err.log')
      await writeFile(logFile, 'one\ntwo\nthree\n')
      const { cookie } = await enter()
      const page = await (await get('/processes/api/log/err?lines=2', { cookie })).text()
      assert.match(page, /<code>two\nthree<\/code>/)
      for (const query of [
        'lines=0',
        'lines=1001',
        'lines=-1',
        'lines=x',
        'lines=1e3',
        'instance=x',
        'stream=in',
      ])
        assert.equal((await get(`/processes/api/log/err?${query}`, { cookie })).status, 400, query)
    })

    it('says so when there is none, and 404 for what does not exist', async () => {
      const { cookie } = await enter()
      assert.match(await (await get('/processes/api/log/out', { cookie })).text(), /keeps no such log/)
      for (const where of [
        '/processes/nobody/log/out',
        '/processes/api/log/in',
        '/processes/..%2f..%2f/log/out',
      ])
        assert.equal((await get(where, { cookie })).status, 404, where)
    })
  })
})
