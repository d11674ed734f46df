// Products of very many small numbers.

/** Multiplies neighbours while they stay exact in a double: a BigInt costs far more than a Number. */
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

/** So few are multiplied one after another: a tree would be all overhead. */
const LEAF = 16

/** The product of the places from `from` to `to`. Not a closure, for the same reason as merge in pi/splitting.ts. */
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
