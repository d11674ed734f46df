// Keys: what they allow, who makes and sees them, and that none that has ended does anything.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { Access } from '../../src/access/access.ts'
import type { Actor } from '../../src/core/actor.ts'
import { SCOPES } from '../../src/core/actor.ts'
import { allOf } from '../suites/documents.ts'
import { refused } from '../suites/store/world.ts'
import { until } from '../support/until.ts'
import { type AccessWorld, createAccessWorld, newOrigin, OTHER_PASSWORD, PASSWORD } from './world.ts'

type Wanted = Parameters<Access['createKey']>[1]

describe('a key', { timeout: 300_000 }, () => {
  let world: AccessWorld
  beforeEach(() => {
    world = createAccessWorld()
  })
  afterEach(() => world.end())

  const create = (actor: Actor, more: Partial<Wanted> = {}) =>
    world.access.createKey(actor, {
      name: 'ci',
      scopes: ['read', 'submit'],
      kinds: null,
      own: false,
      expiresAt: null,
      ...more,
    })
  const identify = (key: string) => world.access.identify(key, 'rest')
  const isOver = (key: string) => refused(() => identify(key), 'UNAUTHORIZED')

  it('allows what it was made for, is shown once, and only its hash is kept', async () => {
    const { actor, account } = await world.join('ada')
    const { key, ...view } = await create(actor, {
      scopes: ['submit'],
      kinds: ['adding', 'adding'],
      own: true,
    })
    assert.deepEqual(await identify(key), {
      account: account.id,
      name: 'ada',
      via: 'rest',
      scopes: ['submit'],
      sees: 'own',
      kinds: ['adding'],
      task: null,
      address: null,
      credential: { type: 'key', id: view.id },
    })
    const [shown] = await world.access.keys(actor)
    assert.deepEqual({ ...shown, lastUsedAt: null }, view)
    const kept = JSON.stringify([await allOf(world.documents, 'account-keys'), world.lines()])
    assert.ok(!kept.includes(key.slice(21)))
    assert.deepEqual(await world.access.me(await identify(key)), {
      account,
      scopes: ['submit'],
      sees: 'own',
      kinds: ['adding'],
      credential: { type: 'key', id: view.id },
      expiresAt: null,
    })
  })

  it('has no scope that its account lacks, now or later', async () => {
    const { actor, account } = await world.join('ada')
    for (const scope of ['operate', 'admin'] as const)
      await assert.rejects(
        () => create(actor, { scopes: ['read', scope] }),
        (error: { code?: string; detail?: unknown }) => {
          assert.deepEqual([error.code, error.detail], ['SCOPE_MISSING', { scope }])
          return true
        },
      )
    const admin = (await world.operator()).actor
    const change = (role: 'admin' | 'viewer' | 'user') =>
      world.access.changeAccount(admin, account.id, { role })
    await change('admin')
    const { key } = await create(actor, { scopes: ['admin', 'read', 'submit', 'operate', 'read'] })
    assert.deepEqual((await identify(key)).scopes, SCOPES)
    await change('viewer')
    assert.deepEqual((await identify(key)).scopes, ['read'])
    await change('user')
    assert.deepEqual((await identify(key)).scopes, ['read', 'submit'])
  })

  it('makes no keys, and neither sessions nor passwords are its business', async () => {
    const { actor: admin } = await world.operator()
    const by = await identify((await create(admin, { scopes: [...SCOPES] })).key)
    const { access } = world
    for (const call of [
      () => create(by),
      () => access.sessions(by),
      () => access.endSession(by, admin.credential?.id ?? ''),
      () => access.changePassword(by, { password: PASSWORD, newPassword: OTHER_PASSWORD }, newOrigin()),
    ])
      await refused(call, 'FORBIDDEN')
    await refused(() => access.logOut(by), 'UNAUTHORIZED')
    assert.equal((await access.accounts(by, { limit: 10, cursor: null })).items.length, 1)
  })

  it('is seen and revoked by its account, and by itself; another key of it sees nothing of it', async () => {
    const [ada, bob] = [await world.join('ada'), await world.join('bob')]
    const { access } = world
    const [first, second] = [await create(ada.actor), await create(ada.actor, { name: 'second' })]
    assert.deepEqual((await access.keys(ada.actor)).map(({ name }) => name).sort(), ['ci', 'second'])
    assert.deepEqual(await access.keys(bob.actor), [])
    const by = await identify(second.key)
    assert.deepEqual(
      (await access.keys(by)).map(({ id }) => id),
      [second.id],
    )
    for (const [actor, id] of [
      [bob.actor, first.id],
      [by, first.id],
      [ada.actor, 'none'],
      [ada.actor, '../x'],
    ] as const)
      await refused(() => access.revokeKey(actor, id), 'KEY_NOT_FOUND')
    for (const call of [
      () => access.keys(world.stranger),
      () => access.revokeKey(world.stranger, first.id),
      () => create(world.stranger),
    ])
      await refused(call, 'UNAUTHORIZED')
    await access.revokeKey(by, second.id)
    await isOver(second.key)
    await access.revokeKey(ada.actor, first.id)
    await isOver(first.key)
    await refused(() => access.revokeKey(ada.actor, first.id), 'KEY_NOT_FOUND')
  })

  it('ends by the clock, also where its document is still there', async () => {
    const { actor } = await world.join('ada')
    const expiresAt = new Date(world.clock().getTime() + 60_000).toISOString()
    const { key } = await create(actor, { expiresAt })
    world.pass(59_999)
    assert.equal((await world.access.me(await identify(key))).expiresAt, expiresAt)
    world.pass(1)
    await isOver(key)
    assert.deepEqual(await world.access.keys(actor), [])
    assert.equal((await allOf(world.documents, 'account-keys')).length, 1)
  })

  it('outlives a new password, and rests while its account is disabled', async () => {
    const { actor, account } = await world.join('ada')
    const admin = (await world.operator()).actor
    const { key } = await create(actor)
    await world.access.changePassword(actor, { password: PASSWORD, newPassword: OTHER_PASSWORD }, newOrigin())
    await identify(key)
    await world.access.changeAccount(admin, account.id, { disabled: true })
    await isOver(key)
    await world.access.changeAccount(admin, account.id, { disabled: false })
    await identify(key)
  })

  it('is one of at most a hundred of its account, and is sound', async () => {
    const { actor } = await world.join('ada')
    for (let n = 0; n < 100; n += 1) await create(actor)
    await refused(() => create(actor), 'TOO_MANY_KEYS')
    const [{ id } = { id: '' }] = await world.access.keys(actor)
    await world.access.revokeKey(actor, id)
    for (const wrong of [
      { name: '' },
      { name: 'x'.repeat(101) },
      { scopes: [] },
      { kinds: [] },
      { kinds: ['Not a kind'] },
      { kinds: Array.from({ length: 101 }, () => 'adding') },
      { expiresAt: 'tomorrow' },
      { expiresAt: world.clock().toISOString() },
    ])
      await refused(() => create(actor, wrong), 'BAD_REQUEST')
    assert.equal((await world.access.keys(actor)).length, 99)
    await create(actor, { name: 'x'.repeat(100) })
  })

  it("with another secret, of another type or broken is nobody's", async () => {
    const { actor, token } = await world.join('ada')
    const { key, id } = await create(actor)
    const other = `${key.slice(0, -1)}${key.endsWith('a') ? 'b' : 'a'}`
    for (const wrong of ['', 'x', other, key.replace('mdv', 'mds'), token.replace('mds', 'mdv'), `${key} `])
      await isOver(wrong)
    await world.documents.put('account-keys', id, { version: 1, expiresAt: null, data: {} }, 'any')
    await isOver(key)
    assert.deepEqual(await world.access.keys(actor), [])
  })

  describe('that is used', () => {
    const lastUse = async (actor: Actor) => (await world.access.keys(actor))[0]?.lastUsedAt

    it('is noted at most once a minute, with all else as it was', async () => {
      const { actor } = await world.join('ada')
      const { key, ...view } = await create(actor, {
        kinds: ['adding'],
        expiresAt: '2031-01-01T00:00:00.000Z',
      })
      const first = world.clock().toISOString()
      await identify(key)
      await until('its use is noted', async () => (await lastUse(actor)) === first)
      const before = await allOf(world.documents, 'account-keys')
      world.pass(59_000)
      for (let n = 0; n < 5; n += 1) await identify(key)
      await world.access.close()
      assert.deepEqual(await allOf(world.documents, 'account-keys'), before)
      world.pass(1_000)
      const other = world.open()
      await other.identify(key, 'rest')
      // the end waits for what is still written
      await other.close()
      assert.deepEqual(await world.open().keys(actor), [{ ...view, lastUsedAt: world.clock().toISOString() }])
    })

    it('stays revoked, whenever its use is noted, and a store that is away hides nothing', async () => {
      const { actor } = await world.join('ada')
      const { key, id } = await create(actor)
      const { put } = world.away.documents
      let noted = 0
      world.away.documents.put = async (...asked) => {
        noted += 1
        await world.documents.remove('account-keys', id, 'any')
        return put(...asked)
      }
      await identify(key)
      await until('it was tried to note it', () => noted > 0)
      await isOver(key)
      assert.deepEqual(await allOf(world.documents, 'account-keys'), [])
      world.away.documents.put = async () => {
        throw new Error('away')
      }
      world.pass(120_000)
      const second = await world.open({ documents: world.documents }).createKey(actor, {
        name: 'b',
        scopes: ['read'],
        kinds: null,
        own: false,
        expiresAt: null,
      })
      for (let n = 0; n < 3; n += 1) await identify(second.key)
    })

    it('after a kill in the middle of the end of its account is removed', async () => {
      const { actor, account } = await world.join('ada')
      const { key } = await create(actor)
      world.away.documents.remove = async () => {
        throw new Error('killed')
      }
      await world.access.deleteAccount(actor, account.id)
      assert.equal((await allOf(world.documents, 'account-keys')).length, 1)
      const other = world.open({ documents: world.documents })
      await refused(() => other.identify(key, 'rest'), 'UNAUTHORIZED')
      await until('it is gone', async () => (await allOf(world.documents, 'account-keys')).length === 0)
      const admin = (await world.operator()).actor
      await refused(() => other.deleteAccount(admin, account.id), 'ACCOUNT_NOT_FOUND')
      assert.deepEqual(
        (await allOf(world.documents, 'sessions')).map(({ data }) => data.account),
        ['operator'],
      )
      assert.deepEqual(await allOf(world.documents, 'account-names'), [])
    })
  })
})
