// C(n, k), exactly, by the fastest method for its size.
import { primesUpTo } from './primes.ts'
import { productOf } from './product.ts'

/** For so few factors two products and a division are fastest. */
const FEW = 50
/** A sieve up to n takes half as many bytes. */
const MAX_SIEVE = 50_000_000
/** With k below n/32 most primes up to n do not divide C(n, k), and the sieve does not pay. */
const SPARSE = 32

function* range(from: number, to: number): Generator<number, void, void> {
  for (let i = from; i <= to; i++) yield i
}

/** (n−k+1)·…·n / k!, directly. */
export const byDivision = (n: number, k: number): bigint =>
  productOf(range(n - k + 1, n)) / productOf(range(1, k))

/** Kummer: p divides C(n, k) as often as adding k and n−k in base p carries. */
const carries = (n: number, k: number, p: number): number => {
  let [a, b, carry, count] = [k, n - k, 0, 0]
  while (a > 0 || b > 0) {
    carry = (a % p) + (b % p) + carry >= p ? 1 : 0
    count += carry
    a = Math.floor(a / p)
    b = Math.floor(b / p)
  }
  return count
}

/** The product of all prime powers that divide C(n, k). */
export const byPrimes = (n: number, k: number): bigint => {
  const powers = function* (): Generator<number, void, void> {
    for (const p of primesUpTo(n)) {
      // p ≤ n: a power p^c that divides C(n, k) is at most n
      const count = carries(n, k, p)
      if (count > 0) yield p ** count
    }
  }
  return productOf(powers())
}

/**
 * The numbers n−k+1 to n without the prime factors of k!: for each prime p ≤ k, as many factors p as k! has are
 * removed from the first multiples of p. A product of k successive numbers is a multiple of k!, so there are enough.
 */
export const byStripping = (n: number, k: number): bigint => {
  const from = n - k + 1
  const numbers = new Float64Array(k)
  for (let i = 0; i < k; i++) numbers[i] = from + i
  for (const p of primesUpTo(k)) {
    let left = 0
    for (let power = Math.floor(k / p); power > 0; power = Math.floor(power / p)) left += power
    for (let i = (p - (from % p)) % p; left > 0; i += p) {
      let value = numbers[i] ?? 0
      for (; left > 0 && value % p === 0; left--) value /= p
      numbers[i] = value
    }
  }
  return productOf(numbers)
}

/** C(n, k) for whole numbers 0 ≤ k ≤ n < 2^53; 0 for k > n. */
export const binomial = (n: number, k: number): bigint => {
  if (k > n) return 0n
  const few = Math.min(k, n - k)
  if (few <= FEW) return byDivision(n, few)
  return n <= MAX_SIEVE && few >= n / SPARSE ? byPrimes(n, few) : byStripping(n, few)
}
