// Who may do what: the table of rights, the walk over every way in as everybody, the viewer, and programs with a
// password.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { LOGIN_COOKIE } from '../../../src/api/identify.ts'
import { describedRoutes } from '../../../src/api/openapi.ts'
import { isMadhavaError, MadhavaError } from '../../../src/core/errors.ts'
import { ACCOUNT_ROLES, type AccountRole } from '../../../src/core/policy.ts'
import { openEndedSessions } from '../../../src/dashboard/access/ended-sessions.ts'
import {
  DEED_OF_TOPIC,
  DEEDS,
  type Deed,
  deedOfMethod,
  demandRight,
  mayDo,
  type TopicName,
} from '../../../src/dashboard/access/rights.ts'
import { createSessions, SESSION_COOKIE, type Sessions } from '../../../src/dashboard/access/session.ts'
import { deedOfApi } from '../../../src/dashboard/api-mount.ts'
import type { Topics } from '../../../src/dashboard/stream/topic.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { createMemoryStore } from '../../../src/stores/memory/open.ts'
import { createFixture, type Fixture } from '../../api/fixture.ts'
import { basic, createDashboardFixture, noProcesses, PASSWORDS, SAME_SITE, whoNamed } from '../fixture.ts'

const RIGHTS: Readonly<Record<AccountRole, readonly Deed[]>> = {
  viewer: ['tasks.look', 'look', 'account'],
  user: ['tasks.look', 'tasks.change', 'account'],
  operator: ['tasks.look', 'tasks.change', 'look', 'processes.change', 'logs.clear', 'account'],
  admin: DEEDS,
}

describe('the rights', () => {
  it('are those of the roles', () => {
    for (const role of ACCOUNT_ROLES)
      assert.deepEqual(
        DEEDS.filter(deed => mayDo(whoNamed('somebody', role), deed)),
        RIGHTS[role],
        role,
      )
    for (const [role, deed, words] of [
      ['viewer', 'tasks.change', /may see everything and change nothing/],
      ['user', 'look', /sees its own tasks and nothing else/],
      ['operator', 'accounts.change', /is no admin/],
    ] as const)
      assert.throws(
        () => demandRight(whoNamed('somebody', role), deed),
        error => isMadhavaError(error, 'FORBIDDEN') && words.test(error.message),
      )
  })

  it('know each operation of the REST API: closed, or what it needs there', async () => {
    /** Who has a login already needs none of these, and the dashboard has its own. */
    const closed = [
      'GET /metrics',
      'GET /livez',
      'GET /calcpi/{n}',
      'POST /rpc',
      // the page makes its items by POST /tasks, which answers the whole record
      'POST /create_task',
      'POST /accounts',
      'POST /sessions',
      'GET /sessions/oidc',
      'GET /sessions/oidc/callback',
      'DELETE /sessions/current',
      'DELETE /me',
      'POST /ws/ticket',
      'GET /ws',
      // the dashboard has them without a login, beside those that need one
      'GET /shared/{token}',
      'GET /shared/{token}/result',
      'GET /shared/{token}/events',
      'GET /shared/{token}/artifacts/{name}',
      'GET /openapi.json',
      'GET /docs',
      'GET /docs/files/{file}',
      'GET /docs/rpc',
      'GET /docs/rpc/{file}',
    ]
    const need: Readonly<Record<string, Deed>> = {
      read: 'tasks.look',
      submit: 'tasks.change',
      // the kinds of all processes
      operate: 'processes.change',
      login: 'account',
      anyone: 'account',
      admin: 'accounts.change',
      // which processes work
      open: 'look',
    }
    const door = createFixture()
    const seen: string[] = []
    for (const { method, path, operation } of describedRoutes(door.app)) {
      const deed = deedOfApi({ method, path: path.replace(/[:{]\w+}?/g, 'a'.repeat(16)) })
      if (deed === null) seen.push(`${method} ${path}`)
      else assert.equal(deed, need[operation?.need ?? ''], `${method} ${path}`)
    }
    await door.close()
    assert.deepEqual(seen.sort(), closed.sort())
    for (const [method, path] of [
      ['GET', '/calcpi/10'],
      ['HEAD', '/calcpi/10'],
      ['POST', '/task/1'],
      ['OPTIONS', '/tasks'],
      ['get', '/tasks'],
      ['DELETE', '/sessions/current'],
      ['GET', '/tasks/'],
      ['GET', '/TASKS'],
      ['GET', '/accounts/1'],
    ] as const)
      assert.equal(deedOfApi({ method, path }), null, `${method} ${path}`)
    assert.equal(deedOfApi({ method: 'HEAD', path: '/tasks' }), 'tasks.look')
  })

  it('know which methods of XML-RPC change something', () => {
    assert.equal(deedOfMethod('supervisor.startProcess'), 'processes.change')
    assert.equal(deedOfMethod('supervisor.stopAllProcesses'), 'processes.change')
    assert.equal(deedOfMethod('supervisor.clearProcessLogs'), 'logs.clear')
    assert.equal(deedOfMethod('supervisor.getState'), 'look')
    assert.equal(deedOfMethod('system.multicall'), 'look')
  })
})

