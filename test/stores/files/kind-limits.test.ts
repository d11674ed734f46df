// The permits of a kind with a rate, on a clock that is set back.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, it, type TestContext } from 'node:test'
import { createKindLimiter } from '../../../src/stores/files/claims/kind-limits.ts'
import { createInstances, createParts } from './parts.ts'

const MINUTE = 60_000
const START = Date.UTC(2026, 5, 1, 12)
const rate = { count: 1, perMs: MINUTE }

describe('the permits of a rate', () => {
  const setUp = async (test: TestContext) => {
    const parts = await createParts(test)
    const limiter = createKindLimiter({ ...parts, instances: createInstances() })
    /** Whether one more may begin so many minutes after the start. */
    const take = (minute: number, kind = 'slow'): boolean =>
      'giveBack' in limiter.permit(kind, rate, START + minute * MINUTE)
    return { limiter, take, permits: () => readdirSync(parts.layout.permits) }
  }

  it('that were taken before the clock went back delay no task when that time comes again', async test => {
    const { take } = await setUp(test)
    for (const minute of [0, 10, 30]) assert.equal(take(minute), true)
    // half of the way back, which is still after the first one
    for (const minute of [15, 16, 29, 30, 31]) assert.equal(take(minute), true, `minute ${minute}`)
  })

  it('are one for each time, for every kind its own, and can be given back', async test => {
    const { limiter, take } = await setUp(test)
    assert.deepEqual([take(0), take(0), take(0, 'other'), take(1)], [true, false, true, true])
    assert.deepEqual(limiter.permit('slow', rate, START + MINUTE), { nextAtMs: START + 2 * MINUTE })
    const permit = limiter.permit('slow', rate, START + 2 * MINUTE)
    assert.ok('giveBack' in permit)
    permit.giveBack()
    assert.equal(take(2), true)
  })

  it('do not stay for ever', async test => {
    const { take, permits } = await setUp(test)
    for (let minute = 0; minute < 1_000; minute += 1) take(minute)
    assert.ok(permits().length <= 110, `${permits().length} are left`)
  })
})
