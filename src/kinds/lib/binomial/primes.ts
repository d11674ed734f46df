// The primes up to a bound, by a sieve over the odd numbers.

/** In rising order. A byte for every other number up to `most`. */
export function* primesUpTo(most: number): Generator<number, void, void> {
  if (most >= 2) yield 2
  // place i stands for 2i + 1
  const composite = new Uint8Array(Math.floor((most + 1) / 2))
  const root = Math.floor(Math.sqrt(most))
  for (let p = 3; p <= root; p += 2)
    if (composite[p >> 1] === 0) for (let i = (p * p) >> 1; i < composite.length; i += p) composite[i] = 1
  for (let i = 1; i < composite.length; i++) if (composite[i] === 0) yield 2 * i + 1
}
