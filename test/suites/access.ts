// What the room access promises while several processes use it at once, on every store: names, invitations, keys and
// passwords in races.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Access, AccountView } from '../../src/access/access.ts'
import { nameDocumentOf } from '../../src/access/name-rules.ts'
import { type AccessDeps, openAccess } from '../../src/access/open.ts'
import { hashPassword } from '../../src/access/passwords.ts'
import type { Actor } from '../../src/core/actor.ts'
import type { DocumentContent } from '../../src/core/documents.ts'
import { type ErrorCode, isMadhavaError } from '../../src/core/errors.ts'
import type { TaskStore } from '../../src/core/store.ts'
import { silentLog } from '../../src/platform/log.ts'
import { allOf } from './documents.ts'
import { refused, type StoreWorld } from './store/world.ts'

export const PASSWORD = 'correct horse battery'
export const OTHER_PASSWORD = 'staple of another kind'
export const ORIGIN = { address: null, agent: null, via: 'rest' } as const
export const MINUTES_MS = 120_000

export const clock = (): Date => new Date()
/** A clock that is ahead, so that what waits for a while has waited. */
export const later = (): Date => new Date(Date.now() + MINUTES_MS)

export const accessOf = (store: TaskStore, more: Partial<AccessDeps> = {}): Access =>
  openAccess({
    documents: store.documents,
    feed: store,
    anonymous: 'none',
    registration: 'open',
    clock,
    log: silentLog(),
    // tries are not what these tests are about
    limit: { take: () => 0, takeEverywhere: async () => 0, tries: () => 0, forgive: () => {} },
    ...more,
  })

export const register = (
  access: Access,
  name: string,
  invitation: string | null = null,
): Promise<AccountView> =>
  access.register(access.stranger('rest'), { name, password: PASSWORD, invitation, role: null }, ORIGIN)

export const logIn = async (
  access: Access,
  name: string,
  password = PASSWORD,
): Promise<{ token: string; actor: Actor }> => {
  const { token } = await access.logIn({ name, password }, ORIGIN)
  return { token, actor: await access.identify(token, 'rest') }
}

/** The built-in operator with `PASSWORD`, logged in. */
export const operatorOf = async (store: TaskStore): Promise<Actor> => {
  const content: DocumentContent = {
    version: 2,
    expiresAt: null,
    data: {
      name: 'operator',
      role: 'admin',
      password: await hashPassword(PASSWORD),
      configured: null,
      changes: 1,
      createdAt: null,
      disabledAt: null,
      deletedAt: null,
    },
  }
  await store.documents.put('accounts', 'operator', content, 'any')
  return (await logIn(accessOf(store), 'operator')).actor
}

export const accountsOf = async (access: Access, admin: Actor): Promise<string[]> =>
  (await access.accounts(admin, { limit: 100, cursor: null })).items.map(({ name }) => name).sort()

const aTurn = (): Promise<void> => new Promise(resolve => void setImmediate(resolve))

/** The code of each call that failed, or what it gave. */
const outcomes = async <T>(calls: Promise<T>[]): Promise<(T | ErrorCode)[]> =>
  Promise.all(
    calls.map(call =>
      call.catch((error: unknown) => {
        if (!isMadhavaError(error)) throw error
        return error.code
      }),
    ),
  )
const isDone = <T>(outcome: T | ErrorCode): outcome is T => typeof outcome !== 'string'

