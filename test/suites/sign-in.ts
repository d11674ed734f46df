// What sign-in by OpenID Connect promises on every store, while several processes do it at once, and when one is killed
// between two writes: one account for each person, one person for each account, and each attempt once.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Access } from '../../src/access/access.ts'
import type { Actor } from '../../src/core/actor.ts'
import type { TaskStore } from '../../src/core/store.ts'
import { startChild } from '../support/child.ts'
import { type OddProvider, startOddProvider } from '../support/odd-provider.ts'
import { type AccessDeed, type AccessLine, oidcOf } from '../support/store-access.ts'
import { accessOf, accountsOf, later, ORIGIN, operatorOf, register } from './access.ts'
import { allOf } from './documents.ts'
import type { StoreWorld } from './store/world.ts'
import type { ProcessWorld } from './store-processes.ts'

const PROCESSES = 3

interface SignInWorld {
  provider: OddProvider
  stores: TaskStore[]
  processes: Access[]
  admin: Actor
}

/** Begins at one process; answers what ends it, at any. */
const begun = async (provider: OddProvider, at: Access): Promise<(other: Access) => Promise<Ended>> => {
  const { location, cookie } = await at.beginSignIn('rest', '/x')
  const query = provider.authorize(location)
  return other => other.endSignIn({ door: 'rest', query, cookieOf: () => cookie.value }, ORIGIN)
}

const named = (sub: string, name = sub) => ({ sub, preferred_username: name })

type Ended = Awaited<ReturnType<Access['endSignIn']>>
const isDone = <T>(outcome: PromiseSettledResult<T>): outcome is PromiseFulfilledResult<T> =>
  outcome.status === 'fulfilled'

const withProvider = async (body: (provider: OddProvider) => Promise<void>): Promise<void> => {
  const provider = await startOddProvider()
  try {
    await body(provider)
  } finally {
    await provider.close()
  }
}

export const signInSuite = (name: string, factory: () => Promise<StoreWorld>): void => {
  const promise = (title: string, body: (world: SignInWorld) => Promise<void>): void => {
    it(title, { timeout: 300_000 }, () =>
      withProvider(async provider => {
        const world = await factory()
        const opened: Access[] = []
        try {
          const stores: TaskStore[] = []
          for (let n = 0; n < PROCESSES; n += 1) stores.push(await world.open())
          const [first] = stores
          assert.ok(first)
          opened.push(...stores.map(store => accessOf(store, { oidc: oidcOf(provider.issuer) })))
          await body({ provider, stores, processes: opened, admin: await operatorOf(first) })
        } finally {
          await Promise.all(opened.map(access => access.close()))
          await world.end()
        }
      }),
    )
  }

  describe(`sign-in by OpenID Connect on ${name}`, () => {
    promise('begins at one process and ends at another, also one that began later', async world => {
      const { provider, stores, processes, admin } = world
      const [one, two] = processes
      assert.ok(one && two && stores[0])
      const end = await begun(provider, one)
      const fresh = accessOf(stores[0], { oidc: oidcOf(provider.issuer) })
      const { token, returnTo, account } = await end(fresh)
      await fresh.close()
      assert.equal(returnTo, '/x')
      assert.equal((await two.identify(token, 'rest')).account, account.id)
      assert.deepEqual(await accountsOf(two, admin), ['operator', 'user'])
    })

    promise('makes one account of a person who comes for the first time everywhere at once', async world => {
      const { provider, processes, admin } = world
      const one = processes[0] ?? assert.fail()
      for (const round of [1, 2, 3]) {
        provider.odd.claims = named(`p${round}`)
        const ends = await Promise.all([...processes, ...processes].map(access => begun(provider, access)))
        const made = await Promise.all(ends.map((end, n) => end(processes[n % PROCESSES] ?? one)))
        assert.equal(new Set(made.map(({ account }) => account.id)).size, 1)
        assert.equal((await accountsOf(one, admin)).length, round + 1)
      }
    })

    promise('gives people of one name a name each', async world => {
      const { provider, processes, admin } = world
      const one = processes[0] ?? assert.fail()
      const ends: ((at: Access) => Promise<Ended>)[] = []
      for (let n = 0; n < 4; n += 1) {
        provider.odd.claims = named(`s${n}`, 'ada')
        ends.push(await begun(provider, one))
      }
      const [registered, ...made] = await Promise.all([
        register(one, 'Ada').then(
          ({ name }) => name,
          () => 'NAME_TAKEN',
        ),
        ...ends.map((end, n) => end(processes[n % PROCESSES] ?? one)),
      ])
      assert.equal(new Set(made.map(({ account }) => account.id)).size, ends.length)
      const names = made.map(({ account }) => account.name)
      assert.equal(new Set([...names, registered].map(text => text.toLowerCase())).size, ends.length + 1)
      for (const { account } of made) assert.equal(await one.idOf(account.name), account.id)
      assert.equal(
        (await accountsOf(one, admin)).length,
        1 + ends.length + (registered === 'NAME_TAKEN' ? 0 : 1),
      )
    })

    promise('ends an attempt once, where the provider takes its code again', async world => {
      const { provider, processes } = world
      const one = processes[0] ?? assert.fail()
      provider.odd.takesCodesAgain = true
      for (let round = 0; round < 3; round += 1) {
        const end = await begun(provider, one)
        const all = await Promise.allSettled([...processes, ...processes].map(access => end(access)))
        assert.equal(all.filter(isDone).length, 1)
      }
    })

    promise('of an account that is deleted meanwhile leaves no session of it', async world => {
      const { provider, processes, admin } = world
      const [one, two, three] = [0, 1, 2].map(n => processes[n] ?? assert.fail()) as [Access, Access, Access]
      for (let round = 0; round < 3; round += 1) {
        const { account }: Ended = await (await begun(provider, one))(one)
        provider.odd.claims = { groups: [['admins'], []][round % 2] }
        const [endFirst, endSecond] = [await begun(provider, two), await begun(provider, three)]
        const [first, second] = await Promise.allSettled([
          endFirst(two),
          endSecond(three),
          one.deleteAccount(admin, account.id),
        ])
        for (const outcome of [first, second]) {
          if (!isDone(outcome)) continue
          const { token, account: got }: Ended = outcome.value
          const actor = await one.identify(token, 'rest').catch(() => null)
          assert.equal(actor?.account ?? null, got.id === account.id ? null : got.id)
        }
        assert.ok((await accountsOf(one, admin)).length <= 2)
      }
    })
  })
}

