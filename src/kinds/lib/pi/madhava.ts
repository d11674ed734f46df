// The method `madhava`: terms of Leibniz's series, and Madhava's correction for the rest, as deep as needed.
import { BITS_PER_DIGIT, certainDigits } from './decimals.ts'
import type { MethodContext, ProvenPi } from './engine.ts'
import { runRecurrence } from './recurrence.ts'

const GUARD_BITS = 128
/** Terms per bit: a step of the continued fraction costs about four times as much as a term. Found by trial. */
const TERMS_PER_BIT = 0.3
/** What the fixed-point numbers carry beyond the wanted bits. */
const EXTRA_BITS = 40
/** The convergents' numbers keep more than bits + 64 of them, and are cut when they have grown by so many. */
const GROWTH_BITS = 256
/** The depth is found with doubles; this covers what they are off. */
const MARGIN_BITS = 8

/**
 * How deep the fraction 1/(x + 2²/(x + 4²/(x + …))) must go until two convergents in a row are within 2^−bits.
 *
 * With B_0 = 1, B_1 = x, B_(i+1) = x·B_i + (2i)²·B_(i−1), the convergents i and i+1 are Π_{j≤i} (2j)² / (B_i·B_(i+1))
 * apart. The logarithms are sums of the ratios B_(i+1)/B_i.
 */
export const depthFor = (x: number, bits: number): number => {
  let ratio = x
  let gap = -Math.log2(x)
  let i = 1
  for (; gap > -bits - MARGIN_BITS; i++) {
    const factor = 4 * i * i
    const next = x + factor / ratio
    gap += Math.log2(factor) - Math.log2(ratio) - Math.log2(next)
    ratio = next
  }
  return i
}

/**
 * Pi to `digits` places, truncated, each of them certain.
 *
 * pi/4 = Σ_{k<m} (−1)^k/(2k+1) + (−1)^m · f, f = 1/(4m + 2²/(4m + 4²/(4m + …))): Stieltjes's fraction
 * Σ (−1)^k · 2/(x + 2k + 1) = 1/(x + 1²/(x + 2²/(x + …))) with x = 2m, halved. Madhava's own corrections are its first
 * convergents. All parts are positive, so that the convergents lie on either side of f in turns, and the gap between
 * the last two bounds the error: below 2^−(bits + 8) by `depthFor`, 2^−(bits + 6) of pi.
 *
 * Rounding: the m terms are rounded down by less than 2^−(bits + 40) each. The numbers A_i and B_i of the convergents
 * are cut together, and then keep more than bits + 64 bits of B and, A/B being 1/(4m) at the least half of it, more
 * than bits + 30 of A for m below 2^30; only sums and products of positive numbers follow, so that the relative
 * errors of all cuts add up: fewer than 2^20 cuts, 2^−(bits + 9) in all, of a value below 1/(4m). Together less than
 * 2^(2 − bits) of pi.
 */
export const madhavaPi = async (digits: number, context: MethodContext): Promise<ProvenPi> => {
  for (let guardBits = GUARD_BITS, reruns = 0; ; guardBits *= 2, reruns++) {
    const bits = Math.ceil(digits * BITS_PER_DIGIT) + guardBits
    const m = Math.ceil(bits * TERMS_PER_BIT)
    const x = 4 * m
    const depth = depthFor(x, bits)
    const one = 1n << BigInt(bits + EXTRA_BITS)
    const most = 1n << BigInt(bits + 64 + GROWTH_BITS)
    const { sum, a, b } = await runRecurrence(
      {
        method: 'madhava',
        digits,
        guardBits,
        steps: m + depth - 1,
        // the convergents 0/1 and 1/x
        begin: () => {
          const lift = BigInt(bits + 64)
          return { sum: 0n, aBefore: 0n, a: 1n << lift, bBefore: 1n << lift, b: BigInt(x) << lift }
        },
        step(numbers, k) {
          if (k < m) {
            const term = one / BigInt(2 * k + 1)
            numbers.sum += k % 2 === 0 ? term : -term
            return
          }
          const i = k - m + 1
          const factor = BigInt(4 * i * i)
          const by = BigInt(x)
          const a = by * numbers.a + factor * numbers.aBefore
          const b = by * numbers.b + factor * numbers.bBefore
          numbers.aBefore = numbers.a
          numbers.bBefore = numbers.b
          numbers.a = a
          numbers.b = b
          if (b < most) return
          const cut = BigInt(GROWTH_BITS)
          numbers.a >>= cut
          numbers.aBefore >>= cut
          numbers.b >>= cut
          numbers.bBefore >>= cut
        },
        share: k => (k < m ? k : m + 4 * (k - m)) / (m + 4 * depth),
      },
      context,
    )
    const rest = (a << BigInt(bits + EXTRA_BITS)) / b
    const value = (4n * (m % 2 === 0 ? sum + rest : sum - rest)) >> BigInt(EXTRA_BITS)
    const text = certainDigits({ bits: BigInt.asUintN(bits, value), size: bits, digits }, { bits: guardBits })
    if (text !== null)
      return {
        text: digits === 0 ? '3' : `3.${text}`,
        proof: { method: 'madhava', terms: m + depth, guardBits, errorBits: bits - 2, reruns },
      }
  }
}
