// How often passwords may be tried, in which order they are checked, and that nobody is locked out by others.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { createCheckQueue } from '../../src/access/check-queue.ts'
import { createGuard, type Guard } from '../../src/access/guard.ts'
import { createLoginLimit } from '../../src/access/login-limit.ts'
import { isMadhavaError } from '../../src/core/errors.ts'
import { silentLog } from '../../src/platform/log.ts'
import { refused } from '../suites/store/world.ts'
import { keepingLog } from '../support/keeping-log.ts'
import { type AccessWorld, createAccessWorld, ORIGIN, PASSWORD } from './world.ts'

const isWait = (seconds: number) => (error: unknown) =>
  isMadhavaError(error, 'TOO_MANY_REQUESTS') &&
  (error.detail as { retryAfterSeconds: number }).retryAfterSeconds === seconds

describe('the guard of passwords', () => {
  let now: number
  let guard: Guard
  beforeEach(() => {
    now = 0
    const steady = () => now
    guard = createGuard({
      limit: createLoginLimit({ clock: steady }),
      inTurn: createCheckQueue(),
      log: silentLog(),
      steady,
    })
  })

  /** Tries that wait together, in the order in which they come; answers the order in which they are checked. */
  const orderOf = async (tries: { address: string; about: string }[]): Promise<string[]> => {
    const order: string[] = []
    let release = () => {}
    const first = guard.inTurn(
      { address: 'first', about: '' },
      () =>
        new Promise<void>(resolve => {
          release = resolve
        }),
    )
    const rest = tries.map(tried => {
      guard.count(tried)
      return guard
        .inTurn(tried, async () => {
          order.push(`${tried.address} ${tried.about}`)
        })
        .catch(error => assert.ok(isWait(10)(error)))
    })
    release()
    await Promise.all([first, ...rest])
    return order
  }

  it('tells neither the log nor the store what was typed as a name, where no address is known', async () => {
    const { log, lines } = keepingLog()
    const names: string[] = []
    const limit = createLoginLimit({
      clock: () => now,
      shared: {
        async take(name) {
          names.push(name)
          return { allowed: true, left: 1, resetMs: 1, giveBack: async () => {} }
        },
      },
    })
    const own = createGuard({ limit, inTurn: createCheckQueue(), log, steady: () => now })
    const tried = { address: null, about: 'hunter2' }
    for (let n = 0; n < 5; n += 1) await own.count(tried)
    await assert.rejects(own.count(tried), isWait(60))
    assert.equal(names.length, 5)
    assert.equal(new Set(names).size, 1)
    assert.equal(lines().length, 1)
    assert.doesNotMatch(JSON.stringify([names, lines()]), /hunter2/)
    await own.count({ address: null, about: 'ann' })
  })

  it('takes the address with the fewest tries first, then the account that was tried least', async () => {
    await guard.count({ address: '10.0.0.1', about: 'ada' })
    assert.deepEqual(
      await orderOf([
        { address: '10.0.0.1', about: 'ada' },
        { address: '10.0.0.2', about: 'ada' },
        { address: '10.0.0.3', about: 'ada' },
        { address: '10.0.0.4', about: 'bob' },
      ]),
      ['10.0.0.4 bob', '10.0.0.2 ada', '10.0.0.3 ada', '10.0.0.1 ada'],
    )
  })

  it('takes an address that has logged in before all who guess at its account, however many', async () => {
    const owner = { address: '10.0.0.1', about: 'ada' }
    await guard.count(owner)
    guard.forgive(owner)
    const others = Array.from({ length: 80 }, (_, n) => ({ address: `10.1.0.${n}`, about: 'ada' }))
    const order = await orderOf([...others, owner])
    assert.equal(order[0], '10.0.0.1 ada')
    // as many as may wait; the others were told to come again
    assert.equal(order.length, 50)
  })

  it('forgives the tries for the name that was right, and not those for others', async () => {
    const [own, other] = [
      { address: '10.0.0.1', about: 'ada' },
      { address: '10.0.0.1', about: 'bob' },
    ]
    for (let n = 0; n < 4; n += 1) {
      await guard.count(other)
      if (n < 4) await guard.count(own)
      guard.forgive(own)
    }
    await guard.count(other)
    await assert.rejects(guard.count(own), isWait(60))
    await assert.rejects(guard.count(other), isWait(60))
    now += 60_000
    await guard.count(other)
  })

  it('passes on what the work throws', async () => {
    const work = async () => {
      throw new Error('of the work')
    }
    await assert.rejects(() => guard.inTurn({ address: null, about: '' }, work), /of the work/)
  })
})

describe('tries', { timeout: 300_000 }, () => {
  let world: AccessWorld
  beforeEach(() => {
    world = createAccessWorld()
  })
  afterEach(() => world.end())

  const logIn = (name: string, password = PASSWORD) => world.access.logIn({ name, password }, ORIGIN)
  const register = (name: string) =>
    world.access.register(world.stranger, { name, password: PASSWORD, invitation: null, role: null }, ORIGIN)

  it('from one address are five a minute, whatever the names, and the log says so', async () => {
    await world.join('ada')
    for (const name of ['ada', 'a', 'b', 'c', 'd'])
      await refused(() => logIn(name, 'wrong password'), 'LOGIN_WRONG')
    for (const name of ['ada', 'e']) await assert.rejects(() => logIn(name), isWait(60))
    assert.ok(world.lines().some(({ message }) => message === 'a login was put off: too many tries'))
    await world.logIn('ada')
    world.pass(60_000)
    await logIn('ada')
  })

  it("of other accounts are not made good by logging in with one's own", async () => {
    await world.join('ada')
    await world.join('eve')
    for (let n = 0; n < 4; n += 1) {
      await refused(() => logIn('ada', 'wrong password'), 'LOGIN_WRONG')
      await logIn('eve')
    }
    await refused(() => logIn('ada', 'wrong password'), 'LOGIN_WRONG')
    await assert.rejects(() => logIn('ada'), isWait(60))
  })

  it('of registering count, so that nobody asks for names without end; those of admins do not', async () => {
    await register('ada')
    for (let n = 0; n < 4; n += 1) await refused(() => register('ada'), 'NAME_TAKEN')
    await assert.rejects(() => register('free'), isWait(60))
    await assert.rejects(() => logIn('ada'), isWait(60))
    // what is plainly wrong costs nothing
    await refused(() => register('not a name'), 'NAME_INVALID')
    const { actor } = await world.operator()
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f'])
      await world.access.register(actor, { name, password: PASSWORD, invitation: null, role: 'user' }, ORIGIN)
  })

  it('of a present password count as those of a login', async () => {
    const { actor } = await world.join('ada')
    const change = (password: string) =>
      world.access.changePassword(actor, { password, newPassword: 'another long one' }, ORIGIN)
    for (let n = 0; n < 5; n += 1) await refused(() => change('wrong password'), 'LOGIN_WRONG')
    await assert.rejects(() => change(PASSWORD), isWait(60))
  })
})
