// What is left when a process is killed with SIGKILL between any two writes of what it does with accounts.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Access } from '../../src/access/access.ts'
import type { Actor } from '../../src/core/actor.ts'
import type { TaskStore } from '../../src/core/store.ts'
import { startChild } from '../support/child.ts'
import type { AccessDeed, AccessLine } from '../support/store-access.ts'
import {
  accessOf,
  accountsOf,
  later,
  logIn,
  OTHER_PASSWORD,
  operatorOf,
  PASSWORD,
  register,
} from './access.ts'
import { allOf } from './documents.ts'
import { refused } from './store/world.ts'
import type { ProcessWorld } from './store-processes.ts'

interface KillWorld {
  store: TaskStore
  access: Access
  admin: Actor
  /** Does the deed in a process of its own until it is killed. False: it was done before. */
  killed(deed: Partial<AccessDeed> & Pick<AccessDeed, 'deed' | 'writes'>): Promise<boolean>
}

export const accessKillsSuite = (name: string, factory: () => Promise<ProcessWorld>): void => {
  const promise = (title: string, body: (world: KillWorld) => Promise<void>): void => {
    it(title, { timeout: 600_000 }, async () => {
      const world = await factory()
      try {
        const store = await world.open()
        await body({
          store,
          access: accessOf(store),
          admin: await operatorOf(store),
          async killed(deed) {
            const input: AccessDeed = {
              name: 'ada',
              password: PASSWORD,
              newPassword: OTHER_PASSWORD,
              invitation: null,
              token: '',
              issuer: null,
              ...deed,
            }
            const child = startChild<AccessLine>('store-child.ts', {
              place: world.place,
              role: 'access',
              ...input,
            })
            try {
              const { dying } = await child.line(line => line.dying === true || line.done === true)
              return dying === true
            } finally {
              await child.kill()
            }
          },
        })
      } finally {
        await world.end()
      }
    })
  }

  describe(`access on ${name}, killed between two writes`, () => {
    promise('of a registration leaves a name that frees itself, or the account', async world => {
      const { access, admin, killed, store } = world
      assert.equal(await killed({ deed: 'register', writes: 0, name: 'none' }), true)
      assert.deepEqual(await allOf(store.documents, 'account-names'), [])
      assert.equal(await killed({ deed: 'register', writes: 1 }), true)
      assert.equal(await access.idOf('ada'), null)
      await refused(() => register(access, 'ada'), 'NAME_TAKEN')
      assert.deepEqual(await accountsOf(access, admin), ['operator'])
      const { id } = await register(accessOf(store, { clock: later }), 'Ada')
      assert.equal(await access.idOf('ada'), id)
      assert.equal(await killed({ deed: 'register', writes: 2, name: 'bob' }), false)
      await logIn(access, 'bob')
      assert.deepEqual(await accountsOf(access, admin), ['Ada', 'bob', 'operator'])
    })

    promise('of a registration by invitation leaves it to be used, or the account', async world => {
      const { access, admin, killed, store } = world
      const invite = () => access.invite(admin, { role: 'operator', note: null, seconds: 3_600 })
      const first = await invite()
      for (const writes of [0, 1])
        assert.equal(await killed({ deed: 'register', writes, invitation: first.invitation }), true)
      assert.deepEqual(
        (await access.invitations(admin)).map(({ id }) => id),
        [first.id],
      )
      // the same invitation, with the name that it had claimed
      const { id, role } = await register(access, 'ada', first.invitation)
      assert.equal(role, 'operator')
      assert.equal(await access.idOf('ada'), id)

      const second = await invite()
      assert.equal(
        await killed({ deed: 'register', writes: 1, invitation: second.invitation, name: 'bob' }),
        true,
      )
      // with another name: the one that it had claimed is nobody's
      await register(access, 'cleo', second.invitation)
      await register(access, 'bob')

      const third = await invite()
      assert.equal(
        await killed({ deed: 'register', writes: 2, invitation: third.invitation, name: 'dan' }),
        true,
      )
      assert.equal((await logIn(access, 'dan')).actor.scopes.includes('operate'), true)
      await refused(() => register(access, 'eve', third.invitation), 'INVITATION_INVALID')
      assert.deepEqual(await access.invitations(admin), [])
      assert.deepEqual(await allOf(store.documents, 'invitations'), [])
      assert.deepEqual(await accountsOf(access, admin), ['ada', 'bob', 'cleo', 'dan', 'operator'])
    })

    promise('of a new password leaves the old one with its sessions, or the new one', async world => {
      const { access, killed } = world
      await register(access, 'ada')
      const [first, second] = [await logIn(access, 'ada'), await logIn(access, 'ada')]
      const change = (writes: number) => killed({ deed: 'changePassword', writes, token: first.token })
      // before the first write, and behind the one that binds the session to the password that is to come
      for (const writes of [0, 1]) {
        assert.equal(await change(writes), true)
        for (const { token } of [first, second]) await access.identify(token, 'rest')
        await logIn(access, 'ada')
      }
      assert.equal(await change(2), true)
      await access.identify(first.token, 'rest')
      await refused(() => access.identify(second.token, 'rest'), 'UNAUTHORIZED')
      await refused(() => logIn(access, 'ada'), 'LOGIN_WRONG')
      await logIn(access, 'ada', OTHER_PASSWORD)
    })

    promise('of the end of an account leaves the account, or nothing that is of use', async world => {
      const { access, admin, killed, store } = world
      for (const writes of [0, 1, 2, 3]) {
        const { id } = await register(access, 'ada')
        const { actor, token } = await logIn(access, 'ada')
        const wanted = { name: 'k', scopes: ['read' as const], kinds: null, own: false, expiresAt: null }
        const { key } = await access.createKey(actor, wanted)
        assert.equal(await killed({ deed: 'delete', writes, token }), true)
        if (writes === 0) {
          for (const bearer of [token, key]) await access.identify(bearer, 'rest')
          await access.deleteAccount(admin, id)
          continue
        }
        for (const bearer of [token, key])
          await refused(() => access.identify(bearer, 'rest'), 'UNAUTHORIZED')
        await refused(() => logIn(access, 'ada'), 'LOGIN_WRONG')
        assert.deepEqual(await accountsOf(access, admin), ['operator'])
        // again removes the rest
        await refused(() => access.deleteAccount(admin, id), 'ACCOUNT_NOT_FOUND')
        for (const collection of ['account-keys', 'sessions', 'account-names'] as const)
          for (const { data } of await allOf(store.documents, collection)) assert.notEqual(data.account, id)
      }
      await register(access, 'ada')
    })
  })
}
