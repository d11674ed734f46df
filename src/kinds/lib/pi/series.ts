// The two series for pi that binary splitting sums, as data: factors, weights, and how fast their terms fall.

/**
 * pi = scale · Σ_{k≥0} weight(k) · Π_{j=0..k} p(j)/q(j), with p(0) = 1 and |p(j)/q(j)| < 2^−bitsPerTerm for j ≥ 1.
 *
 * Two more facts are what truncation.ts relies on:
 * - |Π_{j<a} p(j)/q(j)| < 2^(1 − a·bitsPerTerm);
 * - |Σ_{a≤k<b} weight(k) · Π_{j=a..k} p(j)/q(j)| < 2^30 for b ≤ 2^26.
 */
export interface Series {
  readonly bitsPerTerm: number
  /** A power of two, as its exponent. */
  readonly scaleBits: number
  p(j: number): number
  q(j: number): number
  weight(j: number): number
  /** What is left out after n terms is smaller than 2^−tailBits(n). */
  tailBits(n: number): number
}

const LOG2_27 = Math.log2(27)

/**
 * Van Wijngaarden's rule on Leibniz's series: pi = Σ (−1)^k · 8(7k+6) · (2k)! / Π_{j=0..k} 3(6j+1)(6j+5).
 *
 * The sum of the first N terms is exactly 4·(the first N terms of Leibniz's series + the Euler transform, of 2N stages,
 * of its tail): expand 1/(1+u), u = x², in powers of w(u)/w(−1) with w = u(1−u)². A test compares both sides as
 * fractions.
 *
 * p(j)/q(j) = −2j(2j−1) / (3(6j+1)(6j+5)), and 27·2j(2j−1) = 108j² − 54j < 108j² + 108j + 15 = q(j): below 1/27. The
 * terms themselves fall by more than 27 as well: 27·(7k+13)(2k+1)(2k+2) < (7k+6)·3(6k+7)(6k+11), the difference being
 * 3·(126k² + 359k + 228). Their signs alternate, so that what is left out after N terms is smaller than the first
 * of it, 3.2·27^−N.
 *
 * Π_{j<a}: 1/15 · 27^−(a−1) < 2 · 27^−a. The sums: |·| is at most its first term, (7a+6)/27 for a ≥ 1, 0.4 for a = 0.
 */
export const WIJNGAARDEN: Series = {
  bitsPerTerm: LOG2_27,
  scaleBits: 3,
  p: j => (j === 0 ? 1 : -2 * j * (2 * j - 1)),
  q: j => 3 * (6 * j + 1) * (6 * j + 5),
  weight: j => 7 * j + 6,
  tailBits: n => n * LOG2_27 - 2,
}

/**
 * Euler's transform of Leibniz's series: pi = Σ t_k, t_0 = 2, t_k = t_(k−1) · k/(2k+1).
 *
 * k/(2k+1) < 1/2, and all terms are positive: what is left out after N terms is below t_N · 2 < 2^(2−N). Π_{j<a} is at
 * most 2^(1−a), and the sums are below 2.
 */
export const EULER: Series = {
  bitsPerTerm: 1,
  scaleBits: 1,
  p: j => (j === 0 ? 1 : j),
  q: j => 2 * j + 1,
  weight: () => 1,
  tailBits: n => n - 2,
}

export const SERIES = { wijngaarden: WIJNGAARDEN, euler: EULER } as const
export type SeriesName = keyof typeof SERIES

/** As many terms as leave out less than 2^−bits. */
export const termsFor = (series: Series, bits: number): number => {
  let terms = Math.max(1, Math.ceil(bits / series.bitsPerTerm))
  while (series.tailBits(terms) < bits) terms++
  return terms
}
