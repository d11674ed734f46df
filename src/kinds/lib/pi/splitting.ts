// Binary splitting: leaves, blocks of many leaves, and merges that can be done product by product.
import type { Series } from './series.ts'
import { type Node, shorten } from './truncation.ts'

/** A leaf has 12 to 24 terms: a range is halved until it has no more than these. */
const LEAF_TERMS = 24
/** A product of doubles stays finite over so many factors, each below 2^64. */
const LOG_EVERY = 8

/** @throws RangeError beyond 2^53, where a double may not be the intended number: some 13 million digits */
const exactly = (value: number): bigint => {
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER)
    throw new RangeError('a factor of the series is too large to be exact')
  return BigInt(value)
}

const leaf = (series: Series, a: number, b: number, last: boolean): Node => {
  let p = 1n
  let q = 1n
  let t = 0n
  let log2P = 0
  let log2Q = 0
  let sizeP = 1
  let sizeQ = 1
  for (let j = a; j < b; j++) {
    const pj = series.p(j)
    const qj = series.q(j)
    const bigQ = exactly(qj)
    p *= exactly(pj)
    t = t * bigQ + p * BigInt(series.weight(j))
    q *= bigQ
    sizeP *= pj
    sizeQ *= qj
    if ((j - a) % LOG_EVERY === LOG_EVERY - 1 || j === b - 1) {
      log2P += Math.log2(Math.abs(sizeP))
      log2Q += Math.log2(sizeQ)
      sizeP = 1
      sizeQ = 1
    }
  }
  return { a, b, p: last ? 0n : p, q, t, pCut: 0, qCut: 0, tCut: 0, log2P, log2Q }
}

/** The products that a merge needs: T₁Q₂, P₁T₂, Q₁Q₂ and, unless the right edge needs no P, P₁P₂. */
export const factorsOf = (left: Node, right: Node): [bigint, bigint][] => {
  const factors: [bigint, bigint][] = [
    [left.t, right.q],
    [left.p, right.t],
    [left.q, right.q],
  ]
  if (right.p !== 0n) factors.push([left.p, right.p])
  return factors
}

/** The node over both ranges, from the products of `factorsOf`, cut to what matters. */
export const combine = (
  left: Node,
  right: Node,
  products: readonly bigint[],
  series: Series,
  prec: number,
): Node => {
  const [first = 0n, second = 0n, q = 0n, p = 0n] = products
  const firstCut = left.tCut + right.qCut
  const secondCut = left.pCut + right.tCut
  const tCut = Math.min(firstCut, secondCut)
  // aligned to the finer one, so that adding loses nothing
  const t = (first << BigInt(firstCut - tCut)) + (second << BigInt(secondCut - tCut))
  const whole: Node = {
    a: left.a,
    b: right.b,
    p,
    q,
    t,
    pCut: left.pCut + right.pCut,
    qCut: left.qCut + right.qCut,
    tCut,
    log2P: left.log2P + right.log2P,
    log2Q: left.log2Q + right.log2Q,
  }
  return shorten(whole, series, prec)
}

/**
 * T = T₁Q₂ + P₁T₂, Q = Q₁Q₂, P = P₁P₂ over two neighbouring ranges. It creates no closures: when a thread is ended
 * inside a product, V8 inspects the functions on the stack, and Node 20 then aborts the whole process if the
 * optimising compiler has removed one that is a closure.
 */
export const merge = (left: Node, right: Node, series: Series, prec: number): Node => {
  const products = [left.t * right.q, left.p * right.t, left.q * right.q]
  if (right.p !== 0n) products.push(left.p * right.p)
  return combine(left, right, products, series, prec)
}

/** The node over [a, b); `last` when it ends the series, so that its P is not needed (and is 0). */
export const block = (series: Series, a: number, b: number, prec: number, last: boolean): Node => {
  if (b - a <= LEAF_TERMS) return leaf(series, a, b, last)
  const middle = a + ((b - a) >> 1)
  return merge(block(series, a, middle, prec, false), block(series, middle, b, prec, last), series, prec)
}