export const signInKillsSuite = (name: string, factory: () => Promise<ProcessWorld>): void => {
  describe(`sign-in by OpenID Connect on ${name}, killed between two writes`, () => {
    const promise = (
      title: string,
      body: (world: {
        provider: OddProvider
        store: TaskStore
        access: Access
        admin: Actor
        /** Signs in in a process of its own until it is killed. False: it was done before. */
        killed(writes: number): Promise<boolean>
      }) => Promise<void>,
    ): void => {
      it(title, { timeout: 600_000 }, () =>
        withProvider(async provider => {
          const world = await factory()
          try {
            const store = await world.open()
            const access = accessOf(store, { oidc: oidcOf(provider.issuer) })
            await body({
              provider,
              store,
              access,
              admin: await operatorOf(store),
              async killed(writes) {
                const deed: AccessDeed = {
                  ...{ deed: 'signIn', writes, name: '', password: '', newPassword: '' },
                  ...{ invitation: null, token: '', issuer: provider.issuer },
                }
                const place = { place: world.place, role: 'access', ...deed }
                const child = startChild<AccessLine>('store-child.ts', place)
                try {
                  const { dying } = await child.line(line => line.dying === true || line.done === true)
                  return dying === true
                } finally {
                  await child.kill()
                }
              },
            })
            await access.close()
          } finally {
            await world.end()
          }
        }),
      )
    }

    promise('leaves the person one account, under its name, whenever that was', async world => {
      const { provider, access, admin, killed, store } = world
      // what all attempts need is there
      await access.beginSignIn('rest', null)
      let writes = 0
      for (; writes < 20; writes += 1) {
        provider.odd.claims = named(`s${writes}`, `name${writes}`)
        if (!(await killed(writes))) break
        const { account, token } = await (await begun(provider, access))(access)
        assert.equal(account.name, `name${writes}`)
        assert.equal((await access.identify(token, 'rest')).account, account.id)
      }
      // the attempt, the identity, the name, the account, the session
      assert.equal(writes, 5)
      assert.equal((await accountsOf(access, admin)).length, 1 + writes + 1)
      assert.equal((await allOf(store.documents, 'identities')).length, writes + 1)
    })

    promise('frees the name for others, and the person gets another account', async world => {
      const { provider, access, admin, killed, store } = world
      await access.beginSignIn('rest', null)
      provider.odd.claims = named('s', 'ada')
      assert.equal(await killed(3), true)
      const { id } = await register(accessOf(store, { clock: later }), 'ada')
      const { account } = await (await begun(provider, access))(access)
      assert.notEqual(account.id, id)
      assert.equal(account.name, 'ada-2')
      assert.deepEqual(await accountsOf(access, admin), ['ada', 'ada-2', 'operator'])
    })
  })
}
