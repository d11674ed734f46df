// Pi by the partial sums of Leibniz's series 4·Σ(−1)^k/(2k+1) in doubles: the method `plain`. It knows no task.
import type { Computation } from './computation.ts'

/** More digits than these cannot be certified in double precision by this method in a moment. */
export const MAX_PLAIN_DIGITS = 9

/** Bounds the rounding of a double sum below 4 after so many additions and divisions, twice over. */
const roundingError = (terms: number): number => (terms + 8) * 2 ** -51

/**
 * Pi to `digits` (0 to 9) places, truncated.
 *
 * The partial sum S_N of N terms is off by almost 1/N (and by less than 4/(2N+1)), so that S_N alone would need
 * about 10^digits terms: 2.5·10^9 at nine digits, by when the bound on the rounding error is larger than the digit.
 * The mean of two successive partial sums, A_N = (S_N + S_(N+1))/2, is off by less than 1/N²; since the terms fall
 * convexly, pi lies between A_N and A_(N+1). Both ends of that bracket, widened by the rounding error, must
 * truncate to the same digits; otherwise the sum goes on to twice as many terms. 4·10^(digits/2) terms are enough
 * for each of 0 to 9: 126,492 at nine digits, a millisecond.
 */
export function* leibnizPartialSums(digits: number): Computation {
  const scale = 10 ** digits
  let aim = Math.ceil(4 * 10 ** (digits / 2)) + 2
  let sum = 0
  let terms = 0
  for (;;) {
    const block = Math.max(1, Math.floor(aim / 256))
    while (terms < aim) {
      for (const end = Math.min(aim, terms + block); terms < end; terms++)
        sum += (terms % 2 === 0 ? 4 : -4) / (2 * terms + 1)
      yield { fraction: Math.min(1, terms / aim), partial: () => String(sum) }
    }
    const term = (terms % 2 === 0 ? 4 : -4) / (2 * terms + 1)
    const next = (terms % 2 === 0 ? -4 : 4) / (2 * terms + 3)
    const ends = [sum + term / 2, sum + term + next / 2]
    const low = Math.floor((Math.min(...ends) - roundingError(terms)) * scale)
    const high = Math.floor((Math.max(...ends) + roundingError(terms)) * scale)
    if (low === high) return digits === 0 ? String(low) : `3.${String(low).slice(1)}`
    aim *= 2
  }
}
