// Who may do what: the table of rights, the viewer, and programs with a password.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { describedRoutes } from '../../../src/api/openapi.ts'
import { isMadhavaError, MadhavaError } from '../../../src/core/errors.ts'
import { openEndedSessions } from '../../../src/dashboard/access/ended-sessions.ts'
import { DEEDS, deedOfApi, deedOfMethod, demandRight, mayDo } from '../../../src/dashboard/access/rights.ts'
import { createSessions, SESSION_COOKIE, type Sessions } from '../../../src/dashboard/access/session.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { createMemoryStore } from '../../../src/stores/memory/open.ts'
import { createFixture } from '../../api/fixture.ts'
import { basic, createDashboardFixture, noProcesses, PASSWORDS, SAME_SITE } from '../fixture.ts'

const OPERATOR = { name: 'operator', role: 'operator' } as const
const VIEWER = { name: 'viewer', role: 'viewer' } as const

describe('the rights', () => {
  it('are all for the operator, and looking alone for the viewer', () => {
    for (const deed of DEEDS) {
      assert.equal(mayDo(OPERATOR, deed), true)
      assert.equal(mayDo(VIEWER, deed), deed === 'look')
    }
    assert.throws(
      () => demandRight(VIEWER, 'tasks.change'),
      error => isMadhavaError(error, 'FORBIDDEN'),
    )
    demandRight(VIEWER, 'look')
  })

  it('take every request to the REST API that makes or changes something for a change', async () => {
    const door = createFixture()
    try {
      for (const { method, path: where, operation } of describedRoutes(door.app)) {
        const changes = method !== 'GET' || operation?.creates === true
        assert.equal(deedOfApi({ method, path: where }), changes ? 'tasks.change' : 'look', where)
      }
    } finally {
      await door.close()
    }
    for (const where of ['/calcpi/10', '/%63alcpi/10', '/CALCPI'])
      assert.equal(deedOfApi({ method: 'GET', path: where }), 'tasks.change', where)
    assert.equal(deedOfApi({ method: 'get', path: '/%zz' }), 'look')
  })

  it('know which methods of XML-RPC change something', () => {
    assert.equal(deedOfMethod('supervisor.startProcess'), 'processes.change')
    assert.equal(deedOfMethod('supervisor.stopAllProcesses'), 'processes.change')
    assert.equal(deedOfMethod('supervisor.clearProcessLogs'), 'logs.clear')
    assert.equal(deedOfMethod('supervisor.getState'), 'look')
    assert.equal(deedOfMethod('system.multicall'), 'look')
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
    assert.deepEqual([me.name, me.role, me.may], ['viewer', 'viewer', ['look']])
    assert.match(String(me.sessionEndsAt), /^2030-01-01T12:00/)
    const operator = await door.enter('operator')
    const own = (await (await door.get('/me.json', { cookie: operator.cookie })).json()) as Record<
      string,
      unknown
    >
    assert.deepEqual([own.name, own.may], ['operator', DEEDS])
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
    const session: Sessions = {
      ...inner,
      check: async cookie => {
        if (cookie === 'of-another-process') throw unknown
        return inner.check(cookie)
      },
    }
    const door = await createDashboardFixture({ processes: noProcesses(), session })
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