/** What each way in needs; `open`: nothing. A route that is not here fails. */
const ROUTES: Readonly<Record<string, Deed | 'open'>> = {
  'GET /livez': 'open',
  'GET /assets/:name': 'open',
  'GET /login': 'open',
  'POST /login': 'open',
  'GET /login/oidc': 'open',
  'GET /login/oidc/callback': 'open',
  'GET /register': 'open',
  'POST /register': 'open',
  'GET /shared/:token': 'open',
  'GET /api/shared/:token': 'open',
  'GET /api/shared/:token/result': 'open',
  'GET /api/shared/:token/events': 'open',
  'GET /api/shared/:token/artifacts/:name': 'open',
  'ALL /api/*': 'account',
  'GET /me.json': 'account',
  'GET /openapi.json': 'account',
  'GET /': 'look',
  'GET /tasks': 'tasks.look',
  'GET /new': 'tasks.look',
  'GET /todo': 'tasks.look',
  'GET /thumbnails': 'tasks.look',
  'GET /parse': 'tasks.look',
  'GET /dead': 'tasks.look',
  'GET /kinds': 'tasks.look',
  'GET /task/:id': 'tasks.look',
  'GET /account': 'account',
  'GET /people': 'accounts.change',
  'GET /audit': 'accounts.change',
  'GET /processes': 'look',
  'GET /workers': 'look',
  'GET /settings': 'look',
  'GET /process/:name': 'look',
  'GET /processes.json': 'look',
  'GET /overview.json': 'look',
  'GET /kinds.json': 'look',
  'GET /settings.json': 'look',
  'GET /figures.json': 'look',
  'GET /logs/:name/:file': 'look',
  'GET /logtail/:name/:channel': 'look',
  'GET /logtail/:name': 'look',
  'GET /stream': 'tasks.look',
  'POST /RPC2': 'look',
  ...Object.fromEntries(
    ['start', 'stop', 'restart'].flatMap(action =>
      ['all', ':name'].map(name => [`POST /processes/${name}/${action}`, 'processes.change' as const]),
    ),
  ),
  // what ends the login comes last
  'POST /logout': 'account',
}

const METHODS: Readonly<Record<string, Deed>> = {
  'system.listMethods': 'look',
  'system.multicall': 'look',
  ...Object.fromEntries(
    [
      ...['getAPIVersion', 'getVersion', 'getSupervisorVersion', 'getIdentification', 'getState', 'getPID'],
      ...['getAllProcessInfo', 'getProcessInfo', 'readProcessStdoutLog', 'readProcessLog'],
      ...['readProcessStderrLog', 'tailProcessStdoutLog', 'tailProcessLog', 'tailProcessStderrLog'],
    ].map(name => [`supervisor.${name}`, 'look' as const]),
  ),
  ...Object.fromEntries(
    [
      ...['startProcess', 'stopProcess', 'startProcessGroup', 'stopProcessGroup'],
      ...['startAllProcesses', 'stopAllProcesses'],
    ].map(name => [`supervisor.${name}`, 'processes.change' as const]),
  ),
  'supervisor.clearProcessLogs': 'logs.clear',
  'supervisor.clearProcessLog': 'logs.clear',
}

