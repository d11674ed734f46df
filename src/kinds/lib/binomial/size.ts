// How large a binomial coefficient is, without computing it.

/** For fewer factors the logarithms are simply added. */
const FEW = 1_000

/** log2(n!) − n·log2(n/e) − log2(√(2πn)), Stirling's correction, good to 1e-9 from 16 on. */
const correction = (n: number): number => (1 / (12 * n) - 1 / (360 * n ** 3)) / Math.LN2

/**
 * log2 C(n, k) for 0 ≤ k ≤ n < 2^53, to some parts in 10^13 and never off by more than 0.001.
 *
 * Stirling's formula for the three factorials, written so that nothing large cancels:
 * k·log2(n/k) − (n−k)·log2(1 − k/n) + ½·log2(n / (2πk(n−k))) and the corrections.
 */
export const log2Binomial = (n: number, k: number): number => {
  const few = Math.min(k, n - k)
  if (few <= FEW) {
    let sum = 0
    for (let i = 1; i <= few; i++) sum += Math.log2((n - few + i) / i)
    return sum
  }
  const rest = n - few
  return (
    few * Math.log2(n / few) -
    (rest * Math.log1p(-few / n)) / Math.LN2 +
    0.5 * Math.log2(n / few / (2 * Math.PI * rest)) +
    correction(n) -
    correction(few) -
    correction(rest)
  )
}

/** How many decimal digits C(n, k) has; off by one at most. */
export const digitsOfBinomial = (n: number, k: number): number =>
  Math.floor(log2Binomial(n, k) / Math.log2(10)) + 1
