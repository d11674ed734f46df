// The arithmetic behind the figures of the benchmarks.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { median, quantile, show, spread, table } from '../../bench/figures.ts'

const values = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 50 })
const share = fc.double({ min: 0, max: 1, noNaN: true })

describe('figures of a benchmark', () => {
  it('takes the middle value, and the mean of the two middle ones of an even number', () => {
    assert.equal(median([9, 1, 5]), 5)
    assert.equal(median([4, 1, 3, 2]), 2.5)
    assert.equal(quantile([10, 20, 30, 40, 50], 0.9), 46)
  })

  it('has quantiles that lie among the values, rise with the share, and do not depend on the order', () => {
    fc.assert(
      fc.property(values, share, share, (list, a, b) => {
        const [low, high] = [quantile(list, Math.min(a, b)), quantile(list, Math.max(a, b))]
        assert.ok(low <= high + 1e-6)
        assert.ok(Math.min(...list) <= low && high <= Math.max(...list))
        assert.equal(quantile([...list].reverse(), a), quantile(list, a))
        assert.equal(quantile(list, 0), Math.min(...list))
        assert.equal(quantile(list, 1), Math.max(...list))
      }),
    )
  })

  it('refuses to name a quantile of nothing, or one beyond the ends', () => {
    assert.throws(() => quantile([], 0.5), RangeError)
    assert.throws(() => quantile([1], 1.01), RangeError)
    assert.throws(() => quantile([1], Number.NaN), RangeError)
  })

  it('leaves the values as they were', () => {
    const list = [3, 1, 2]
    spread(list)
    assert.deepEqual(list, [3, 1, 2])
  })

  it('shows the digits that matter', () => {
    assert.deepEqual([12_345, 123.4, 12.34, 1.234, 0.0123, 50].map(show), [
      '12,345',
      '123',
      '12.3',
      '1.23',
      '0.012',
      '50',
    ])
    assert.equal(spread([2, 1, 4]), '1 / 2 / 4')
  })

  it('writes tables that Markdown takes: as many cells in the rule as in the head', () => {
    assert.equal(
      table([
        ['what', 'ms'],
        ['page', '1.2'],
      ]),
      '| what | ms |\n| --- | ---: |\n| page | 1.2 |',
    )
  })
})
