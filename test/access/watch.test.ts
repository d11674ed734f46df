// Streams are told when what their reader has shown has ended or changed, and never otherwise.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { Access } from '../../src/access/access.ts'
import type { AccessDeps } from '../../src/access/open.ts'
import type { Actor } from '../../src/core/actor.ts'
import { MadhavaError } from '../../src/core/errors.ts'
import { until } from '../support/until.ts'
import { type AccessWorld, createAccessWorld, newOrigin, OTHER_PASSWORD, PASSWORD } from './world.ts'

describe('what a stream has shown', { timeout: 300_000 }, () => {
  let world: AccessWorld
  /** Another process, in which the stream is open. */
  let there: Access
  let readings: number
  let probes = 0
  let feed: AccessDeps['feed']
  beforeEach(() => {
    world = createAccessWorld()
    readings = 0
    feed = {
      cursor: () => world.store.cursor(),
      async *changes(since, signal) {
        readings += 1
        try {
          yield* world.store.changes(since, signal)
        } finally {
          readings -= 1
        }
      },
    }
    there = world.open({ feed })
  })
  afterEach(() => world.end())

  const fires = (signal: AbortSignal) => until('the signal fires', () => signal.aborted)
  const isRead = () => until('the feed is read', () => readings === 1)
  /** Resolves when the process has certainly seen everything that was written before. */
  const caughtUp = async (): Promise<void> => {
    probes += 1
    const probe = await world.join(`probe-${probes}`)
    const { signal, close } = there.watch(probe.actor)
    await world.access.logOut(probe.actor)
    await fires(signal)
    close()
  }
  const newKey = async (actor: Actor, more: Partial<Parameters<Access['createKey']>[1]> = {}) => {
    const wanted = { name: 'k', scopes: ['read' as const], kinds: null, own: false, expiresAt: null, ...more }
    const { key, id } = await world.access.createKey(actor, wanted)
    return { id, actor: await there.identify(key, 'rest') }
  }

  it('ends it with its logout, its key, its password and its account; those of others stay open', async () => {
    const admin = (await world.operator()).actor
    const bob = await world.join('bob')
    const others = there.watch(bob.actor)
    await isRead()
    const endings: Record<string, (who: Awaited<ReturnType<typeof world.join>>) => Promise<unknown>> = {
      'a logout': ({ actor }) => world.access.logOut(actor),
      'a session that is ended': async ({ actor }) =>
        world.access.endSession((await world.logIn(actor.name ?? '')).actor, actor.credential?.id ?? ''),
      'a new password': async ({ actor }) =>
        world.access.changePassword(
          (await world.logIn(actor.name ?? '')).actor,
          { password: PASSWORD, newPassword: OTHER_PASSWORD },
          newOrigin(),
        ),
      'an account that is deleted': ({ actor, account }) => world.access.deleteAccount(actor, account.id),
      'an account that is disabled': ({ account }) =>
        world.access.changeAccount(admin, account.id, { disabled: true }),
      'another role': ({ account }) => world.access.changeAccount(admin, account.id, { role: 'viewer' }),
    }
    for (const [n, [what, end]] of Object.entries(endings).entries()) {
      const who = await world.join(`ada${n}`)
      const { signal, close } = there.watch(who.actor)
      assert.equal(signal.aborted, false)
      await end(who)
      await until(`the signal fires for ${what}`, () => signal.aborted)
      close()
    }
    const key = await newKey(bob.actor)
    const own = there.watch(key.actor)
    await world.access.revokeKey(bob.actor, key.id)
    await fires(own.signal)
    assert.equal(others.signal.aborted, false)
    own.close()
    others.close()
  })

  it('ends it when it had ended before it was watched', async test => {
    // without the look now and then
    test.mock.timers.enable({ apis: ['setInterval'] })
    const { actor } = await world.join('ada')
    // the feed is read already, and tells of what happens from now on
    const other = there.watch((await world.join('bob')).actor)
    await isRead()
    await caughtUp()
    await world.access.logOut(actor)
    await caughtUp()
    const { signal, close } = there.watch(actor)
    await fires(signal)
    assert.equal(other.signal.aborted, false)
    close()
    other.close()
  })

  it("ends it when its time is over, by the store's clock", async test => {
    test.mock.timers.enable({ apis: ['setTimeout'] })
    const { actor } = await world.join('ada')
    const { signal, close } = there.watch(actor)
    let looks = 0
    const { get } = world.away.documents
    world.away.documents.get = async (...asked) => {
      looks += 1
      return get(...asked)
    }
    const looked = async () => {
      const before = looks
      for (let n = 0; n < 1_000 && looks < before + 2; n += 1) await new Promise(setImmediate)
    }
    await looked()
    world.pass(12 * 3_600_000 - 1)
    test.mock.timers.tick(12 * 3_600_000 - 1)
    await looked()
    assert.equal(signal.aborted, false)
    world.pass(1)
    test.mock.timers.tick(1)
    for (let n = 0; n < 100_000 && !signal.aborted; n += 1) await new Promise(setImmediate)
    assert.equal(signal.aborted, true)
    close()
  })

  it('goes on when the account changes in what does not concern it, and when a key is used', async () => {
    const admin = (await world.operator()).actor
    const { actor, account } = await world.join('ada')
    const key = await newKey(actor)
    const [session, narrow] = [there.watch(actor), there.watch(key.actor)]
    await isRead()
    await world.access.changeAccount(admin, account.id, { role: 'user' })
    // a key that only reads is not narrowed by it
    await world.access.changeAccount(admin, account.id, { role: 'user', disabled: false })
    await caughtUp()
    assert.deepEqual([session.signal.aborted, narrow.signal.aborted], [false, false])
    await world.access.changeAccount(admin, account.id, { role: 'operator' })
    await fires(session.signal)
    // it sees all now
    await fires(narrow.signal)
    for (const { close } of [session, narrow]) close()
  })

  it('costs one reading of the feed, none for strangers, and none when all streams are over', async () => {
    const { actor } = await world.join('ada')
    const bob = await world.join('bob')
    const stranger = there.watch(world.stranger)
    const dashboard = there.watch({ ...actor, credential: null })
    assert.equal(readings, 0)
    const streams = [there.watch(actor), there.watch(actor), there.watch(bob.actor)]
    await isRead()
    await caughtUp()
    assert.equal(readings, 1)
    streams[0]?.close()
    streams[2]?.close()
    await world.access.logOut(actor)
    await until('the other one fires', () => streams[1]?.signal.aborted === true)
    assert.equal(streams[0]?.signal.aborted, false)
    streams[1]?.close()
    streams[1]?.close()
    await until('the feed is read no more', () => readings === 0)
    for (const { signal, close } of [stranger, dashboard]) {
      assert.equal(signal.aborted, false)
      close()
    }
    there.watch(bob.actor)
    await isRead()
    await there.close()
    await until('the feed is read no more at the end', () => readings === 0)
  })

  it('is not taken for ended while the store is away, and is told after it', async () => {
    const { actor } = await world.join('ada')
    const bob = await world.join('bob')
    const [first, second] = [there.watch(actor), there.watch(bob.actor)]
    await isRead()
    await caughtUp()
    let failed = 0
    const { get } = world.away.documents
    world.away.documents.get = async () => {
      failed += 1
      throw new MadhavaError('STORE_UNAVAILABLE')
    }
    const session = await world.documents.get('sessions', actor.credential?.id ?? '')
    assert.ok(session)
    await world.documents.remove('sessions', session.name, 'any')
    await until('it was looked at in vain', () => failed > 0)
    assert.deepEqual([first.signal.aborted, second.signal.aborted], [false, false])
    world.away.documents.get = get
    // the look now and then
    await fires(first.signal)
    assert.equal(second.signal.aborted, false)
    for (const { close } of [first, second]) close()
  })

  it('is told also after the feed broke off', async () => {
    const { actor } = await world.join('ada')
    let begun = 0
    const { changes } = feed
    feed.changes = async function* (since, signal) {
      begun += 1
      if (begun === 1) throw new MadhavaError('CURSOR_TOO_OLD')
      if (begun === 2) return
      yield* changes(since, signal)
    }
    const { signal, close } = there.watch(actor)
    await until('the feed is read again', () => readings === 1)
    await world.access.logOut(actor)
    await fires(signal)
    close()
  })
})
