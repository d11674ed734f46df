// What a login must not do: read on after its end, count what others do, lend itself to another origin, or seem to end
// when it does not.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { KeyView } from '../../src/access/access.ts'
import { allTasksText } from '../../src/api/all-tasks.ts'
import { MadhavaError } from '../../src/core/errors.ts'
import { createMemoryStore } from '../../src/stores/memory/open.ts'
import { refused } from '../suites/store/world.ts'
import { until } from '../support/until.ts'
import { createFixture, type Fixture, type FixtureOptions, jsonOf } from './fixture.ts'

let door: Fixture
const open = (options: FixtureOptions = {}): void => {
  door = createFixture({ anonymous: 'none', ...options })
}
beforeEach(() => open())
afterEach(() => door.close())
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const LONG = { timeout: 300_000 }

describe('a login that has ended', () => {
  it('reads no further page of a list that is under way', LONG, async () => {
    const { actor } = await door.logIn('olga', 'operator')
    for (let n = 0; n < 250; n += 1) await door.submit('echo', n)
    const options = { lines: true, sort: 'createdAt', why: false, login: door.access.watch(actor) } as const
    const chunks = allTasksText(door, actor, {}, options)
    await chunks.next()
    await door.access.logOut(actor)
    await door.submit('echo', 'made later')
    await until('the login is over', () => options.login.signal.aborted)
    await refused(async () => {
      for await (const chunk of chunks) assert.doesNotMatch(Buffer.from(chunk).toString(), /made later/)
    }, 'UNAUTHORIZED')
  })

  it('is told so when that cannot be done', LONG, async () => {
    await door.close()
    const store = createMemoryStore({ clock: () => new Date() })
    let isAway = false
    const away = () => Promise.reject(new MadhavaError('STORE_UNAVAILABLE'))
    open({
      store: {
        ...store,
        documents: {
          ...store.documents,
          get: (collection, name) => (isAway ? away() : store.documents.get(collection, name)),
        },
      },
    })
    const { token } = await door.logIn('ann', 'user')
    isAway = true
    for (const [method, path] of [
      ['DELETE', '/sessions/current'],
      ['GET', '/me'],
      ['GET', '/tasks'],
    ] as const) {
      const answer = await door.app.request(path, { method, headers: bearer(token) })
      assert.deepEqual(
        [answer.status, (await jsonOf<{ code: string }>(answer)).code],
        [503, 'STORE_UNAVAILABLE'],
      )
    }
    const live = await door.app.request('/livez', { headers: bearer(token) })
    assert.equal(live.status, 200)
    isAway = false
    assert.equal((await door.app.request('/me', { headers: bearer(token) })).status, 200)
  })
})

describe('a page of another origin that CORS_ORIGINS names', () => {
  it('shows a key, and does not borrow the login of its user', LONG, async () => {
    await door.close()
    const origin = 'https://friend.example'
    open({ corsOrigins: [origin] })
    const { token } = await door.logIn('ann', 'user')
    const from = { origin, 'sec-fetch-site': 'cross-site' }
    const cookie = { cookie: `madhava_login=${token}` }
    const submit = (headers: Record<string, string>) =>
      door.post('/tasks', { kind: 'echo', params: 1 }, headers)
    assert.equal((await submit({ ...from, ...cookie })).status, 401)
    assert.equal((await submit({ ...from, ...bearer(token) })).status, 202)
    assert.equal((await submit(cookie)).status, 202)
  })
})