/** Those that tell each of what they see; every other one is for who sees all. */
const TOPICS_FOR_ALL: readonly string[] = ['tasks', 'task', 'task-log', 'dead', 'health']

describe('the walk over every way in', { timeout: 600_000 }, () => {
  let api: Fixture
  let door: Awaited<ReturnType<typeof createDashboardFixture>>
  const own = new Map<AccountRole, Record<string, string>>()
  before(async () => {
    api = createFixture()
    const topics: Topics = Object.fromEntries(
      Object.keys(DEED_OF_TOPIC).map(name => [name, async function* () {}]),
    )
    door = await createDashboardFixture({
      processes: noProcesses(),
      access: api.access,
      api: api.app,
      topics,
    })
    for (const role of ACCOUNT_ROLES) {
      const cookie = `${LOGIN_COOKIE}=${(await api.logIn(`a-${role}`, role)).token}`
      const me = (await (await door.get('/me.json', { cookie })).json()) as { csrf: string; may: Deed[] }
      assert.deepEqual(me.may, RIGHTS[role])
      own.set(role, { ...SAME_SITE, cookie, 'x-csrf-token': me.csrf, accept: 'application/json' })
    }
  })
  after(async () => {
    await door.close()
    await api.close()
  })

  const codeOf = async (answer: Response): Promise<string | null> => {
    const isProblem = answer.headers.get('content-type')?.includes('problem+json')
    return isProblem ? ((await answer.json()) as { code: string }).code : null
  }
  const callOf = (method: string): string =>
    `<methodCall><methodName>${method}</methodName><params></params></methodCall>`

  for (const role of ACCOUNT_ROLES)
    it(`lets each role do what it may, as ${role}`, async () => {
      const headers = own.get(role) ?? {}
      const routes = new Set(
        door.app.routes
          .filter(({ path, method }) => path !== '/*' && (method !== 'ALL' || path === '/api/*'))
          .map(({ method, path }) => `${method} ${path.replace('/:channel?', '')}`),
      )
      for (const route of routes) assert.ok(route in ROUTES, `nobody says what ${route} needs`)
      for (const [route, deed] of Object.entries(ROUTES)) {
        const [method = '', path = ''] = route.split(' ')
        if (method === 'ALL') continue
        const place = path.replace(/:file/, 'out.json').replace(/:\w+/g, 'api')
        const body = place === '/RPC2' ? callOf('supervisor.getState') : place === '/logout' ? '' : '{}'
        const type = ['/login', '/register', '/logout'].includes(place)
          ? { 'content-type': 'application/x-www-form-urlencoded' }
          : {}
        const answer = await (method === 'GET'
          ? door.get(place, headers)
          : door.post(place, body, { ...headers, ...type }))
        const isAllowed = deed === 'open' || RIGHTS[role].includes(deed)
        if (place === '/' && !isAllowed) {
          assert.deepEqual([answer.status, answer.headers.get('location')], [303, '/tasks'])
          continue
        }
        const code = await codeOf(answer)
        // without the token of the form
        if (place === '/logout') assert.equal(code, 'FORBIDDEN')
        else if (isAllowed) assert.ok(![401, 403].includes(answer.status) || place === '/login', route)
        else assert.equal(answer.status, 403, route)
      }
    })

  it('lets each role follow the topics that it may', async () => {
    for (const role of ACCOUNT_ROLES)
      for (const topic of Object.keys(DEED_OF_TOPIC) as TopicName[]) {
        const answer = await door.get(`/stream?topic=${topic}:x`, own.get(role))
        const isAllowed = RIGHTS[role].includes(TOPICS_FOR_ALL.includes(topic) ? 'tasks.look' : 'look')
        assert.equal(answer.status, isAllowed ? 200 : 403, `${role} ${topic}`)
        await answer.body?.cancel()
      }
    const many = await door.get('/stream?topic=tasks&topic=processes', own.get('user'))
    assert.equal(await codeOf(many), 'FORBIDDEN')
  })

  it('lets each role call the methods of XML-RPC that it may', async () => {
    const send = (method: string, role: AccountRole) => door.post('/RPC2', callOf(method), own.get(role))
    const listed = await (await send('system.listMethods', 'viewer')).text()
    const names = [...listed.matchAll(/<string>([\w.]+)<\/string>/g)].map(([, name]) => name ?? '')
    assert.deepEqual(names.sort(), Object.keys(METHODS).sort())
    for (const [name, deed] of Object.entries(METHODS))
      for (const role of ACCOUNT_ROLES)
        assert.equal((await send(name, role)).status === 403, !RIGHTS[role].includes(deed), `${role} ${name}`)
    // in one call with others too
    const inner = ['supervisor.getState', 'supervisor.startProcess'].map(
      name =>
        `<value><struct><member><name>methodName</name><value><string>${name}</string></value></member></struct></value>`,
    )
    const call = `<methodCall><methodName>system.multicall</methodName><params><param><value><array><data>${inner.join('')}</data></array></value></param></params></methodCall>`
    assert.equal((await door.post('/RPC2', call, own.get('user'))).status, 403)
    assert.match(await (await door.post('/RPC2', call, own.get('viewer'))).text(), /RUNNING.*<int>30</s)
  })

  it('lets each role do by way of the dashboard what the REST API lets it do', async () => {
    for (const role of ACCOUNT_ROLES)
      for (const [method, path] of [
        ['GET', '/tasks'],
        ['POST', '/tasks/cancel?all=1'],
        ['GET', '/readyz'],
        ['GET', '/keys'],
        ['GET', '/accounts'],
        ['GET', '/audit'],
        ['POST', '/task/none/share'],
        ['PATCH', '/task/none'],
        ['POST', '/task/none/complete'],
        ['GET', '/task/none/shares'],
        ['DELETE', '/task/none/share/none'],
        ['POST', '/invitations'],
        ['DELETE', '/accounts/none'],
        ['PATCH', '/accounts/none'],
        ['DELETE', '/invitations/none'],
      ] as const) {
        const deed = deedOfApi({ method, path: path.replace(/\?.*/, '') })
        assert.ok(deed)
        const answer = await door.app.request(`/api${path}`, {
          method,
          headers: { ...own.get(role), 'content-type': 'application/json' },
          ...(method === 'GET' ? {} : { body: '{}' }),
        })
        const isAllowed = RIGHTS[role].includes(deed)
        assert.equal(
          answer.status === 403 && (await codeOf(answer)) === 'FORBIDDEN',
          !isAllowed,
          `${role} ${path}`,
        )
      }
  })
})

