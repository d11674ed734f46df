// The method `plain`: the partial sums of Leibniz's series 4·Σ(−1)^k/(2k+1) in doubles.
import type { MethodContext, ProvenPi } from './engine.ts'
import { createPauses } from './pauses.ts'

/** More digits than these cannot be certified in double precision by this method in a moment. */
export const MAX_PLAIN_DIGITS = 9

/** Bounds the rounding of a double sum below 4 after so many additions and divisions, twice over. */
const roundingError = (terms: number): number => (terms + 8) * 2 ** -51

/**
 * Pi to `digits` (0 to 9) places, truncated. What it shows on the way are the partial sums themselves.
 *
 * The partial sum S_N of N terms is off by almost 1/N (and by less than 4/(2N+1)), so that S_N alone would need
 * about 10^digits terms: 2.5·10^9 at nine digits, by when the bound on the rounding error is larger than the digit.
 * The mean of two successive partial sums, A_N = (S_N + S_(N+1))/2, is off by less than 1/N²; since the terms fall
 * convexly, pi lies between A_N and A_(N+1). Both ends of that bracket, widened by the rounding error, must
 * truncate to the same digits; otherwise the sum goes on to twice as many terms. 4·10^(digits/2) terms are enough
 * for each of 0 to 9: 126,492 at nine digits, a millisecond.
 */
export const plainPi = async (digits: number, context: MethodContext): Promise<ProvenPi> => {
  const scale = 10 ** digits
  const pauses = createPauses(context.signal, context.paceMs)
  let aim = Math.ceil(4 * 10 ** (digits / 2)) + 2
  let sum = 0
  let terms = 0
  for (let reruns = 0; ; aim *= 2, reruns++) {
    const block = Math.max(1, Math.floor(aim / 256))
    while (terms < aim) {
      for (const end = Math.min(aim, terms + block); terms < end; terms++)
        sum += (terms % 2 === 0 ? 4 : -4) / (2 * terms + 1)
      const share = Math.min(1, terms / aim)
      context.report(share, String(sum))
      await pauses.pause(share)
    }
    const term = (terms % 2 === 0 ? 4 : -4) / (2 * terms + 1)
    const next = (terms % 2 === 0 ? -4 : 4) / (2 * terms + 3)
    const ends = [sum + term / 2, sum + term + next / 2]
    const [least, most] = [Math.min(...ends) - roundingError(terms), Math.max(...ends) + roundingError(terms)]
    const low = Math.floor(least * scale)
    if (low !== Math.floor(most * scale)) continue
    return {
      text: digits === 0 ? String(low) : `3.${String(low).slice(1)}`,
      proof: {
        method: 'plain',
        terms: terms + 2,
        guardBits: 0,
        errorBits: Math.floor(-Math.log2(most - least)),
        reruns,
      },
    }
  }
}
