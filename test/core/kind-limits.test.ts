// Rates: how they are written, and what any row of starts under one looks like.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseRate, permitsAt, type Rate, rateSchema } from '../../src/core/kind-limits.ts'

describe('a rate', () => {
  it('is a number and a unit', () => {
    assert.deepEqual(parseRate('10/s'), { count: 10, perMs: 1_000 })
    assert.deepEqual(parseRate('90/m'), { count: 90, perMs: 60_000 })
    assert.deepEqual(parseRate('5/h'), { count: 5, perMs: 3_600_000 })
    for (const text of [
      '',
      '0/s',
      '01/s',
      '-1/s',
      '1.5/s',
      '10',
      '10/',
      '10/d',
      '10 /s',
      '10/s ',
      '100000/s',
      '1e2/s',
    ]) {
      assert.equal(rateSchema.safeParse(text).success, false, text)
      assert.throws(() => parseRate(text), TypeError, text)
    }
  })
})

const rate = fc.record({
  count: fc.integer({ min: 1, max: 99_999 }),
  perMs: fc.constantFrom(1_000, 60_000, 3_600_000),
})
const begin = fc.integer({ min: 0, max: 4_102_444_800_000 })

/** Takers that ask at these pauses, each taking all it gets: the times of the starts. */
const startsOf = (
  rate: Rate,
  from: number,
  pauses: readonly number[],
): { starts: number[]; until: number } => {
  const taken = new Set<number>()
  const starts: number[] = []
  let now = from
  for (const pause of pauses) {
    now += pause
    const { oldest, newest } = permitsAt(rate, now)
    for (let number = oldest; number <= newest; number += 1)
      if (!taken.has(number)) {
        taken.add(number)
        starts.push(now)
      }
  }
  return { starts, until: now }
}

describe('the permits of a rate', () => {
  it('ripen at the time that was told, and not before', () => {
    fc.assert(
      fc.property(rate, begin, (rate, now) => {
        const { newest, nextAtMs } = permitsAt(rate, now)
        assert.ok(nextAtMs > now)
        assert.ok(permitsAt(rate, nextAtMs).newest > newest)
        assert.equal(permitsAt(rate, nextAtMs - 1).newest, newest)
      }),
      { numRuns: 2_000, examples: [[{ count: 53_758, perMs: 1_000 }, 4_102_444_799_967]] },
    )
  })

  it('never let more begin in any stretch of time than the rate and a burst', () => {
    const pauses = fc.array(fc.oneof(fc.nat(3), fc.nat(300), fc.nat(5_000)), { maxLength: 60 })
    const slow = rate.map(({ count, perMs }) => ({ count: (count % 500) + 1, perMs }))
    fc.assert(
      fc.property(slow, begin, pauses, (rate, from, pauses) => {
        const { starts } = startsOf(rate, from, pauses)
        const perMs = rate.count / rate.perMs
        const burst = Math.max(1, Math.floor(100 * perMs))
        for (const [first, a] of starts.entries())
          for (let last = first; last < starts.length; last += 7) {
            const stretch = (starts[last] ?? 0) - a
            assert.ok(
              last - first + 1 <= stretch * perMs + burst + 1 + 1e-6,
              `${last - first + 1} in ${stretch} ms`,
            )
          }
      }),
      { numRuns: 60 },
    )
  })

  it('are all used by takers who look when they are told to', () => {
    fc.assert(
      fc.property(rate, begin, (rate, from) => {
        let now = from
        const taken = new Set<number>()
        for (let look = 0; look < 200; look += 1) {
          const { oldest, newest, nextAtMs } = permitsAt(rate, now)
          for (let number = oldest; number <= newest; number += 1) taken.add(number)
          now = nextAtMs
        }
        const numbers = [...taken]
        // none was passed over
        assert.equal(Math.max(...numbers) - Math.min(...numbers) + 1, numbers.length)
      }),
      { numRuns: 60 },
    )
  })
})
