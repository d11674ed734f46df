// Pi by van Wijngaarden's rule on Leibniz's series, collapsed into one hypergeometric series, term by term in
// fixed-point BigInt: the method `wijngaarden`. The last digit is certified. It knows no task.
import type { Computation } from './computation.ts'

/** The loop is quadratic in the digits; more than these want binary splitting. */
export const MAX_LOOP_DIGITS = 10_000

/** The most digits that a partial result holds. */
const PARTIAL_DIGITS = 1_000
const BITS_PER_DIGIT = Math.log2(10)
const BITS_PER_TERM = Math.log2(27)

/**
 * pi = Σ (−1)^k · weight(k) · u_k with u_0 = 8/15 and u_k = u_(k−1) · numerator(k)/denominator(k). The sum of the
 * first N terms is exactly 4·(N terms of Leibniz's series + the Euler transform of 2N stages of its tail). It comes
 * from expanding 1/(1+u), u = x², in powers of w(u)/w(−1), w = u(1−u)².
 */
export const SERIES = {
  first: { numerator: 8, denominator: 15 },
  numerator: (k: number): number => 2 * k * (2 * k - 1),
  denominator: (k: number): number => 3 * (6 * k + 1) * (6 * k + 5),
  weight: (k: number): number => 7 * k + 6,
} as const

const decimal = (scaled: bigint, digits: number): string => {
  const text = scaled.toString()
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`
}

/** The digits, at most `digits`, that every number between low and high, scaled by 2^bits, begins with. */
const commonDigits = (low: bigint, high: bigint, bits: number, digits: number): string => {
  const power = 10n ** BigInt(digits)
  const a = decimal((low * power) >> BigInt(bits), digits)
  const b = decimal((high * power) >> BigInt(bits), digits)
  let same = 0
  while (same < a.length && a[same] === b[same]) same++
  return a.slice(0, same).replace(/\.$/, '')
}

/**
 * Pi to `digits` places (0 to 10,000), truncated. `guardBits` beyond what the digits and the error need (32 unless
 * said otherwise) are doubled until the last digit is certain.
 *
 * Error, in units of 2^−bits: |u_k/u_(k−1)| < 1/27, so the floors leave each u_k less than 27/26 below its value;
 * times the weights, over k < N, that is below 27/26·Σ(7k+6) < 4(N+1)². The loop ends when u_N, and so its true
 * value up to 27/26, is 0; the terms alternate and fall, so what is left out is below the first of it, 27/26·(7N+6).
 * Together less than 4(N+3)². The result is taken only when value − error and value + error truncate alike.
 */
export function* hypergeometricPi(digits: number, guardBits = 32): Computation {
  const wantedBits = Math.ceil(digits * BITS_PER_DIGIT)
  const power = 10n ** BigInt(digits)
  for (let guard = guardBits; ; guard *= 2) {
    const expected = Math.ceil((wantedBits + guard + 40) / BITS_PER_TERM) + 2
    const bits = wantedBits + guard + 2 + 2 * Math.ceil(Math.log2(expected + 3))
    let u = (BigInt(SERIES.first.numerator) << BigInt(bits)) / BigInt(SERIES.first.denominator)
    let sum = 0n
    let k = 0
    const partial = (): string => {
      const shown = Math.min(digits, PARTIAL_DIGITS, Math.floor(k * 1.5))
      const kept = Math.min(bits, Math.ceil(shown * BITS_PER_DIGIT) + 64)
      const off = ((u * BigInt(SERIES.weight(k)) + 4n * BigInt(k + 3) ** 2n) >> BigInt(bits - kept)) + 2n
      const value = sum >> BigInt(bits - kept)
      return commonDigits(value - off, value + off, kept, shown)
    }
    while (u > 0n) {
      const term = u * BigInt(SERIES.weight(k))
      sum = k % 2 === 0 ? sum + term : sum - term
      k++
      u = (u * BigInt(SERIES.numerator(k))) / BigInt(SERIES.denominator(k))
      // a term costs in proportion to the bits that are left of it
      yield { fraction: Math.min(1, 1 - (1 - Math.min(1, k / expected)) ** 2), partial }
    }
    const error = 4n * BigInt(k + 3) ** 2n
    const low = ((sum - error) * power) >> BigInt(bits)
    const high = ((sum + error) * power) >> BigInt(bits)
    if (low === high) return decimal(low, digits)
  }
}
