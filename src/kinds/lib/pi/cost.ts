// The costs of the parts of a tree, in arbitrary units, so that the percentage grows evenly.
import { BITS_PER_DIGIT } from './decimals.ts'
import type { Series } from './series.ts'

/** The cost of a product of two numbers of so many bits, as V8's algorithms behave. */
export const productCost = (x: number, y: number): number => {
  const [small, large] = x < y ? [x, y] : [y, x]
  return small <= 0 ? 0 : large * small ** 0.2
}

/** log2 Π q(j) over [a, b), with q(j) ≈ c·(j+1)^e fitted at the ends. */
const sizeOf = (factor: (j: number) => number, a: number, b: number): number => {
  const first = Math.log2(Math.abs(factor(a + 1)))
  const middle = Math.log2(Math.abs(factor((a + b) / 2)))
  const last = Math.log2(Math.abs(factor(b)))
  return ((first + 4 * middle + last) / 6) * (b - a)
}

export interface Sizes {
  p: number
  q: number
  t: number
}

/** About how many bits the numbers of a node have when kept. */
export const sizesOf = (series: Series, a: number, b: number, prec: number): Sizes => {
  const q = sizeOf(series.q, a, b)
  const keepLeft = Math.max(64, prec - series.bitsPerTerm * a)
  const keepRight = Math.max(64, prec - series.bitsPerTerm * b)
  return {
    p: Math.min(sizeOf(series.p, a, b), keepRight),
    q: Math.min(q, keepLeft),
    t: Math.min(q, keepLeft),
  }
}

/** The costs of a merge's four products, from the sizes of the two nodes. */
export const mergeCosts = (left: Sizes, right: Sizes, last: boolean): number[] => [
  productCost(left.t, right.q),
  productCost(left.p, right.t),
  productCost(left.q, right.q),
  ...(last ? [] : [productCost(left.p, right.p)]),
]

/** The cost of a block, as if each of its levels cost as much as its last merge. */
export const blockCost = (series: Series, a: number, b: number, prec: number): number => {
  const middle = (a + b) / 2
  const merge = mergeCosts(sizesOf(series, a, middle, prec), sizesOf(series, middle, b, prec), false)
  return merge.reduce((sum, cost) => sum + cost, 0) * Math.max(1, Math.log2((b - a) / 6))
}

export const quotientCost = (bits: number): number => 4 * productCost(bits, bits)
export const halvesCost = (digits: number): number =>
  productCost(digits * BITS_PER_DIGIT, digits * 1.16) * 1.5
export const digitsCost = (digits: number): number =>
  halvesCost(digits) * Math.max(1, Math.log2(digits / 100))
