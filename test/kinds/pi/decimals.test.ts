// Fractions to digits: against a division, and what is done when a digit is not certain.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  BITS_PER_DIGIT,
  certainDigits,
  halves,
  LEAST_GUARD_BITS,
} from '../../../src/kinds/lib/pi/decimals.ts'

const GUARD = { bits: 128 }
const sizeFor = (digits: number): number => Math.ceil(digits * BITS_PER_DIGIT) + GUARD.bits

/** The fraction numerator/10^places, rounded down to the wanted size. */
const fractionOf = (text: string, digits: number) => {
  const size = sizeFor(digits)
  return { bits: (BigInt(text) << BigInt(size)) / 10n ** BigInt(text.length), size, digits }
}

describe('digits of a binary fraction', () => {
  it('are those that a division gives, at every length', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3000 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 2 ** 20, max: 2 ** 30 }),
        (digits, first, seed) => {
          // a fraction with a long period, and up to four zeros in front
          const size = sizeFor(digits)
          const bits = (BigInt(seed) << BigInt(size)) / (BigInt(first) * 1_000_003n * 2n ** 11n)
          const expected = ((bits * 10n ** BigInt(digits)) >> BigInt(size)).toString().padStart(digits, '0')
          assert.equal(certainDigits({ bits, size, digits }, GUARD), digits === 0 ? '' : expected)
        },
      ),
      { numRuns: 100 },
    )
  })

  it('are refused when what is behind them is all 0 or all 1, as far as can be seen', () => {
    for (const digits of [0, 1, 17, 300, 301, 1000]) {
      assert.equal(certainDigits(fractionOf('5'.repeat(digits + 60), digits), GUARD), '5'.repeat(digits))
      const zeros = `${'5'.repeat(digits)}${'0'.repeat(60)}`
      const nines = `${'5'.repeat(digits)}${'9'.repeat(60)}`
      assert.equal(certainDigits(fractionOf(zeros, digits), GUARD), null, `${digits} digits, then zeros`)
      assert.equal(certainDigits(fractionOf(nines, digits), GUARD), null, `${digits} digits, then nines`)
    }
  })

  it('are not refused for a run of nines or zeros that is shorter than what is looked at', () => {
    for (const run of ['0'.repeat(11), '9'.repeat(11)]) {
      const text = `${'3'.repeat(289)}${run}4${'7'.repeat(400)}`
      for (const digits of [288, 289, 295, 300, 301, 320, 600])
        assert.equal(certainDigits(fractionOf(text, digits), GUARD), text.slice(0, digits))
    }
  })

  it('never look right when they are not, with as few guard bits as there can be', () => {
    let refused = 0
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 900 }),
        fc.bigInt({ min: 1n, max: 2n ** 64n }),
        (digits, seed) => {
          const guard = { bits: LEAST_GUARD_BITS + 2 }
          const size = Math.ceil(digits * BITS_PER_DIGIT) + guard.bits
          const exact = (seed << BigInt(size + 40)) / (2n ** 64n + 13n)
          // off by as much as is allowed, 2^(27 − g) of the last digit
          const off = 1n << 26n
          const texts = [exact >> 40n, (exact >> 40n) + off, (exact >> 40n) - off].map(bits =>
            bits <= 0n ? null : certainDigits({ bits, size, digits }, guard),
          )
          const truth = ((exact * 10n ** BigInt(digits)) >> BigInt(size + 40))
            .toString()
            .padStart(digits, '0')
          for (const text of texts) {
            if (text === null) refused++
            else assert.equal(text, digits === 0 ? '' : truth)
          }
        },
      ),
      { numRuns: 200 },
    )
    assert.ok(refused > 10, `${refused} were refused`)
  })

  it('come in two halves that are the whole', () => {
    const fraction = fractionOf('1234567890'.repeat(120), 1000)
    const [left, right] = halves(fraction, GUARD)
    assert.deepEqual([left.digits, right.digits], [500, 500])
    assert.equal(`${certainDigits(left, GUARD)}${certainDigits(right, GUARD)}`, '1234567890'.repeat(100))
  })
})