export const accessSuite = (name: string, factory: () => Promise<StoreWorld>): void => {
  const promise = (
    title: string,
    body: (world: { stores: TaskStore[]; processes: Access[]; admin: Actor }) => Promise<void>,
  ): void => {
    it(title, { timeout: 300_000 }, async () => {
      const world = await factory()
      const stores: TaskStore[] = []
      for (let n = 0; n < 3; n += 1) stores.push(await world.open())
      const processes = stores.map(store => accessOf(store))
      try {
        const [first] = stores
        assert.ok(first)
        await body({ stores, processes, admin: await operatorOf(first) })
      } finally {
        await Promise.all(processes.map(access => access.close()))
        await world.end()
      }
    })
  }

  describe(`access on ${name}, several processes at once`, () => {
    promise('makes one account of a name, and says of all others that it is taken', async world => {
      const { processes, admin, stores } = world
      const [one] = processes
      assert.ok(one)
      const made = await outcomes(
        processes.flatMap(access => [register(access, 'Ada'), register(access, 'aDA')]),
      )
      assert.equal(made.filter(isDone).length, 1)
      assert.deepEqual([...new Set(made.filter(outcome => !isDone(outcome)))], ['NAME_TAKEN'])
      const names = await accountsOf(one, admin)
      assert.deepEqual(
        names.map(name => name.toLowerCase()),
        ['ada', 'operator'],
      )
      await logIn(one, 'ada')
      assert.equal((await allOf(stores[0]?.documents ?? assert.fail(), 'account-names')).length, 1)
    })

    promise('makes one account of an invitation, and leaves the names of the others free', async world => {
      const { processes, admin } = world
      const [one] = processes
      assert.ok(one)
      for (const names of [
        ['ada', 'bob', 'cleo'],
        ['dan', 'dan', 'dan'],
      ]) {
        const { invitation } = await one.invite(admin, { role: 'operator', note: null, seconds: 3_600 })
        const made: (AccountView | ErrorCode)[] = await outcomes(
          processes.map((access, n) => register(access, names[n] ?? '', invitation)),
        )
        const [winner, ...more] = made.filter(isDone)
        assert.ok(winner && more.length === 0, JSON.stringify(made))
        for (const outcome of made)
          if (!isDone(outcome)) assert.match(outcome, /^(INVITATION_INVALID|NAME_TAKEN)$/)
        assert.equal((await logIn(one, winner.name)).actor.account, winner.id)
        for (const name of new Set(names)) if (name !== winner.name) await register(one, name)
        await refused(() => register(one, 'another', invitation), 'INVITATION_INVALID')
        assert.deepEqual(await one.invitations(admin), [])
      }
      assert.deepEqual(await accountsOf(one, admin), ['ada', 'bob', 'cleo', 'dan', 'operator'])
    })

    promise('gives a lost name to one of several, and never to the one who lost it too', async world => {
      const { stores, admin } = world
      const [first, ...others] = stores
      assert.ok(first)
      let reached = () => {}
      let release = () => {}
      const isReached = new Promise<void>(resolve => {
        reached = resolve
      })
      const isReleased = new Promise<void>(resolve => {
        release = resolve
      })
      // a process that stands still between the name and the account
      const slow = accessOf(first, {
        documents: {
          ...first.documents,
          async put(collection, ...rest) {
            if (collection === 'accounts') {
              reached()
              await isReleased
            }
            return first.documents.put(collection, ...rest)
          },
        },
      })
      const stuck = outcomes([register(slow, 'ada')])
      await isReached
      const quick = others.map(store => accessOf(store, { clock: later }))
      const made = await outcomes(quick.map(access => register(access, 'ada')))
      assert.equal(made.filter(isDone).length, 1, JSON.stringify(made))
      release()
      assert.deepEqual(await stuck, ['NAME_TAKEN'])
      const access = accessOf(first)
      assert.deepEqual(await accountsOf(access, admin), ['ada', 'operator'])
      assert.equal((await logIn(access, 'ada')).actor.account, made.find(isDone)?.id)
    })

    promise(
      'never refuses the session that sets a password, however often it is asked meanwhile',
      async world => {
        const { processes } = world
        const [one] = processes
        assert.ok(one)
        await register(one, 'ada')
        const { token, actor } = await logIn(one, 'ada')
        let isOver = false
        let looks = 0
        const askOn = async (access: Access): Promise<void> => {
          while (!isOver) {
            await access.identify(token, 'rest')
            looks += 1
            await aTurn()
          }
        }
        const asking = Promise.all(processes.flatMap(access => [askOn(access), askOn(access)]))
        const changing = (async () => {
          for (let round = 0; round < 4; round += 1) {
            const [password, newPassword] =
              round % 2 === 0 ? [PASSWORD, OTHER_PASSWORD] : [OTHER_PASSWORD, PASSWORD]
            await one.changePassword(actor, { password, newPassword }, ORIGIN)
          }
        })().finally(() => {
          isOver = true
        })
        await Promise.all([asking, changing])
        assert.ok(looks > 0)
      },
    )

    promise('ends a key for all with its revocation, however much it is used', async world => {
      const [one, ...others] = world.processes
      assert.ok(one)
      for (let round = 0; round < 5; round += 1) {
        const { key, id } = await one.createKey(world.admin, {
          name: 'ci',
          scopes: ['read'],
          kinds: null,
          own: false,
          expiresAt: null,
        })
        let isRevoked = false
        let uses = 0
        const using = others.map(async access => {
          for (;;) {
            // a store in memory answers without giving others a turn
            await aTurn()
            const wasRevoked = isRevoked
            const [outcome] = await outcomes([access.identify(key, 'rest')])
            uses += 1
            if (outcome === 'UNAUTHORIZED') return
            assert.equal(wasRevoked, false, 'a key was good after it was revoked')
          }
        })
        while (uses < 4) await aTurn()
        await one.revokeKey(world.admin, id)
        isRevoked = true
        await Promise.all(using)
        await Promise.all(others.map(access => access.close()))
        for (const access of world.processes)
          await refused(() => access.identify(key, 'rest'), 'UNAUTHORIZED')
        assert.deepEqual(await one.keys(world.admin), [])
      }
    })

    promise('leaves no session of the old password when it is changed among logins', async world => {
      const [one, ...others] = world.processes
      assert.ok(one)
      await register(one, 'ada')
      const first = await logIn(one, 'ada')
      let isChanged = false
      const tokens: string[] = []
      const logins = others.map(async access => {
        while (!isChanged) {
          const [made] = await outcomes([access.logIn({ name: 'ada', password: PASSWORD }, ORIGIN)])
          if (made && isDone(made)) tokens.push(made.token)
        }
      })
      while (tokens.length < 2) await aTurn()
      await one.changePassword(first.actor, { password: PASSWORD, newPassword: OTHER_PASSWORD }, ORIGIN)
      isChanged = true
      await Promise.all(logins)
      for (const access of world.processes) {
        for (const token of tokens) await refused(() => access.identify(token, 'rest'), 'UNAUTHORIZED')
        await access.identify(first.token, 'rest')
      }
      assert.equal((await one.sessions(first.actor)).length, 1)
    })

    promise('sets one of two new passwords at once', async world => {
      const [one, two] = world.processes
      assert.ok(one && two)
      await register(one, 'ada')
      const sessions = [await logIn(one, 'ada'), await logIn(two, 'ada')]
      const wanted = [OTHER_PASSWORD, `${OTHER_PASSWORD} 2`]
      const changed = await Promise.allSettled(
        [one, two].map((access, n) =>
          access.changePassword(
            sessions[n]?.actor ?? assert.fail(),
            { password: PASSWORD, newPassword: wanted[n] ?? '' },
            ORIGIN,
          ),
        ),
      )
      const winner = changed.findIndex(({ status }) => status === 'fulfilled')
      assert.equal(changed.filter(({ status }) => status === 'fulfilled').length, 1)
      await logIn(one, 'ada', wanted[winner])
      await refused(() => logIn(one, 'ada', wanted[1 - winner]), 'LOGIN_WRONG')
      await one.identify(sessions[winner]?.token ?? '', 'rest')
      await refused(() => one.identify(sessions[1 - winner]?.token ?? '', 'rest'), 'UNAUTHORIZED')
    })

    promise('ends an account for good, whatever else is done with it at once', async world => {
      const [one, two, three] = world.processes
      assert.ok(one && two && three)
      for (let round = 0; round < 3; round += 1) {
        const { id } = await register(one, 'ada')
        const { actor, token } = await logIn(one, 'ada')
        const wanted = { name: 'k', scopes: ['read' as const], kinds: null, own: false, expiresAt: null }
        const [made, key] = await Promise.all([
          outcomes([
            logIn(two, 'ada').then(session => session.token),
            two.changePassword(actor, { password: PASSWORD, newPassword: OTHER_PASSWORD }, ORIGIN),
            three.changeAccount(world.admin, id, { role: 'admin', disabled: false }),
          ] as Promise<unknown>[]),
          outcomes([three.createKey(actor, wanted)]),
          one.deleteAccount(world.admin, id),
        ])
        const tokens = [token, ...made, ...key.map(one => (isDone(one) ? one.key : ''))]
        for (const access of world.processes)
          for (const bearer of tokens)
            await refused(() => access.identify(String(bearer), 'rest'), 'UNAUTHORIZED')
        for (const password of [PASSWORD, OTHER_PASSWORD])
          await refused(() => logIn(two, 'ada', password), 'LOGIN_WRONG')
        assert.deepEqual(await accountsOf(two, world.admin), ['operator'])
      }
    })

    promise('gives a name back at once when its account has another one', async world => {
      const [store] = world.stores
      const [one] = world.processes
      assert.ok(store && one)
      const { id } = await register(one, 'bob')
      const data = { account: id, name: 'ada' }
      await store.documents.put(
        'account-names',
        nameDocumentOf('ada'),
        { version: 1, expiresAt: null, data },
        null,
      )
      const made = await outcomes(world.processes.map(access => register(access, 'ada')))
      assert.equal(made.filter(isDone).length, 1)
      assert.deepEqual(await accountsOf(one, world.admin), ['ada', 'bob', 'operator'])
    })
  })
}
