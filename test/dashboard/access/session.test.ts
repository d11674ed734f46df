// Sessions: the key that signs them, what ends them, and what holds while the store is away.
import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import type { BuiltInLogin } from '../../../src/access/account.ts'
import { type DocumentData, documentSchema } from '../../../src/core/documents.ts'
import { isMadhavaError, MadhavaError } from '../../../src/core/errors.ts'
import { type EndedSessions, openEndedSessions } from '../../../src/dashboard/access/ended-sessions.ts'
import { createSessions, SESSION_LIFETIME_MS, type Sessions } from '../../../src/dashboard/access/session.ts'
import { ensureSessionKey } from '../../../src/dashboard/access/session-key.ts'
import { isFormToken } from '../../../src/dashboard/access/signatures.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { allOf } from '../../suites/documents.ts'
import { until } from '../../support/until.ts'
import { createLoginWorld, type LoginWorld } from './logins.ts'

const DAY_MS = 86_400_000
const unavailable = (error: unknown) => isMadhavaError(error, 'STORE_UNAVAILABLE')

let world: LoginWorld
beforeEach(() => {
  world = createLoginWorld()
})

describe('the key of the sessions', () => {
  it('is one and the same for all who race to make it, and stays', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => ensureSessionKey(world.documents)))
    const hex = new Set(keys.map(key => key.toString('hex')))
    assert.equal(hex.size, 1)
    assert.ok(hex.has((await ensureSessionKey(world.documents)).toString('hex')))
    assert.equal(keys[0]?.length, 32)
    assert.deepEqual(
      (await allOf(world.documents, 'secrets')).map(({ name }) => name),
      ['session-key'],
    )
  })

  it('is refused when the document is no key, and left as it is', async () => {
    const ofData = (data: DocumentData, version = 1) => ({ version, expiresAt: null, data })
    const good = 'A'.repeat(43)
    for (const content of [
      ofData({}),
      ofData({ key: 'short' }),
      ofData({ key: `${good}A` }),
      ofData({ key: `${good.slice(1)}+` }),
      ofData({ key: good }, 2),
    ]) {
      const { rev } = await world.documents.put('secrets', 'session-key', content, 'any')
      await assert.rejects(
        ensureSessionKey(world.documents),
        error => isMadhavaError(error, 'CONFIG_INVALID') && /bin.reset-password/.test(error.message),
      )
      assert.equal((await world.documents.get('secrets', 'session-key'))?.rev, rev)
    }
  })

  it('is not made up while the store is away', async () => {
    world.store.away = true
    await assert.rejects(ensureSessionKey(world.documents), unavailable)
  })
})

