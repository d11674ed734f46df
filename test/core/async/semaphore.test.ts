// So many pieces of work at a time, and who is next.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSemaphore } from '../../../src/core/async/semaphore.ts'

describe('the semaphore', () => {
  it('lets so many run at a time, in the order of asking, again and again, also when they fail', async () => {
    const run = createSemaphore(2)
    for (let round = 0; round < 3; round += 1) {
      let running = 0
      let most = 0
      const begun: number[] = []
      const work = async (n: number): Promise<number> => {
        begun.push(n)
        running += 1
        most = Math.max(most, running)
        await new Promise(resolve => setImmediate(resolve))
        running -= 1
        if (n % 3 === 0) throw new Error(`${n}`)
        return n
      }
      const all = Array.from({ length: 20 }, (_, n) => run(() => work(n)))
      const ends = await Promise.allSettled(all)
      assert.equal(most, 2, `round ${round}`)
      assert.deepEqual(
        begun,
        [...begun].sort((a, b) => a - b),
      )
      assert.equal(ends.filter(({ status }) => status === 'rejected').length, 7)
    }
  })

  it('lets the lowest rank go first; beyond the bound the highest is refused', async () => {
    const run = createSemaphore(1, { waitingMax: 50, refusal: () => new RangeError('too many') })
    const order: string[] = []
    let running = 0
    const work = (name: string, rank: number) =>
      run(async () => {
        running += 1
        assert.equal(running, 1)
        await new Promise(resolve => setImmediate(resolve))
        running -= 1
        order.push(name)
      }, rank)
    const flood = Array.from({ length: 61 }, (_, n) => work(`flood ${n}`, 4))
    const fresh = [work('second', 1), work('third', 1), work('first', 0)]
    const results = await Promise.allSettled(flood)
    await Promise.all(fresh)
    // one was running already
    assert.deepEqual(order.slice(0, 5), ['flood 0', 'first', 'second', 'third', 'flood 1'])
    const refused = results.filter(result => result.status === 'rejected')
    assert.equal(refused.length, 13)
    for (const { reason } of refused) assert.ok(reason instanceof RangeError)
    assert.equal(
      results.findIndex(result => result.status === 'rejected'),
      48,
    )
    await work('later', 5)
    assert.equal(order.at(-1), 'later')
  })
})
