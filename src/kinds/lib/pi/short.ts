// Few digits by the series of `wijngaarden`, two terms at a time in fixed point: faster than splitting, with smoother
// progress.
import { BITS_PER_DIGIT } from './decimals.ts'
import type { MethodContext, ProvenPi } from './engine.ts'
import { commonDigits, PARTIAL_DIGITS } from './partial.ts'
import { createPauses } from './pauses.ts'
import { WIJNGAARDEN } from './series.ts'

/** For more digits splitting is faster. */
export const SHORT_DIGITS = 1_500
/** With a pace, up to these digits are computed here: a few milliseconds. */
export const PACED_SHORT_DIGITS = 5_000

const GUARD_BITS = 16
/** More bits need more terms, so that even three digits show progress. */
const PACED_GUARD_BITS = 96

const { bitsPerTerm, scaleBits, p, q, weight } = WIJNGAARDEN

/** Two terms of the series as one: P, Q and T over [a, a + 2). */
interface Pair {
  p: bigint
  q: bigint
  t: bigint
}
/** Making a BigInt from a Number costs as much as multiplying by it, so these are made once. */
const pairs: Pair[] = []
const pairAt = (index: number): Pair => {
  const known = pairs[index]
  if (known) return known
  const a = 2 * index
  const [p0, p1, q0, q1] = [BigInt(p(a)), BigInt(p(a + 1)), BigInt(q(a)), BigInt(q(a + 1))]
  const t = BigInt(weight(a)) * p0 * q1 + BigInt(weight(a + 1)) * p0 * p1
  const made = { p: p0 * p1, q: q0 * q1, t }
  pairs[index] = made
  return made
}

/**
 * Pi to `digits` places, truncated. `guardBits` beyond what the digits and the error need are doubled until the last
 * digit is certain.
 *
 * With u_0 = 8 and u_(g+1) = u_g · P_g/Q_g, pi is the sum of u_g · T_g/Q_g. Error, in units of 2^−bits, after G pairs:
 * quotients lose less than 1 and |P_g/Q_g| < 1/300, so each u_g is off by less than 1.01; |T_g/Q_g| is at most 0.4
 * for g = 0 and (14g+6)/27 after, so a pair adds less than 1.01·(14g+6)/27 + 1 to the error, all of them less than
 * (G+2)². The loop ends when u_G is 0, so that its true value is below 1.01, and what is left out below 1.01·(14G+6)/27,
 * as the sum from a on is at most its first term in size. Together less than (G+3)². The result is taken only when value −
 * error and value + error truncate alike.
 */
export const shortPi = async (
  digits: number,
  context: MethodContext,
  guardBits?: number,
): Promise<ProvenPi> => {
  const { signal, paceMs } = context
  const wantedBits = Math.ceil(digits * BITS_PER_DIGIT)
  const power = 10n ** BigInt(digits)
  const pauses = paceMs > 0 ? createPauses(signal, paceMs) : null
  const firstGuard = guardBits ?? (pauses ? PACED_GUARD_BITS : GUARD_BITS)
  for (let guard = firstGuard, reruns = 0; ; guard *= 2, reruns++) {
    const expected = Math.ceil((wantedBits + guard + 16) / (2 * bitsPerTerm)) + 1
    const bits = wantedBits + guard + 2 * Math.ceil(Math.log2(expected + 4))
    let u = 1n << BigInt(bits + scaleBits)
    let sum = 0n
    let count = 0
    const certain = (): string => {
      const shown = Math.min(digits, PARTIAL_DIGITS, Math.floor(count * 3))
      const kept = Math.min(bits, Math.ceil(shown * BITS_PER_DIGIT) + 64)
      const left = (u < 0n ? -u : u) * BigInt(count + 1) + BigInt(count + 3) ** 2n
      const off = (left >> BigInt(bits - kept)) + 2n
      const value = sum >> BigInt(bits - kept)
      return commonDigits(value - off, value + off, kept, shown)
    }
    while (u !== 0n) {
      const pair = pairAt(count)
      sum += (u * pair.t) / pair.q
      u = (u * pair.p) / pair.q
      count++
      if (!pauses) continue
      // a pair costs in proportion to the bits that are left of it
      const share = Math.min(1, 1 - (1 - Math.min(1, count / expected)) ** 2)
      const pause = pauses.pause(share)
      if (!pause) continue
      context.report(share, certain())
      await pause
    }
    const error = BigInt(count + 3) ** 2n
    const shift = BigInt(bits)
    const low = ((sum - error) * power) >> shift
    if (low !== ((sum + error) * power) >> shift) continue
    const text = low.toString()
    return {
      text: digits === 0 ? text : `${text.slice(0, 1)}.${text.slice(1)}`,
      proof: {
        method: 'wijngaarden',
        terms: 2 * count,
        guardBits: guard,
        errorBits: bits - Math.ceil(2 * Math.log2(count + 3)),
        reruns,
      },
    }
  }
}
