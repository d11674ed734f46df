// Accounts from their making to their end: who may make them, names, roles, and what deleting leaves.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { refused } from '../suites/store/world.ts'
import { type AccessWorld, createAccessWorld, newOrigin, PASSWORD } from './world.ts'

describe('accounts', { timeout: 300_000 }, () => {
  let world: AccessWorld
  beforeEach(() => {
    world = createAccessWorld()
  })
  afterEach(() => world.end())

  const register = (
    more: Partial<{ name: string; password: string; invitation: string | null }> = {},
    { access, stranger }: Pick<AccessWorld, 'access' | 'stranger'> = world,
  ) =>
    access.register(
      stranger,
      { name: 'ada', password: PASSWORD, invitation: null, role: null, ...more },
      newOrigin(),
    )

  it('are made by anybody where registration is open, and are those of users', async () => {
    const account = await register({ name: 'Ada' })
    assert.deepEqual(
      { ...account, id: '' },
      { id: '', name: 'Ada', role: 'user', createdAt: '2030-01-01T00:00:00.000Z', disabledAt: null },
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
  })
})
