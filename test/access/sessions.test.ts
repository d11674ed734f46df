// Logins and sessions: what opens one, how long it lasts, and what ends it.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { isMadhavaError } from '../../src/core/errors.ts'
import { resetLogin } from '../../src/dashboard/access/reset-login.ts'
import { settleLogins } from '../../src/dashboard/access/settle-logins.ts'
import { allOf } from '../suites/documents.ts'
import { refused } from '../suites/store/world.ts'
import { type AccessWorld, createAccessWorld, newOrigin, OTHER_PASSWORD, PASSWORD } from './world.ts'

let world: AccessWorld
beforeEach(() => {
  world = createAccessWorld()
})
afterEach(() => world.end())

const HOUR = 3_600_000

describe('a login', { timeout: 300_000 }, () => {
  it('gives a token for twelve hours, and only its hash is kept', async () => {
    await world.join('ada')
    const origin = { address: '192.0.2.7', agent: 'x'.repeat(1_000), via: 'rest' } as const
    const { token, expiresAt, account } = await world.access.logIn(
      { name: 'Ada', password: PASSWORD },
      origin,
    )
    assert.equal(Date.parse(expiresAt) - world.clock().getTime(), 12 * HOUR)
    assert.equal(account.name, 'ada')
    const kept = JSON.stringify(await allOf(world.documents, 'sessions'))
    assert.ok(!kept.includes(token) && !kept.includes(token.slice(21)))
    assert.ok(!JSON.stringify(world.lines()).includes(token.slice(21)))
    world.pass(12 * HOUR - 1)
    assert.equal((await world.access.identify(token, 'rpc')).via, 'rpc')
    world.pass(1)
    await refused(() => world.access.identify(token, 'rest'), 'UNAUTHORIZED')
    assert.equal((await allOf(world.documents, 'sessions')).length, 2, 'its document is still there')
  })

  it('fails alike for whatever is wrong, and the log names accounts and no words that were typed', async () => {
    const { account } = await world.join('ada')
    const bob = await world.join('bob')
    const { actor } = await world.operator()
    await world.access.changeAccount(actor, account.id, { disabled: true })
    await world.access.deleteAccount(bob.actor, bob.account.id)
    const messages = new Set<string>()
    for (const [name, password] of [
      ['ada', PASSWORD],
      ['bob', PASSWORD],
      ['viewer', ''],
      ['operator', 'wrong one'],
      ['my secret words', 'x'],
      ['', ''],
      ['\u0000', PASSWORD],
      ['x'.repeat(100_000), 'y'.repeat(100_000)],
    ] as const)
      await assert.rejects(
        () => world.access.logIn({ name, password }, newOrigin()),
        error => {
          assert.ok(isMadhavaError(error, 'LOGIN_WRONG'))
          messages.add(JSON.stringify([error.message, error.detail]))
          return true
        },
      )
    assert.equal(messages.size, 1)
    const told = world.lines().filter(({ message }) => message === 'a login failed')
    assert.deepEqual(
      told.map(line => line.account),
      ['ada', null, null, 'operator', null, null, null, null],
    )
    const all = JSON.stringify(world.lines())
    for (const words of [PASSWORD, 'my secret', 'wrong one']) assert.ok(!all.includes(words), words)
  })

  it("asks the store as often for a name that is nobody's as for a wrong password", async () => {
    await world.join('ada')
    const { get } = world.away.documents
    const asked: string[] = []
    world.away.documents.get = async (collection, name) => {
      asked.push(collection)
      return get(collection, name)
    }
    for (const name of ['ada', 'bob']) {
      asked.length = 0
      await refused(() => world.logIn(name, 'wrong password'), 'LOGIN_WRONG')
      assert.deepEqual(asked, ['account-names', 'accounts'], name)
    }
  })

  it('takes a password from any keyboard', async () => {
    await world.access.register(
      world.stranger,
      { name: 'zoé', password: 'cafe\u0301 noir', invitation: null, role: null },
      newOrigin(),
    )
    await world.logIn('zoe\u0301', 'caf\u00e9 noir')
  })

  it('of a built-in account has the password that is in effect there', async () => {
    const settle = (operator: string | null) =>
      settleLogins(world.documents, {
        configured: { operator, viewer: 'look but do not touch' },
        bundle: 'one',
        isAlive: null,
        clock: world.clock,
        makeOperator: true,
        log: { error: () => {} },
      })
    const { created } = await settle(null)
    const first = await world.logIn('operator', created ?? '')
    assert.deepEqual(
      [first.actor.account, first.actor.scopes],
      ['operator', ['read', 'submit', 'operate', 'admin']],
    )
    const viewer = await world.logIn('VIEWER', 'look but do not touch')
    assert.deepEqual([viewer.actor.scopes, viewer.actor.sees], [['read'], 'all'])
    await settle('the words of a setting')
    await refused(() => world.access.identify(first.token, 'rest'), 'UNAUTHORIZED')
    await refused(() => world.logIn('operator', created ?? ''), 'LOGIN_WRONG')
    const second = await world.logIn('operator', 'the words of a setting')
    await refused(
      () =>
        world.access.changePassword(
          second.actor,
          { password: 'the words of a setting', newPassword: OTHER_PASSWORD },
          newOrigin(),
        ),
      'PASSWORD_IS_SETTING',
    )
    // a setting that is gone brings the one of its own back, and no session with it
    await settle(null)
    for (const { token } of [first, second])
      await refused(() => world.access.identify(token, 'rest'), 'UNAUTHORIZED')
    await world.logIn('operator', created ?? '')
    const isAlive = async (): Promise<boolean> => false
    const password = await resetLogin(world.documents, { place: 'here', isAlive, clock: world.clock })
    await world.logIn('operator', password)
  })

  it('is not known to a process that cannot ask the store', async () => {
    const { token } = await world.join('ada')
    world.away.away = true
    await refused(() => world.access.identify(token, 'rest'), 'STORE_UNAVAILABLE')
    await refused(() => world.logIn('ada'), 'STORE_UNAVAILABLE')
    world.away.away = false
    await world.access.identify(token, 'rest')
  })
})

