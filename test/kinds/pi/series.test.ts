// The series behind the methods, as exact fractions, and the bounds that their docstrings state.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { chebyshevAt3 } from '../../../src/kinds/lib/pi/cvz.ts'
import { EULER, SERIES, type Series, termsFor, WIJNGAARDEN } from '../../../src/kinds/lib/pi/series.ts'
import { block } from '../../../src/kinds/lib/pi/splitting.ts'
import { type Node, precisionFor } from '../../../src/kinds/lib/pi/truncation.ts'
import { add, equal, eulerTransform, type Fraction, leibnizWithEulerTail, times } from './yardstick.ts'

const firstTerms = (series: Series, n: number): Fraction => {
  let sum: Fraction = [0n, 1n]
  let product: Fraction = [1n, 1n]
  for (let k = 0; k < n; k++) {
    product = times(product, [BigInt(series.p(k)), BigInt(series.q(k))])
    sum = add(sum, times(product, [BigInt(series.weight(k)), 1n]))
  }
  return times(sum, [1n << BigInt(series.scaleBits), 1n])
}
/** So precise that nothing is cut. */
const EVERYTHING = 10_000_000
const whole = (value: bigint, cut: number): bigint => value << BigInt(cut)
const sumOf = (node: Node): Fraction => [whole(node.t, node.tCut), whole(node.q, node.qCut)]

describe('the series of pi', () => {
  it('wijngaarden: N terms are exactly N of Leibniz and the Euler transform of their tail, N = 1 to 14', () => {
    for (let n = 1; n <= 14; n++)
      assert.ok(equal(firstTerms(WIJNGAARDEN, n), leibnizWithEulerTail(n)), `${n} terms`)
  })

  it('euler: N terms are exactly the Euler transform of N stages, N = 1 to 14', () => {
    for (let n = 1; n <= 14; n++) assert.ok(equal(firstTerms(EULER, n), eulerTransform(n)), `${n} terms`)
  })

  it('falls as fast as it says, in its factors and in its terms', () => {
    for (const series of Object.values(SERIES))
      for (let j = 1; j < 100_000; j += 1 + (j >> 4))
        assert.ok(Math.log2(Math.abs(series.p(j)) / series.q(j)) < -series.bitsPerTerm, `factor ${j}`)
    for (let k = 0n; k < 100_000n; k += 1n + (k >> 4n))
      assert.ok(
        27n * (7n * k + 13n) * (2n * k + 1n) * (2n * k + 2n) <
          (7n * k + 6n) * 3n * (6n * k + 7n) * (6n * k + 11n),
        `term ${k}`,
      )
  })

  it('leaves out less than its bound after N terms', () => {
    for (const series of Object.values(SERIES))
      for (let n = 1; n <= 40; n++) {
        const [a, b] = firstTerms(series, n)
        const [c, d] = firstTerms(series, n + 200)
        const left = (a * d - c * b) * (a * d < c * b ? -1n : 1n)
        const bits = Math.floor(series.tailBits(n))
        assert.ok(bits < 0 || left << BigInt(bits) < b * d, `${n} terms`)
        // and not by far less: a bound that is too careful costs terms
        assert.ok(left << BigInt(Math.max(0, bits) + 6) > b * d, `${n} terms, the other way`)
      }
  })

  it('takes as few terms as leave out less than was asked', () => {
    for (const series of Object.values(SERIES))
      for (const bits of [1, 100, 12_345, 33_220_000]) {
        const terms = termsFor(series, bits)
        assert.ok(series.tailBits(terms) >= bits && series.tailBits(terms - 1) < bits, `${bits} bits`)
      }
  })

  it('is summed exactly by splitting when nothing is cut', () => {
    for (const series of Object.values(SERIES))
      for (const n of [1, 2, 24, 25, 49, 200]) {
        const node = block(series, 0, n, EVERYTHING, true)
        assert.ok(equal(times(sumOf(node), [1n << BigInt(series.scaleBits), 1n]), firstTerms(series, n)))
      }
  })

  it('is cut by splitting to within the bound of truncation.ts, wherever it is cut', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(SERIES)),
        fc.integer({ min: 30, max: 4000 }),
        fc.integer({ min: 60, max: 6000 }),
        (series, n, bits) => {
          const [a, b] = sumOf(block(series, 0, n, EVERYTHING, true))
          const [c, d] = sumOf(block(series, 0, n, precisionFor(bits), true))
          const off = a * d - c * b
          // |a/b − c/d| < 2^(23 − bits)
          assert.ok((off < 0n ? -off : off) << BigInt(bits) < (b * d) << 23n, `${n} terms, ${bits} bits`)
        },
      ),
      { numRuns: 120 },
    )
  })

  it('estimates the lengths of its numbers to half a bit', () => {
    for (const series of Object.values(SERIES)) {
      const { p, q, log2P, log2Q } = block(series, 5, 3005, EVERYTHING, false)
      const bits = (value: bigint): number => {
        const text = (value < 0n ? -value : value).toString(2)
        return text.length - 53 + Math.log2(Number.parseInt(text.slice(0, 53), 2))
      }
      assert.ok(Math.abs(bits(q) - log2Q) < 0.5 && Math.abs(bits(p) - log2P) < 0.5)
    }
  })

  it('cvz: the sum of the weights is Chebyshev’s polynomial at 3', () => {
    for (let n = 1; n <= 60; n++) {
      let beta = 1n
      let sum = 1n
      for (let j = 0; j < n; j++) {
        const up = beta * BigInt(2 * (n - j) * (n + j))
        const down = BigInt((2 * j + 1) * (j + 1))
        assert.equal(up % down, 0n, 'every weight is whole')
        beta = up / down
        sum += beta
      }
      assert.equal(sum, chebyshevAt3(n))
    }
  })
})
