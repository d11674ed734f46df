// Few digits by the series of `wijngaarden`, term by term in fixed point: faster than splitting, and nicer to watch.
import { BITS_PER_DIGIT } from './decimals.ts'
import type { Answer, Surroundings } from './engine.ts'
import { commonDigits, PARTIAL_DIGITS } from './partial.ts'
import { createPauses } from './pauses.ts'
import { WIJNGAARDEN } from './series.ts'

/** More digits than these are split faster. */
export const SHORT_DIGITS = 300
/** With a pace to watch, up to these are computed here: a few milliseconds. */
export const PACED_SHORT_DIGITS = 5_000

const { bitsPerTerm, p, q, weight } = WIJNGAARDEN

interface Factors {
  weight: bigint
  /** Of the term before: u_k = u_(k−1) · up / down. */
  up: bigint
  down: bigint
}
/** Making a BigInt of a Number costs as much as multiplying by it; these few are made once. */
const factors: Factors[] = []
const factorsAt = (k: number): Factors => {
  const known = factors[k]
  if (known) return known
  const made = { weight: BigInt(weight(k)), up: BigInt(-p(k)), down: BigInt(q(k)) }
  factors[k] = made
  return made
}

/**
 * Pi to `digits` places, truncated. `guardBits` beyond what the digits and the error need are doubled until the last
 * digit is certain.
 *
 * pi = Σ (−1)^k · weight(k) · u_k, u_0 = 8/15, u_k = u_(k−1) · |p(k)|/q(k). Error, in units of 2^−bits: the ratios are
 * below 1/27, so the floors leave each u_k less than 27/26 below its value; times the weights, over k < N, that is
 * below 27/26·Σ(7k+6) < 4(N+1)². The loop ends when u_N, and so its true value up to 27/26, is 0; the terms alternate
 * and fall, so what is left out is below the first of it, 27/26·(7N+6). Together less than 4(N+3)². The result is
 * taken only when value − error and value + error truncate alike.
 */
export const shortPi = async (digits: number, around: Surroundings, guardBits = 16): Promise<Answer> => {
  const { signal, paceMs } = around
  const wantedBits = Math.ceil(digits * BITS_PER_DIGIT)
  const power = 10n ** BigInt(digits)
  const pauses = paceMs > 0 ? createPauses(signal, paceMs) : null
  for (let guard = guardBits, reruns = 0; ; guard *= 2, reruns++) {
    const expected = Math.ceil((wantedBits + guard + 24) / bitsPerTerm) + 2
    const bits = wantedBits + guard + 2 + 2 * Math.ceil(Math.log2(expected + 3))
    const errorAt = (terms: number): bigint => 4n * BigInt(terms + 3) ** 2n
    let u = (8n << BigInt(bits)) / 15n
    let sum = 0n
    let k = 0
    const certain = (): string => {
      const shown = Math.min(digits, PARTIAL_DIGITS, Math.floor(k * 1.5))
      const kept = Math.min(bits, Math.ceil(shown * BITS_PER_DIGIT) + 64)
      const off = ((u * BigInt(weight(k)) + errorAt(k)) >> BigInt(bits - kept)) + 2n
      const value = sum >> BigInt(bits - kept)
      return commonDigits(value - off, value + off, kept, shown)
    }
    while (u > 0n) {
      const term = u * factorsAt(k).weight
      sum = k % 2 === 0 ? sum + term : sum - term
      k++
      const { up, down } = factorsAt(k)
      u = (u * up) / down
      if (!pauses) continue
      // a term costs in proportion to the bits that are left of it
      const share = Math.min(1, 1 - (1 - Math.min(1, k / expected)) ** 2)
      const pause = pauses.pause(share)
      if (!pause) continue
      around.report(share, certain())
      await pause
    }
    const error = errorAt(k)
    const low = ((sum - error) * power) >> BigInt(bits)
    const high = ((sum + error) * power) >> BigInt(bits)
    if (low !== high) continue
    const text = low.toString()
    return {
      text: digits === 0 ? text : `${text.slice(0, 1)}.${text.slice(1)}`,
      proof: {
        method: 'wijngaarden',
        terms: k,
        guardBits: guard,
        errorBits: bits - Math.ceil(2 + 2 * Math.log2(k + 3)),
        reruns,
      },
    }
  }
}