describe('the viewer', { timeout: 300_000 }, () => {
  let door: Awaited<ReturnType<typeof createDashboardFixture>>
  let orders: string[]
  beforeEach(async () => {
    orders = []
    door = await createDashboardFixture({
      processes: noProcesses({
        act: async (action, name) => {
          orders.push(`${action} ${name}`)
          return { outcome: 'done' }
        },
      }),
    })
  })
  afterEach(() => door.close())

  it('logs in by a password of their own and is told what they may do', async () => {
    const { cookie } = await door.enter('viewer')
    const me = (await (await door.get('/me.json', { cookie })).json()) as Record<string, unknown>
    assert.deepEqual(
      [me.name, me.account, me.role, me.may, me.isBuiltIn],
      ['viewer', 'viewer', 'viewer', RIGHTS.viewer, true],
    )
    assert.match(String(me.sessionEndsAt), /^2030-01-01T12:00/)
    const operator = await door.enter('operator')
    const own = (await (await door.get('/me.json', { cookie: operator.cookie })).json()) as Record<
      string,
      unknown
    >
    assert.deepEqual([own.name, own.role, own.may], ['operator', 'admin', DEEDS])
    for (const [name, password] of [
      ['viewer', PASSWORDS.operator],
      ['operator', PASSWORDS.viewer],
    ] as const)
      assert.equal((await door.get('/me.json', basic(name, password))).status, 401)
  })

  it('sees the processes and the tasks, and changes none, from a page or by a program', async () => {
    const { own, cookie } = await door.enter('viewer')
    const program = basic('viewer', PASSWORDS.viewer)
    for (const headers of [{ cookie }, program])
      for (const where of ['/processes.json', '/api/readyz'])
        assert.equal((await door.get(where, headers)).status, 200, where)
    for (const headers of [own, program])
      for (const where of [
        '/processes/api/stop',
        '/processes/all/restart',
        '/api/tasks',
        '/api/tasks/cancel',
      ]) {
        const answer = await door.post(where, '{}', { ...headers, 'content-type': 'application/json' })
        assert.equal(answer.status, 403, where)
        assert.match(await answer.text(), /may see everything and change nothing/)
      }
    assert.deepEqual(orders, [])
  })

  it('is not let in where there is none', async () => {
    const alone = await createDashboardFixture({ processes: noProcesses(), viewer: null })
    assert.equal((await alone.get('/me.json', basic('viewer', PASSWORDS.viewer))).status, 401)
    await alone.close()
  })
})