describe('a session', { timeout: 300_000 }, () => {
  it('is seen and ended by its account alone', async () => {
    const [ada, bob] = [await world.join('ada'), await world.join('bob')]
    const { access } = world
    world.pass(1_000)
    const second = await world.logIn('ada')
    const seen = await access.sessions(second.actor)
    assert.deepEqual(
      seen.map(({ id, current }) => [id, current]).sort(),
      [
        [ada.actor.credential?.id, false],
        [second.actor.credential?.id, true],
      ].sort(),
    )
    const id = ada.actor.credential?.id ?? ''
    for (const [actor, other] of [
      [bob.actor, id],
      [ada.actor, 'none'],
      [ada.actor, '../x'],
    ] as const)
      await refused(() => access.endSession(actor, other), 'SESSION_NOT_FOUND')
    await access.endSession(second.actor, id)
    await refused(() => access.identify(ada.token, 'rest'), 'UNAUTHORIZED')
    await access.identify(second.token, 'rest')
    await refused(() => access.endSession(second.actor, id), 'SESSION_NOT_FOUND')
    await refused(() => access.sessions(world.stranger), 'UNAUTHORIZED')
  })

  it('is ended by its logout, and nothing else is', async () => {
    const first = await world.join('ada')
    const second = await world.logIn('ada')
    await world.access.logOut(first.actor)
    await refused(() => world.access.identify(first.token, 'rest'), 'UNAUTHORIZED')
    await world.access.identify(second.token, 'rest')
    await world.access.logOut(first.actor)
    await refused(() => world.access.logOut(world.stranger), 'UNAUTHORIZED')
  })

  it('stays when it changes the password, and all others of the account end', async () => {
    const first = await world.join('ada')
    const [second, bob] = [await world.logIn('ada'), await world.join('bob')]
    const { access } = world
    const change = (password: string, newPassword: string, actor = first.actor) =>
      access.changePassword(actor, { password, newPassword }, newOrigin())
    await refused(() => change('wrong password', OTHER_PASSWORD), 'LOGIN_WRONG')
    await refused(() => change(PASSWORD, 'short'), 'PASSWORD_INVALID')
    await refused(() => change(PASSWORD, OTHER_PASSWORD, world.stranger), 'UNAUTHORIZED')
    await refused(
      () => change(PASSWORD, OTHER_PASSWORD, { ...bob.actor, account: first.account.id }),
      'UNAUTHORIZED',
    )
    await access.identify(second.token, 'rest')
    await change(PASSWORD, OTHER_PASSWORD)
    await access.identify(first.token, 'rest')
    await access.identify(bob.token, 'rest')
    await refused(() => access.identify(second.token, 'rest'), 'UNAUTHORIZED')
    assert.deepEqual(
      (await access.sessions(first.actor)).map(({ current }) => current),
      [true],
    )
    await refused(() => world.logIn('ada'), 'LOGIN_WRONG')
    // the same words again are another password: what ended stays ended
    await change(OTHER_PASSWORD, PASSWORD)
    await refused(() => access.identify(second.token, 'rest'), 'UNAUTHORIZED')
    await refused(() => change(PASSWORD, OTHER_PASSWORD, second.actor), 'UNAUTHORIZED')
    await world.logIn('ada')
  })

  it('that was ended while it changed the password does not come back', async () => {
    const { actor, token } = await world.join('ada')
    const { put } = world.away.documents
    world.away.documents.put = async (...asked) => {
      const written = await put(...asked)
      if (asked[0] === 'accounts') await world.access.logOut(actor)
      return written
    }
    await world.access.changePassword(actor, { password: PASSWORD, newPassword: OTHER_PASSWORD }, newOrigin())
    await refused(() => world.access.identify(token, 'rest'), 'UNAUTHORIZED')
    assert.deepEqual(await allOf(world.documents, 'sessions'), [])
  })

  it('that changes the password is valid at every moment of it, also for who looks between its writes', async () => {
    const { actor, token, account } = await world.join('ada')
    const there = world.open()
    const others = (await world.logIn('ada')).token
    const { get, put } = world.away.documents
    const codeOf = (shown: string): Promise<string> =>
      there.identify(shown, 'rest').then(
        () => 'valid',
        (error: { code: string }) => error.code,
      )
    const seen: string[] = []
    // before and after each write, and where the change comes between the two reads of a look
    let isChanged = false
    world.away.documents.put = async (...asked) => {
      seen.push(await codeOf(token))
      const written = await put(...asked)
      seen.push(await codeOf(token))
      return written
    }
    await world.access.changePassword(actor, { password: PASSWORD, newPassword: OTHER_PASSWORD }, newOrigin())
    assert.deepEqual([seen.length, [...new Set(seen)]], [6, ['valid']])
    assert.equal(await codeOf(others), 'UNAUTHORIZED')
    world.away.documents.put = put
    world.away.documents.get = async (collection, name) => {
      const isLook = collection === 'accounts' && name === account.id && !isChanged
      if (isLook) {
        isChanged = true
        await world.access.changePassword(
          actor,
          { password: OTHER_PASSWORD, newPassword: PASSWORD },
          newOrigin(),
        )
      }
      return get(collection, name)
    }
    assert.equal(await codeOf(token), 'valid')
    assert.ok(isChanged)
    const [kept] = (await allOf(world.documents, 'sessions')).filter(({ name }) => token.includes(name))
    assert.equal(kept?.data.nextPassword, undefined)
  })

  it('that changes the password twice at once stays: one of the two is done, the other one comes too late', async () => {
    const ada = await world.join('ada')
    const set = (newPassword: string) =>
      world.access.changePassword(ada.actor, { password: PASSWORD, newPassword }, newOrigin())
    const passwords = [OTHER_PASSWORD, `${OTHER_PASSWORD} two`]
    const both = await Promise.allSettled(passwords.map(set))
    const done = both.findIndex(({ status }) => status === 'fulfilled')
    const late = both.find(one => one.status === 'rejected')
    assert.ok(done >= 0 && isMadhavaError(late?.reason, 'LOGIN_WRONG'), JSON.stringify(both))
    assert.equal((await world.access.identify(ada.token, 'rest')).name, 'ada')
    await world.logIn('ada', passwords[done])
  })

  it('that changes the password again before the first change has written it stays too', async () => {
    const ada = await world.join('ada')
    const { put } = world.documents
    const set = (newPassword: string) =>
      world.access.changePassword(ada.actor, { password: PASSWORD, newPassword }, newOrigin())
    let isHeld = false
    let second: Promise<unknown> = Promise.resolve()
    let free = (): void => {}
    // the first change has bound the session, and waits; the second one binds it too, and waits for the first
    world.away.documents.put = async (collection, name, ...rest) => {
      if (collection === 'accounts' && !isHeld) {
        isHeld = true
        const bound = new Promise<void>(resolve => {
          free = resolve
        })
        second = set(`${OTHER_PASSWORD} two`).catch((error: unknown) => error)
        await bound
      }
      const written = await put(collection, name, ...rest)
      if (collection === 'sessions' && isHeld) {
        free()
        free = () => {}
      }
      return written
    }
    await set(OTHER_PASSWORD)
    const told = await second
    assert.ok(isMadhavaError(told, 'LOGIN_WRONG'), String(told))
    assert.equal((await world.access.identify(ada.token, 'rest')).name, 'ada')
  })

  it('that could not set the password is bound to the present one alone', async () => {
    const { actor, token } = await world.join('ada')
    const admin = (await world.operator()).actor
    const { put } = world.away.documents
    world.away.documents.put = async (...asked) => {
      world.away.documents.put = put
      const written = await put(...asked)
      // somebody else is faster
      await world.access.changeAccount(admin, actor.account ?? '', { password: 'given by an admin' })
      return written
    }
    await refused(
      () =>
        world.access.changePassword(actor, { password: PASSWORD, newPassword: OTHER_PASSWORD }, newOrigin()),
      'UNAUTHORIZED',
    )
    await refused(() => world.access.identify(token, 'rest'), 'UNAUTHORIZED')
    await world.logIn('ada', 'given by an admin')
  })

  it('is one of at most a hundred of its account: the oldest end', async () => {
    const { actor, token, account } = await world.join('ada')
    const [one] = await allOf(world.documents, 'sessions')
    assert.ok(one)
    for (let n = 0; n < 99; n += 1) {
      const data = { ...one.data, createdAt: new Date(world.clock().getTime() + n + 1).toISOString() }
      const name = one.name.slice(0, 8) + String(n).padStart(8, '0')
      await world.documents.put('sessions', name, { ...one, data }, null)
    }
    const bob = await world.join('bob')
    assert.equal((await world.access.sessions(actor)).length, 100)
    world.pass(1_000)
    const last = await world.logIn('ada')
    assert.equal((await world.access.sessions(last.actor)).length, 100)
    await refused(() => world.access.identify(token, 'rest'), 'UNAUTHORIZED')
    await world.access.identify(bob.token, 'rest')
    assert.equal(last.actor.account, account.id)
  })

  it('says of itself who it is, and what it may do now', async () => {
    const { actor, account } = await world.join('ada')
    const admin = (await world.operator()).actor
    const { access } = world
    assert.deepEqual(await access.me(actor), {
      account,
      scopes: ['read', 'submit'],
      sees: 'own-and-unowned',
      kinds: null,
      credential: actor.credential,
      expiresAt: new Date(world.clock().getTime() + 12 * HOUR).toISOString(),
    })
    await access.changeAccount(admin, account.id, { role: 'viewer' })
    assert.deepEqual((await access.me(actor)).scopes, ['read'])
    const stranger = world.open({ anonymous: 'read' }).stranger('rest')
    assert.deepEqual(await access.me(stranger), {
      account: null,
      scopes: ['read'],
      sees: 'all',
      kinds: null,
      credential: null,
      expiresAt: null,
    })
    await access.logOut(actor)
    await refused(() => access.me(actor), 'UNAUTHORIZED')
  })
})
