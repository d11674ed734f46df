// The gate before what takes much memory: so many at a time, however often its places are handed on.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createGate } from '../../src/rpc/list-limit.ts'

describe('the gate', () => {
  it('lets so many run at a time, in the order of asking, again and again, also when they fail', async () => {
    const gate = createGate(2)
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
      const all = Array.from({ length: 20 }, (_, n) => gate(() => work(n)))
      const ends = await Promise.allSettled(all)
      assert.equal(most, 2, `round ${round}`)
      assert.deepEqual(
        begun,
        [...begun].sort((a, b) => a - b),
      )
      assert.equal(ends.filter(({ status }) => status === 'rejected').length, 7)
    }
  })
})