describe('a person who does not see all', () => {
  it('learns nothing from cursors, which are good for nobody else', LONG, async () => {
    const [ann, bob] = [await door.logIn('ann', 'user'), await door.logIn('bob', 'user')]
    const signal = AbortSignal.timeout(120_000)
    /** Follows until it is live, and gives the cursors of what came. */
    const follow = async (actor: typeof ann.actor, since: string | null) => {
      const cursors: string[] = []
      const ids: string[] = []
      for await (const events of door.service.watchAll(actor, {}, { since, snapshot: false }, signal)) {
        for (const event of events) {
          if (event.type === 'task') ids.push(event.task.id)
          if (event.type === 'snapshot') ids.push(event.reason)
          assert.notEqual(event.type, 'place')
          if ('cursor' in event && event.cursor !== null) cursors.push(event.cursor)
        }
        if (events.some(({ type }) => type === 'live')) break
      }
      return { ids, cursor: cursors.at(-1) ?? '' }
    }
    const first = await follow(ann.actor, null)
    const plain = await door.store.cursor()
    assert.ok(!first.cursor.includes(plain) && first.cursor !== plain)
    const { task } = await door.service.submit(ann.actor, { kind: 'echo', params: 1 })
    assert.deepEqual((await follow(ann.actor, first.cursor)).ids, [task.id])
    // those of others, plain ones and junk are all unknown: what is there now comes instead
    for (const since of [(await follow(bob.actor, null)).cursor, plain, 'x', first.cursor.slice(1)])
      assert.deepEqual((await follow(ann.actor, since)).ids, ['unknown', task.id], since)
    const { actor } = await door.logIn('olga', 'operator')
    assert.deepEqual((await follow(actor, plain)).ids, [task.id])
  })

  it('is not told how many wait when no more may', LONG, async () => {
    await door.close()
    open({ maxWaiting: 5 })
    const [ann, bob] = [await door.logIn('ann', 'user'), await door.logIn('bob', 'user')]
    for (let n = 0; n < 3; n += 1) await door.service.submit(ann.actor, { kind: 'echo', params: n })
    const many = Array.from({ length: 3 }, () => ({ kind: 'echo', params: 1 }))
    const answer = await door.post('/tasks', many, bearer(bob.token))
    assert.equal(answer.status, 429)
    assert.doesNotMatch(await answer.text(), /\b3\b/)
  })
})

describe('a key', () => {
  it('that only submits counts and searches nothing', LONG, async () => {
    const { actor } = await door.logIn('ann', 'user')
    const { key } = await door.access.createKey(actor, {
      ...{ name: 'k', scopes: ['submit'], kinds: null, own: false, expiresAt: null },
    })
    const dry = await door.app.request('/tasks/cancel?q=secret&dryRun=1', {
      method: 'POST',
      headers: bearer(key),
    })
    assert.deepEqual([dry.status, (await jsonOf<{ code: string }>(dry)).code], [403, 'SCOPE_MISSING'])
  })

  it('of an admin is narrowed by nothing, and says so', LONG, async () => {
    const { actor } = await door.logIn('root', 'admin')
    for (const narrow of [{ own: true }, { kinds: ['echo'] }])
      await refused(
        () =>
          door.access.createKey(actor, {
            ...{ name: 'k', scopes: ['read', 'admin'], kinds: null, own: false, expiresAt: null },
            ...narrow,
          }),
        'BAD_REQUEST',
      )
  })

  it('is made one at a time, so that no account has more than it may', LONG, async () => {
    const { actor } = await door.logIn('ann', 'user')
    const made = await Promise.allSettled(
      Array.from({ length: 130 }, (_, n) =>
        door.access.createKey(actor, {
          ...{ name: `k${n}`, scopes: ['read'], kinds: null, own: false, expiresAt: null },
        }),
      ),
    )
    assert.equal(made.filter(({ status }) => status === 'fulfilled').length, 100)
    const listed: KeyView[] = await door.access.keys(actor)
    assert.equal(listed.length, 100)
  })

  it('makes tickets, and not without end', LONG, async () => {
    const { actor } = await door.logIn('ann', 'user')
    for (let n = 0; n < 120; n += 1) await door.access.makeTicket(actor)
    await refused(() => door.access.makeTicket(actor), 'TOO_MANY_REQUESTS')
    door.pass(61_000)
    await door.access.makeTicket(actor)
  })
})