describe('a session', { timeout: 300_000 }, () => {
  let bound: string | null
  let ended: EndedSessions
  const key = Buffer.alloc(32, 7)
  const now = (): number => world.clock().getTime()
  const open = (own = key): Sessions =>
    createSessions({ key: own, credential: async () => bound, ended, clock: now, log: silentLog() })
  /** As another process, which knows nothing that is not stored. */
  const openElsewhere = (): Sessions =>
    createSessions({
      key,
      credential: async () => bound,
      ended: openEndedSessions(world.documents),
      clock: now,
      log: silentLog(),
    })
  const begin = async (): Promise<string> => {
    const cookie = await open().begin()
    assert.ok(cookie)
    return cookie
  }
  beforeEach(() => {
    bound = 'first'
    ended = openEndedSessions(world.documents)
  })

  it('is good for twelve hours, in every process with the key', async () => {
    const cookie = await begin()
    for (const sessions of [open(), openElsewhere()])
      assert.equal((await sessions.check(cookie))?.expiresAt, now() + SESSION_LIFETIME_MS)
    world.pass(SESSION_LIFETIME_MS - 1)
    assert.ok(await open().check(cookie))
    world.pass(1)
    assert.equal(await open().check(cookie), null)
  })

  it('does not outlive its twelve hours because the clock was ahead when it began', async () => {
    world.pass(30 * SESSION_LIFETIME_MS)
    const cookie = await begin()
    world.pass(-30_000)
    assert.ok(await open().check(cookie))
    world.pass(-30 * SESSION_LIFETIME_MS)
    assert.equal(await open().check(cookie), null)
  })

  it('ends with a new password, another key, and when it is ended', async () => {
    const cookie = await begin()
    const sessions = open()
    assert.equal(await open(Buffer.alloc(32, 8)).check(cookie), null)
    bound = 'second'
    assert.equal(await sessions.check(cookie), null)
    bound = null
    assert.equal(await sessions.check(cookie), null)
    assert.equal(await sessions.begin(), null)
    bound = 'first'
    assert.ok(await sessions.check(cookie))
    await sessions.end(cookie)
    assert.equal(await sessions.check(cookie), null)
  })

  it('lives over a start with the same password, and no return to an old one revives it', async () => {
    const openReal = (): Sessions => {
      const logins = { operator: world.login(), viewer: world.login('viewer') }
      return createSessions({
        key,
        credential: (role: BuiltInLogin) => logins[role].credential(),
        ended: openEndedSessions(world.documents),
        clock: now,
        log: silentLog(),
      })
    }
    await world.start({ viewer: 'battery staple' })
    const [made, viewer] = [await openReal().begin(), await openReal().begin('viewer')]
    await world.start({ operator: 'correct horse', viewer: 'battery staple' })
    const configured = await openReal().begin()
    await world.start({ operator: 'correct horse', viewer: 'battery staple' })
    assert.equal(await openReal().check(made ?? ''), null)
    assert.equal((await openReal().check(configured ?? ''))?.login, 'operator')
    assert.equal((await openReal().check(viewer ?? ''))?.login, 'viewer')
    // back to the password that was made, and to the one that was set
    await world.start({ viewer: 'battery staple' })
    for (const cookie of [made, configured]) assert.equal(await openReal().check(cookie ?? ''), null)
    await world.start({ operator: 'correct horse' })
    for (const cookie of [made, configured, viewer]) assert.equal(await openReal().check(cookie ?? ''), null)
  })

  it('that was ended stays so in every process, after a restart, and however many end after it', async () => {
    const sessions = open()
    const cookies = await Promise.all(Array.from({ length: 1_100 }, begin))
    await Promise.all(cookies.slice(0, 1_099).map(cookie => sessions.end(cookie)))
    for (const cookie of [cookies[0], cookies[1], cookies[1_098]]) {
      assert.equal(await sessions.check(cookie), null)
      assert.equal(await openElsewhere().check(cookie), null)
    }
    assert.ok(await openElsewhere().check(cookies[1_099]))
    // twice is no error
    await openElsewhere().end(cookies[0] ?? '')
  })

  it('that was ended is kept under a name that gives no access, until its cookie is of no use, and a day', async () => {
    const cookie = await begin()
    await open().end(cookie)
    const kept = await allOf(world.documents, 'ended-sessions')
    assert.equal(kept.length, 1)
    for (const document of kept) {
      documentSchema.parse(document)
      assert.match(document.name, /^[0-9a-f]{64}$/)
      assert.deepEqual(document.data, {})
      assert.ok(cookie.split('.').every(part => part === 'v1' || !JSON.stringify(document).includes(part)))
    }
    const removed = () => world.documents.removeExpired(world.clock().toISOString())
    world.pass(SESSION_LIFETIME_MS + DAY_MS - 1)
    assert.equal(await removed(), 0)
    world.pass(1)
    assert.equal(await removed(), 1)
    assert.equal(await openElsewhere().check(cookie), null)
  })

  it('with an end that no session has is ended all the same', async () => {
    const cookie = `v1.${'z'.repeat(11)}.${'A'.repeat(22)}.${'A'.repeat(43)}`
    await open().end(cookie)
    assert.equal((await allOf(world.documents, 'ended-sessions')).length, 1)
    for (const none of ['', 'v1', cookie.slice(1)]) await open().end(none)
    assert.equal((await allOf(world.documents, 'ended-sessions')).length, 1)
  })

  it('ends for this process also where that cannot be written, and says so', async () => {
    const [cookie, other] = [await begin(), await begin()]
    ended = openEndedSessions(world.documents)
    const sessions = open()
    world.store.away = true
    await assert.rejects(sessions.end(cookie), unavailable)
    assert.equal(await sessions.check(cookie), null)
    // nobody can say whether this one was ended: that is no yes
    await assert.rejects(sessions.check(other), unavailable)
    world.store.away = false
    // a look that finds nothing does not revive it
    assert.equal(await sessions.check(cookie), null)
    assert.ok(await sessions.check(other))
  })

  it('stays good while the store is away where it began or was checked before, and nowhere else', async () => {
    const cookie = await begin()
    const [here, there, elsewhere] = [open(), openElsewhere(), openElsewhere()]
    assert.ok(await there.check(cookie))
    world.store.away = true
    assert.ok(await here.check(cookie))
    assert.ok(await there.check(cookie))
    await assert.rejects(elsewhere.check(cookie), unavailable)
    // what is forged is nothing in any case, and asks nobody
    assert.equal(await elsewhere.check(`${cookie.slice(0, -1)}${cookie.endsWith('A') ? 'B' : 'A'}`), null)
    world.store.away = false
    await elsewhere.end(cookie)
    assert.equal(await there.check(cookie), null)
    world.store.away = true
    assert.equal(await there.check(cookie), null)
  })

  it('that was ended while somebody looked it up stays so, also while the store is away', async () => {
    let answer = (): void => {}
    const slow = openEndedSessions({
      ...world.documents,
      async get(...asked) {
        const found = await world.documents.get(...asked)
        // the answer of before the end comes after it
        await new Promise<void>(resolve => {
          answer = resolve
        })
        return found
      },
    })
    const name = { body: 'v1.abc.def', expiresAt: Date.now() + DAY_MS }
    const look = slow.has(name)
    await until('the look is under way', () => answer.length === 1)
    await slow.add(name)
    answer()
    assert.equal(await look, true)
    world.store.away = true
    assert.equal(await slow.has(name), true)
  })

  it('is ended where what stands in its place cannot be used', async () => {
    const cookie = await begin()
    await open().end(cookie)
    const [document] = await allOf(world.documents, 'ended-sessions')
    assert.ok(document)
    await world.documents.put('ended-sessions', document.name, { ...document, version: 99 }, 'any')
    assert.equal(await openElsewhere().check(cookie), null)
  })

  it('is refused with any character of its cookie changed, added or left out', async () => {
    const cookie = await begin()
    const sessions = open()
    // every other character, also those that stand for the same bytes at the end of a signature
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.'
    const forged = [...cookie].flatMap((character, index) => {
      const before = cookie.slice(0, index)
      const rest = cookie.slice(index + 1)
      const changed = [...alphabet].filter(other => other !== character).map(other => before + other + rest)
      return [...changed, before + rest, `${before}${character}A${rest}`]
    })
    for (const value of [...forged, '', 'v1...', 'x'.repeat(10_000), `${cookie} `, `${cookie}\n`, undefined])
      assert.equal(await sessions.check(value), null, value)
  })

  it('goes on beside a login that cannot be used, which is told once and signs nothing', async () => {
    const broken = new Set<BuiltInLogin>()
    const sessions = createSessions({
      key,
      credential: async role => {
        if (broken.has(role)) throw new MadhavaError('CONFIG_INVALID', 'It is broken')
        return role
      },
      ended,
      clock: now,
      log: world.log,
    })
    const [operator, viewer] = [await sessions.begin(), await sessions.begin('viewer')]
    const seen = async () => {
      const found = await Promise.all([operator, viewer].map(cookie => sessions.check(cookie ?? '')))
      return found.map(session => session?.login ?? null)
    }
    broken.add('operator')
    assert.deepEqual(await seen(), [null, 'viewer'])
    assert.deepEqual(await seen(), [null, 'viewer'])
    await assert.rejects(sessions.begin(), error => isMadhavaError(error, 'CONFIG_INVALID'))
    assert.deepEqual(
      world.lines().map(({ message, login }) => [message, login]),
      [['a login cannot be used', 'operator']],
    )
    broken.clear()
    assert.deepEqual(await seen(), ['operator', 'viewer'])
    broken.add('operator')
    await seen()
    assert.equal(world.lines().length, 2)
  })

  it('has form tokens of its own, that no other session accepts', async () => {
    const sessions = open()
    const [one, other] = [await sessions.check(await begin()), await sessions.check(await begin())]
    assert.ok(one && other)
    assert.ok(isFormToken(one, one.formToken))
    const twin = one.formToken.replace(/.$/, last => String.fromCharCode(last.charCodeAt(0) + 1))
    for (const token of [other.formToken, '', 'x', `${one.formToken}A`, twin])
      assert.equal(isFormToken(one, token), false)
  })
})