describe('a program with a password', { timeout: 300_000 }, () => {
  let door: Awaited<ReturnType<typeof createDashboardFixture>>
  beforeEach(async () => {
    door = await createDashboardFixture({ processes: noProcesses() })
  })
  afterEach(() => door.close())

  it('needs no session, and its password is hashed once in a while and not at each request', async () => {
    for (let count = 0; count < 20; count++)
      assert.equal((await door.get('/me.json', basic('operator', PASSWORDS.operator))).status, 200)
    assert.equal(door.operator.checks(), 1)
    door.pass(6 * 60_000)
    assert.equal((await door.get('/me.json', basic('operator', PASSWORDS.operator))).status, 200)
    assert.equal(door.operator.checks(), 2)
    const answers = await Promise.all(
      Array.from({ length: 9 }, () => door.get('/me.json', basic('viewer', PASSWORDS.viewer))),
    )
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
    assert.equal(door.viewer.checks(), 1)
  })

  it('may try five times a minute, and nothing asks a browser for a password', async () => {
    for (let count = 0; count < 5; count++) {
      const answer = await door.get('/me.json', basic('operator', `wrong ${count}`))
      assert.deepEqual([answer.status, answer.headers.get('www-authenticate')], [401, null])
    }
    const late = await door.get('/me.json', basic('operator', PASSWORDS.operator))
    assert.deepEqual([late.status, late.headers.get('retry-after')], [429, '60'])
    door.pass(60_000)
    assert.equal((await door.get('/me.json', basic('operator', PASSWORDS.operator))).status, 200)
  })

  it('is nobody with a header that is none', async () => {
    for (const authorization of [
      '',
      'Basic',
      'Basic !!',
      'Bearer abc',
      `Basic ${'A'.repeat(5_000)}`,
      'Basic YQ==',
    ])
      assert.equal((await door.get('/me.json', { authorization })).status, 401, authorization.slice(0, 20))
  })
})

describe('who asks while the store is away', { timeout: 300_000 }, () => {
  it('is told so where nobody can say who it is, and finds the login all the same', async () => {
    const unknown = new MadhavaError('STORE_UNAVAILABLE', 'The store is away')
    const inner = createSessions({
      key: Buffer.alloc(32, 1),
      credential: async role => PASSWORDS[role],
      ended: openEndedSessions(createMemoryStore({ clock: () => new Date() }).documents),
      clock: () => Date.UTC(2030, 0, 1),
      log: silentLog(),
    })
    const sessions: Sessions = {
      ...inner,
      check: async cookie => {
        if (cookie === 'of-another-process') throw unknown
        return inner.check(cookie)
      },
    }
    const door = await createDashboardFixture({ processes: noProcesses(), sessions })
    try {
      const cookie = `${SESSION_COOKIE}=of-another-process`
      assert.equal((await door.get('/me.json', { cookie })).status, 503)
      assert.equal((await door.get('/login', { cookie })).status, 200)
      const answer = await door.post(
        '/login',
        new URLSearchParams({ name: 'operator', password: PASSWORDS.operator }).toString(),
        { ...SAME_SITE, cookie, 'content-type': 'application/x-www-form-urlencoded' },
      )
      assert.equal(answer.status, 303)
      const own = answer.headers.get('set-cookie')?.split(';')[0] ?? ''
      assert.equal((await door.get('/me.json', { cookie: own })).status, 200)
    } finally {
      await door.close()
    }
  })
})
