// Guessing names: a login costs the same whoever is meant. Counted in work, since a clock on a busy machine proves
// nothing: each try derives one hash, at one price.
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { after, afterEach, before, beforeEach, describe, it, mock } from 'node:test'
import { refused } from '../suites/store/world.ts'
import { type AccessWorld, createAccessWorld, newOrigin, OTHER_PASSWORD, PASSWORD } from './world.ts'

/** What each derivation was asked for, without password and salt. */
const derived: unknown[] = []
let world: AccessWorld
before(() => {
  const { scrypt } = crypto
  mock.method(crypto, 'scrypt', (...asked: Parameters<typeof scrypt>) => {
    const [, salt, bytes, cost] = asked
    derived.push({ salt: (salt as Buffer).length, bytes, cost })
    scrypt(...asked)
  })
  syncBuiltinESMExports()
})
after(() => {
  mock.restoreAll()
  syncBuiltinESMExports()
})
beforeEach(() => {
  world = createAccessWorld()
})
afterEach(() => world.end())

describe('a login', { timeout: 300_000 }, () => {
  it('derives one hash at one price, whether or not there is such an account, and whatever is wrong', async () => {
    const { actor } = await world.operator()
    const { account: ada } = await world.join('ada')
    const { account: bob } = await world.join('bob')
    const { account: cleo } = await world.join('cleo')
    await world.access.changeAccount(actor, bob.id, { disabled: true })
    await world.access.deleteAccount(actor, cleo.id)
    const without = await world.documents.get('accounts', ada.id)
    assert.ok(without)
    const { name: _, rev: __, ...content } = without
    const bare = { ...content, data: { ...content.data, name: 'dan', password: null } }
    await world.join('dan').then(async ({ account }) => {
      await world.documents.put('accounts', account.id, bare, 'any')
    })

    const costOf = async (name: string, password: string): Promise<unknown[]> => {
      derived.length = 0
      await refused(() => world.access.logIn({ name, password }, newOrigin()), 'LOGIN_WRONG')
      return [...derived]
    }
    const [usual, ...more] = await costOf('ada', OTHER_PASSWORD)
    assert.ok(usual && more.length === 0)
    for (const [who, name, password] of [
      ['an unknown name', 'nobody-here', PASSWORD],
      ['a disabled account with its password', 'bob', PASSWORD],
      ['a disabled account', 'bob', OTHER_PASSWORD],
      ['a deleted account', 'cleo', PASSWORD],
      ['an account without a password', 'dan', PASSWORD],
      ['a login of the installation that nobody has set up', 'viewer', PASSWORD],
      ['what can be no name', 'not a name', PASSWORD],
      ['a text that is much too long', 'x'.repeat(10_000), PASSWORD],
      ['nothing', '', ''],
      ['a password that is much too long', 'ada', 'x'.repeat(100_000)],
    ] as const)
      assert.deepEqual(await costOf(name, password), [usual], who)
    derived.length = 0
    await world.access.logIn({ name: 'ada', password: PASSWORD }, newOrigin())
    assert.deepEqual(derived, [usual], 'the right one')
  })
})
