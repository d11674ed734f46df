// Accounts from their making to their end: who may make them, whose a name is, and what deleting leaves.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { Access, Registration } from '../../src/access/access.ts'
import { nameDocumentOf } from '../../src/access/name-rules.ts'
import type { Actor } from '../../src/core/actor.ts'
import { COLLECTION_NAMES } from '../../src/core/documents.ts'
import { ACCOUNT_ROLES } from '../../src/core/policy.ts'
import { allOf } from '../suites/documents.ts'
import { refused } from '../suites/store/world.ts'
import { type AccessWorld, createAccessWorld, newOrigin, OTHER_PASSWORD, PASSWORD } from './world.ts'

const NEW = { name: 'ada', password: PASSWORD, invitation: null, role: null }

let world: AccessWorld
beforeEach(() => {
  world = createAccessWorld()
})
afterEach(() => world.end())

const register = (
  more: Partial<Parameters<Access['register']>[1]> = {},
  { access = world.access, actor = world.stranger }: { access?: Access; actor?: Actor } = {},
) => access.register(actor, { ...NEW, ...more }, newOrigin())

describe('accounts', { timeout: 300_000 }, () => {
  it('are made by anybody where registration is open, and are those of users', async () => {
    const account = await register({ name: 'Ada' })
    assert.deepEqual(
      { ...account, id: '' },
      {
        id: '',
        name: 'Ada',
        role: 'user',
        createdAt: '2030-01-01T00:00:00.000Z',
        disabledAt: null,
        signIn: ['password'],
      },
    )
    const { actor } = await world.logIn('aDA')
    assert.deepEqual(
      [actor.account, actor.name, actor.scopes, actor.sees],
      [account.id, 'Ada', ['read', 'submit'], 'own-and-unowned'],
    )
  })

  it('do not share a name, however it is written', async () => {
    await register({ name: 'Ada' })
    for (const name of ['ada', 'ADA', 'Ａｄａ']) await refused(() => register({ name }), 'NAME_TAKEN')
    await register({ name: 'ada2' })
    for (const name of ['operator', 'Viewer', 'a b']) await refused(() => register({ name }), 'NAME_INVALID')
    await refused(() => register({ name: 'bob', password: 'short' }), 'PASSWORD_INVALID')
  })

  it('are made by admins alone where registration is closed, with any role, and nobody else learns of a name', async () => {
    const operator = (await world.operator()).actor
    await register({ role: 'viewer' }, { actor: operator })
    for (const registration of ['closed', 'invite'] satisfies Registration[]) {
      const access = world.open({ registration, anonymous: 'full' })
      for (const name of ['ada', 'free', 'not a name'])
        await refused(() => register({ name }, { access }), 'REGISTRATION_CLOSED')
      for (const name of ['ada', 'free'])
        await refused(() => register({ name, invitation: 'mdi_none' }, { access }), 'INVITATION_INVALID')
      await refused(
        () => register({ name: 'ada', role: 'user' }, { access, actor: access.stranger('rest') }),
        'UNAUTHORIZED',
      )
    }
    const user = await world.join('bob')
    for (const role of ACCOUNT_ROLES)
      await refused(() => register({ name: 'ada', role }, { actor: user.actor }), 'SCOPE_MISSING')
    for (const role of ACCOUNT_ROLES)
      assert.equal((await register({ name: `of-${role}`, role }, { actor: operator })).role, role)
  })

  it('are shown to admins alone, page by page, without those that were deleted', async () => {
    const { actor } = await world.operator()
    const names = ['ada', 'bob', 'cleo', 'dan', 'eve']
    for (const name of names) await register({ name, role: 'user' }, { actor })
    const all = await world.access.accounts(actor, { limit: 50, cursor: null })
    assert.deepEqual(all.items.map(({ name }) => name).sort(), [...names, 'operator'])
    assert.deepEqual(
      all.items.map(({ id }) => id),
      all.items.map(({ id }) => id).sort(),
    )
    const bob = all.items.find(({ name }) => name === 'bob')?.id ?? ''
    await world.access.deleteAccount(actor, bob)
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page: Awaited<ReturnType<Access['accounts']>> = await world.access.accounts(actor, {
        limit: 2,
        cursor,
      })
      assert.ok(page.items.length <= 2)
      seen.push(...page.items.map(({ name }) => name))
      cursor = page.next
    } while (cursor !== null)
    assert.deepEqual(seen.sort(), ['ada', 'cleo', 'dan', 'eve', 'operator'])
    await refused(() => world.access.accounts(actor, { limit: 2, cursor: '../x' }), 'BAD_CURSOR')
    const { actor: user } = await world.logIn('ada')
    await refused(() => world.access.accounts(user, { limit: 2, cursor: null }), 'SCOPE_MISSING')
    await refused(() => world.access.accounts(world.stranger, { limit: 2, cursor: null }), 'UNAUTHORIZED')
  })

  it('are changed by admins alone: role, password, disabled and back', async () => {
    const { actor: admin } = await world.operator()
    const { account, token, actor } = await world.join('ada')
    const { access } = world
    for (const who of [actor, { ...actor, scopes: ['operate'] as const }])
      await refused(() => access.changeAccount(who, account.id, { role: 'admin' }), 'SCOPE_MISSING')
    await refused(() => access.changeAccount(world.stranger, account.id, { role: 'admin' }), 'UNAUTHORIZED')
    assert.equal((await access.changeAccount(admin, account.id, { role: 'operator' })).role, 'operator')
    assert.deepEqual((await access.identify(token, 'rest')).scopes, ['read', 'submit', 'operate'])

    const { disabledAt } = await access.changeAccount(admin, account.id, { disabled: true })
    assert.equal(disabledAt, world.clock().toISOString())
    await refused(() => access.identify(token, 'rest'), 'UNAUTHORIZED')
    await refused(() => world.logIn('ada'), 'LOGIN_WRONG')
    assert.equal((await access.changeAccount(admin, account.id, { disabled: false })).disabledAt, null)
    // a session that was ended so does not come back
    await refused(() => access.identify(token, 'rest'), 'UNAUTHORIZED')
    const again = await world.logIn('ada')
    await refused(() => access.changeAccount(admin, account.id, { password: 'ada' }), 'PASSWORD_INVALID')
    await access.changeAccount(admin, account.id, { password: OTHER_PASSWORD })
    await refused(() => access.identify(again.token, 'rest'), 'UNAUTHORIZED')
    await refused(() => world.logIn('ada'), 'LOGIN_WRONG')
    await world.logIn('ada', OTHER_PASSWORD)
    for (const id of ['none', '../operator', '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f', ''])
      await refused(() => access.changeAccount(admin, id, { role: 'user' }), 'ACCOUNT_NOT_FOUND')
  })

  it('of the installation itself are neither changed nor deleted', async () => {
    const { actor } = await world.operator()
    for (const id of ['operator', 'viewer']) {
      await refused(() => world.access.changeAccount(actor, id, { disabled: true }), 'ACCOUNT_BUILT_IN')
      await refused(() => world.access.deleteAccount(actor, id), 'ACCOUNT_BUILT_IN')
    }
    const { actor: user } = await world.join('ada')
    await refused(() => world.access.deleteAccount(user, 'operator'), 'SCOPE_MISSING')
  })

  it('that are deleted end at once, leave nothing to log in with, and free their name for another id', async () => {
    const { actor: admin } = await world.operator()
    const { account, token, actor } = await world.join('ada')
    const { key } = await world.access.createKey(actor, {
      name: 'ci',
      scopes: ['read'],
      kinds: null,
      own: false,
      expiresAt: null,
    })
    const other = await world.join('bob')
    await refused(() => world.access.deleteAccount(other.actor, account.id), 'SCOPE_MISSING')
    await refused(
      () => world.access.deleteAccount({ ...actor, credential: { type: 'key', id: 'x' } }, account.id),
      'SCOPE_MISSING',
    )
    await world.access.deleteAccount(actor, account.id)
    for (const bearer of [token, key])
      await refused(() => world.access.identify(bearer, 'rest'), 'UNAUTHORIZED')
    await refused(() => world.logIn('ada'), 'LOGIN_WRONG')
    await refused(() => world.access.deleteAccount(admin, account.id), 'ACCOUNT_NOT_FOUND')
    await refused(
      () => world.access.changeAccount(admin, account.id, { disabled: false }),
      'ACCOUNT_NOT_FOUND',
    )
    const next = await world.join('ada')
    assert.notEqual(next.account.id, account.id)
    const left: string[] = []
    for (const collection of COLLECTION_NAMES)
      for (const { name, data } of await allOf(world.documents, collection))
        if (JSON.stringify({ name, data }).includes(account.id)) left.push(collection)
    assert.deepEqual(left, ['accounts'])
    assert.equal(await world.access.idOf(account.id), account.id)
  })

  it('have names for people, unless they were deleted, and are found by both', async () => {
    const [ada, bob] = [await world.join('Ada'), await world.join('bob')]
    await world.operator()
    const { access } = world
    const ids = [ada.account.id, bob.account.id, 'operator', 'viewer', 'none', '../x', '']
    assert.deepEqual(
      [...(await access.namesOf([...ids, ...ids]))],
      [
        [ada.account.id, 'Ada'],
        [bob.account.id, 'bob'],
        ['operator', 'operator'],
        ...['viewer', 'none', '../x', ''].map(id => [id, null]),
      ],
    )
    for (const [asked, id] of [
      ['ADA', ada.account.id],
      [ada.account.id, ada.account.id],
      ['operator', 'operator'],
      ['nobody-has-this', null],
      ['', null],
      ['../x', null],
    ] as const)
      assert.equal(await access.idOf(asked), id, asked)
    await access.deleteAccount(ada.actor, ada.account.id)
    world.pass(10_000)
    assert.equal((await access.namesOf([ada.account.id])).get(ada.account.id), null)
    assert.deepEqual([await access.idOf('ada'), await access.idOf(ada.account.id)], [null, ada.account.id])
  })
})

