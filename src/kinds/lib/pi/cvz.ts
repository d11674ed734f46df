// The method `cvz`: the acceleration of Cohen, Rodriguez Villegas and Zagier on Leibniz's series, in whole numbers.
import { BITS_PER_DIGIT, certainDigits } from './decimals.ts'
import type { MethodContext, ProvenPi } from './engine.ts'
import { runRecurrence } from './recurrence.ts'

const GUARD_BITS = 128
const BITS_PER_TERM = Math.log2(3 + 2 * Math.SQRT2)

/** T_n(3), Chebyshev's polynomial, by T_2m = 2·T_m² − 1 and T_(2m+1) = 2·T_m·T_(m+1) − 3. */
export const chebyshevAt3 = (n: number): bigint => {
  let [low, high] = [1n, 3n]
  for (const digit of n.toString(2)) {
    const middle = 2n * low * high - 3n
    ;[low, high] = digit === '1' ? [middle, 2n * high * high - 1n] : [2n * low * low - 1n, middle]
  }
  return low
}

/**
 * Pi to `digits` places, truncated, each of them certain.
 *
 * With P(x) = T_N(1 − 2x) = Σ_j β_j · (−x)^j, β_0 = 1, β_(j+1) = β_j · 2(N² − j²) / ((2j+1)(j+1)), and d = P(−1) =
 * T_N(3) = Σ β_j: Leibniz's series is ∫ 1/(1+u) dμ with dμ = du/(2√u), whose moments over [0, 1] are 1/(2k+1). Since
 * (P(−1) − P(u))/(1+u) is a polynomial, S_N = 1/d · ∫ (P(−1) − P(u))/(1+u) dμ is 1/d · Σ_{k<N} (−1)^k · e_k/(2k+1),
 * e_k = Σ_{j>k} β_j; and |P| ≤ 1 on [0, 1], so that S is off by at most S/d, pi by pi/d.
 *
 * All β_j, e_k and d are whole. Each quotient e_k/(2k+1) is rounded down, by less than 1: the N of them make less than
 * 4N/d of pi. N is chosen so that 4(N+1)/d < 2^−(bits + 1), and the last quotient loses less than 2^−bits: together
 * below 2^(1 − bits), more than certainDigits asks for. In the end e must have come down to 0.
 */
export const cvzPi = async (digits: number, context: MethodContext): Promise<ProvenPi> => {
  for (let guardBits = GUARD_BITS, reruns = 0; ; guardBits *= 2, reruns++) {
    const bits = Math.ceil(digits * BITS_PER_DIGIT) + guardBits
    const spare = 4 + Math.ceil(Math.log2(bits + 4))
    // T_N(3) > (3 + √8)^N / 2
    const terms = Math.ceil((bits + spare + 1) / BITS_PER_TERM)
    const d = chebyshevAt3(terms)
    const { sum, e } = await runRecurrence(
      {
        method: 'cvz',
        digits,
        guardBits,
        steps: terms,
        begin: () => ({ sum: 0n, beta: 1n, e: d - 1n }),
        step(numbers, k) {
          const quotient = numbers.e / BigInt(2 * k + 1)
          numbers.sum += k % 2 === 0 ? quotient : -quotient
          numbers.beta =
            (numbers.beta * BigInt(2 * (terms - k) * (terms + k))) / BigInt((2 * k + 1) * (k + 1))
          numbers.e -= numbers.beta
        },
        share: k => k / terms,
      },
      context,
    )
    // only tampered numbers, or a bug in this file
    if (e !== 0n) throw new Error('the weights of the terms do not add up')
    const fraction = BigInt.asUintN(bits, (sum << BigInt(bits + 2)) / d)
    const text = certainDigits({ bits: fraction, size: bits, digits }, { bits: guardBits })
    if (text !== null)
      return {
        text: digits === 0 ? '3' : `3.${text}`,
        proof: { method: 'cvz', terms, guardBits, errorBits: bits - 1, reruns },
      }
  }
}
