// The pauses between tries.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { backoffMs } from '../../../src/core/async/backoff.ts'

const BOUNDS = { firstMs: 100, lastMs: 10_000 }

describe('the backoff', () => {
  it('doubles from the first pause to the last, and stays there', () => {
    const pauses = [0, 1, 2, 3, 4, 5, 6, 7, 8, 1_000_000].map(failures => backoffMs(BOUNDS, failures, 1))
    assert.deepEqual(pauses, [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000])
  })

  it('never shrinks with the failures, and keeps its bounds', () => {
    fc.assert(
      fc.property(fc.nat(10_000), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
        const ms = backoffMs(BOUNDS, failures, random)
        assert.ok(ms >= 50 && ms <= 10_000, String(ms))
        assert.ok(backoffMs(BOUNDS, failures + 1, random) >= ms)
      }),
    )
  })

  it('leaves the upper half of a pause to chance', () => {
    for (const failures of [0, 3, 20]) {
      const full = backoffMs(BOUNDS, failures, 1)
      assert.equal(backoffMs(BOUNDS, failures, 0), full / 2)
      assert.equal(backoffMs(BOUNDS, failures, 0.5), (full * 3) / 4)
      const drawn = Array.from({ length: 100 }, () => backoffMs(BOUNDS, failures))
      assert.ok(drawn.every(ms => ms >= full / 2 && ms <= full))
      assert.ok(new Set(drawn).size > 1)
    }
  })
})
