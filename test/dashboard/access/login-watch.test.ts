// What stays open ends with the login of a built-in one: at once where somebody logs out, by the feed everywhere else.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it, type TestContext } from 'node:test'
import type { BuiltInLogin } from '../../../src/access/account.ts'
import { createWatch } from '../../../src/access/watch.ts'
import { openEndedSessions } from '../../../src/dashboard/access/ended-sessions.ts'
import { createLoginWatches } from '../../../src/dashboard/access/login-watch.ts'
import { createSessions, SESSION_LIFETIME_MS } from '../../../src/dashboard/access/session.ts'
import { allTasksTopic } from '../../../src/dashboard/stream/task-topics.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { createFixture, type Fixture } from '../../api/fixture.ts'
import { soon } from '../../support/soon.ts'
import { until } from '../../support/until.ts'
import { createDashboardFixture, noProcesses, SAME_SITE, watchOf } from '../fixture.ts'

const KEY = Buffer.alloc(32, 1)
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

describe('what a built-in login has open', { timeout: 300_000 }, () => {
  let api: Fixture
  let credentials: Record<BuiltInLogin, string>
  let readings: number
  let passed: number
  const clock = (): Date => new Date(Date.now() + passed)
  const closings: (() => unknown)[] = []
  beforeEach(() => {
    api = createFixture({ anonymous: 'none' })
    credentials = { operator: 'one', viewer: 'two' }
    readings = 0
    passed = 0
  })
  afterEach(async () => {
    for (const close of closings.splice(0)) await close()
    await api.close()
  })
  /** The look now and then is left out: what is told here, the feed or the process itself tells. */
  const withoutLooks = (test: TestContext): void => test.mock.timers.enable({ apis: ['setInterval'] })

  /** The parts of a process that know the logins. */
  const openProcess = () => {
    const sessions = createSessions({
      key: KEY,
      credential: async login => credentials[login],
      ended: openEndedSessions(api.store.documents),
      clock: () => clock().getTime(),
      log: silentLog(),
    })
    const watching = createWatch({
      feed: {
        cursor: () => api.store.cursor(),
        async *changes(since, signal) {
          readings += 1
          try {
            yield* api.store.changes(since, signal)
          } finally {
            readings -= 1
          }
        },
      },
      clock,
    })
    closings.push(watching.close)
    const logins = createLoginWatches({ watching, sessions, credential: async login => credentials[login] })
    return { sessions, logins, watching }
  }
  const begin = async (login: BuiltInLogin): Promise<string> => {
    const cookie = await openProcess().sessions.begin(login)
    assert.ok(cookie)
    return cookie
  }
  const fires = (signal: AbortSignal) => until('the signal fires', () => signal.aborted)
  /** As a new password does: the document of the login changes. */
  const setPassword = async (login: BuiltInLogin, password: string): Promise<void> => {
    credentials[login] = password
    await api.store.documents.put('accounts', login, { version: 1, expiresAt: null, data: {} }, 'any')
  }

  it('ends in every process with the logout, and of no other session', async test => {
    withoutLooks(test)
    const [here, there] = [openProcess(), openProcess()]
    const [cookie, other, viewer] = [await begin('operator'), await begin('operator'), await begin('viewer')]
    const watches = [here, there].flatMap(({ logins }) => [
      logins.ofSession(cookie, 'operator'),
      logins.ofSession(other, 'operator'),
      logins.ofSession(viewer, 'viewer'),
      logins.ofPassword('operator', 'one'),
    ])
    await until('both read the feed', () => readings === 2)
    await here.logins.end(cookie)
    await fires(watches[0]?.signal ?? assert.fail())
    await fires(watches[4]?.signal ?? assert.fail())
    await here.logins.end(viewer)
    await fires(watches[6]?.signal ?? assert.fail())
    assert.deepEqual(
      watches.map(({ signal }) => signal.aborted),
      [true, false, true, false, true, false, true, false],
    )
    for (const { close } of watches) close()
    await until('the feed is read no more', () => readings === 0)
  })

  it('ends where somebody logs out though the store does not answer', async test => {
    withoutLooks(test)
    const { sessions, watching } = openProcess()
    const cookie = await begin('operator')
    assert.ok(await sessions.check(cookie))
    const hung = new Promise<never>(() => {})
    const ended = openEndedSessions({ ...api.store.documents, put: () => hung })
    const own = createSessions({
      key: KEY,
      credential: async () => 'one',
      ended,
      clock: () => clock().getTime(),
      log: silentLog(),
    })
    const logins = createLoginWatches({ watching, sessions: own, credential: async () => 'one' })
    const watch = logins.ofSession(cookie, 'operator')
    void logins.end(cookie)
    await fires(watch.signal)
    watch.close()
  })

  it('ends with a new password: the sessions of that login, and what shows the old one', async test => {
    withoutLooks(test)
    const { logins } = openProcess()
    const [operator, viewer] = [await begin('operator'), await begin('viewer')]
    const watches = [
      logins.ofSession(operator, 'operator'),
      logins.ofPassword('operator', 'one'),
      logins.ofSession(viewer, 'viewer'),
      logins.ofPassword('viewer', 'two'),
    ]
    await until('the feed is read', () => readings === 1)
    await setPassword('operator', 'another')
    await fires(watches[0]?.signal ?? assert.fail())
    await fires(watches[1]?.signal ?? assert.fail())
    assert.deepEqual(
      watches.map(({ signal }) => signal.aborted),
      [true, true, false, false],
    )
    await setPassword('viewer', 'another')
    for (const { signal, close } of watches) {
      await fires(signal)
      close()
    }
  })

  it('ends with the time of its session', async test => {
    test.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
    const { logins, sessions } = openProcess()
    const cookie = (await sessions.begin('viewer')) ?? assert.fail()
    const { signal, close } = logins.ofSession(cookie, 'viewer')
    for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate)
    assert.equal(signal.aborted, false)
    passed = SESSION_LIFETIME_MS + 1
    test.mock.timers.tick(SESSION_LIFETIME_MS + 1)
    for (let turn = 0; turn < 100_000 && !signal.aborted; turn += 1) await new Promise(setImmediate)
    assert.equal(signal.aborted, true)
    close()
  })

  it('is told so by its streams at every dashboard: that of a page, and those of the API behind it', async test => {
    withoutLooks(test)
    const openDoor = async () => {
      const door = await createDashboardFixture({
        processes: noProcesses(),
        access: api.access,
        api: api.app,
        topics: { tasks: allTasksTopic(api.service) },
        sessions: openProcess().sessions,
        watching: watchOf(api.store),
      })
      closings.push(door.close)
      return door
    }
    const [here, there] = [await openDoor(), await openDoor()]
    const { id } = await api.submit('echo', 1)
    for (const role of ['operator', 'viewer'] as const) {
      const { cookie, token } = await here.enter(role)
      const stays = await here.enter(role)
      const open = async (door: typeof here, path: string, shown: string) => {
        const answer = await door.get(path, { cookie: shown })
        assert.equal(answer.status, 200, path)
        return { path, reading: soon(answer.text(), path) }
      }
      const paths = ['/stream?topic=tasks:', '/api/events', `/api/task/${id}/events`]
      const streams = await Promise.all(
        [here, there].flatMap(door => paths.map(path => open(door, path, cookie))),
      )
      let isOver = false
      const other = await here.get('/api/events', { cookie: stays.cookie })
      const reader = other.body?.getReader() ?? assert.fail()
      void (async () => {
        while (!(await reader.read()).done);
        isOver = true
      })()
      const answer = await here.post('/logout', new URLSearchParams({ token }).toString(), {
        ...SAME_SITE,
        ...FORM,
        cookie,
      })
      assert.equal(answer.status, 303)
      for (const { path, reading } of streams)
        assert.match(await reading, /event: end\ndata: \{"reason":"login"\}\n\n$/, path)
      assert.equal(isOver, false)
      await reader.cancel()
    }
  })
})
