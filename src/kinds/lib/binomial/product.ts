// Products of very many small numbers.

/** Multiplies neighbours together while they stay exact in a double: a BigInt costs far more than a Number. */
const packed = (factors: Iterable<number>): bigint[] => {
  const large: bigint[] = []
  let product = 1
  for (const factor of factors) {
    if (product * factor <= Number.MAX_SAFE_INTEGER) {
      product *= factor
      continue
    }
    large.push(BigInt(product))
    product = factor
  }
  large.push(BigInt(product))
  return large
}

/** Multiplied one after another up to so many: a tree of small numbers is all overhead. */
const LEAF = 16

/** Of the places from `from` to `to`. Not a closure, for the reason that merge in pi/splitting.ts has. */
const multiply = (large: readonly bigint[], from: number, to: number): bigint => {
  if (to - from <= LEAF) {
    let product = large[from] ?? 1n
    for (let i = from + 1; i < to; i++) product *= large[i] ?? 1n
    return product
  }
  const middle = (from + to) >> 1
  return multiply(large, from, middle) * multiply(large, middle, to)
}

/** The product of whole numbers from 1 to 2^53 − 1. */
export const productOf = (factors: Iterable<number>): bigint => {
  const large = packed(factors)
  return multiply(large, 0, large.length)
}