describe('a name', { timeout: 300_000 }, () => {
  /** As a process that was killed after it had claimed the name. */
  const claimedBy = (account: string, name = 'ada') =>
    world.documents.put(
      'account-names',
      nameDocumentOf(name),
      {
        version: 1,
        expiresAt: null,
        data: { account, name },
      },
      null,
    )
  const LOST = '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f'

  it('whose account never came is free after a minute, and that account can no longer come', async () => {
    await claimedBy(LOST)
    assert.equal(await world.access.idOf('ada'), null)
    world.pass(59_000)
    await refused(() => register(), 'NAME_TAKEN')
    world.pass(2_000)
    const { id } = await register()
    assert.equal(await world.access.idOf('ada'), id)
    const lost = await world.documents.get('accounts', LOST)
    assert.ok(lost?.data.deletedAt)
    const { actor } = await world.operator()
    const { items } = await world.access.accounts(actor, { limit: 10, cursor: null })
    assert.deepEqual(
      items.map(({ name }) => name),
      ['ada', 'operator'],
    )
  })

  it('whose place cannot be read stays taken', async () => {
    await world.documents.put(
      'account-names',
      nameDocumentOf('ada'),
      { version: 1, expiresAt: null, data: {} },
      null,
    )
    world.pass(3_600_000)
    await refused(() => register(), 'NAME_TAKEN')
    await refused(() => world.logIn('ada'), 'LOGIN_WRONG')
  })

  it('leads to nobody when its account has another one', async () => {
    const { account } = await world.join('bob')
    await claimedBy(account.id)
    await refused(() => world.logIn('ada'), 'LOGIN_WRONG')
    assert.equal(await world.access.idOf('ada'), null)
    assert.notEqual((await register()).id, account.id)
  })

  it('is kept for the writer whose answer was lost', async () => {
    const { put } = world.away.documents
    world.away.documents.put = async (collection, ...rest) => {
      if (collection === 'accounts') world.away.loseNextAnswer = true
      return put(collection, ...rest)
    }
    const account = await register()
    assert.equal(await world.access.idOf('ada'), account.id)
  })

  it('is free at once when the account could not be written', async () => {
    const { put } = world.away.documents
    world.away.documents.put = async (collection, ...rest) => {
      world.away.full = collection === 'accounts'
      return put(collection, ...rest).finally(() => {
        world.away.full = false
      })
    }
    await refused(() => register(), 'STORE_FULL')
    world.away.documents.put = put
    await register()
  })
})
