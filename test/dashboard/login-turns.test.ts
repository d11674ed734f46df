// Whose password is checked next.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isMadhavaError } from '../../src/core/errors.ts'
import { createLoginTurns } from '../../src/dashboard/login-turns.ts'

describe('the turns of logins', () => {
  it('come one at a time, who has tried least first; beyond fifty who has tried most is refused', async () => {
    const turns = createLoginTurns()
    const order: string[] = []
    let running = 0
    const login = (name: string, tries: number) =>
      turns.run(tries, async () => {
        running += 1
        assert.equal(running, 1)
        await new Promise(resolve => setImmediate(resolve))
        running -= 1
        order.push(name)
      })
    const flood = Array.from({ length: 61 }, (_, n) => login(`flood ${n}`, 4))
    const fresh = [login('second', 1), login('third', 1), login('first', 0)]
    const results = await Promise.allSettled(flood)
    await Promise.all(fresh)
    // one was running already
    assert.deepEqual(order.slice(0, 5), ['flood 0', 'first', 'second', 'third', 'flood 1'])
    const refused = results.filter(result => result.status === 'rejected')
    assert.equal(refused.length, 13)
    for (const { reason } of refused) assert.ok(isMadhavaError(reason, 'TOO_MANY_REQUESTS'))
    await login('later', 5)
    assert.equal(order.at(-1), 'later')
  })

  it('go on after a check that failed', async () => {
    const turns = createLoginTurns()
    const broken = turns.run(0, () => Promise.reject(new Error('broken')))
    const next = turns.run(0, async () => 'good')
    await assert.rejects(broken, /broken/)
    assert.equal(await next, 'good')
    assert.equal(await turns.run(0, async () => 'again'), 'again')
  })
})
