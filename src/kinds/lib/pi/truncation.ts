// Nodes of the splitting tree, how many of their bits are kept, and the bound on the error of that.
import type { Series } from './series.ts'

/**
 * Over the terms [a, b): P = Π p(j), Q = Π q(j), T/Q = Σ_{a≤k<b} weight(k) · Π_{j=a..k} p(j)/q(j). Each number is kept
 * without its last bits: P ≈ p · 2^pCut, and so on. log2P and log2Q are those of the whole numbers.
 */
export interface Node {
  a: number
  b: number
  p: bigint
  q: bigint
  t: bigint
  pCut: number
  qCut: number
  tCut: number
  log2P: number
  log2Q: number
}

/** Bits that a tree carries beyond the wanted ones. */
const EXTRA_BITS = 36
/** Below this many bits nothing is cut. */
const LEAST_BITS = 64
/** Saving fewer bits is not worth a copy. */
const WORTH_BITS = 64
/** log2 |T/Q| is smaller: see Series. */
const T_OVER_Q_BITS = 30

/** The bits of the root for a sum that is exact to `bits`. */
export const precisionFor = (bits: number): number => bits + EXTRA_BITS

const cutOf = (size: number, keep: number): number => {
  const excess = Math.floor(size - keep)
  return excess >= WORTH_BITS ? excess : 0
}

/**
 * Takes away the bits of a node that cannot matter in a sum of which the root carries `prec` bits.
 *
 * With β = bitsPerTerm, q keeps prec − β·a bits, p prec − β·b, and t as many as leave an error below
 * Q · 2^(T_OVER_Q_BITS + 1 − prec + β·a); none less than LEAST_BITS. The sum over the whole tree is then off by less
 * than 2^(24 − bits), bits = prec − 36, for up to 2^26 terms:
 *
 * Write τ = T/Q and ρ = P/Q for the numbers as they are kept. Merging is τ = τ₁ + ρ₁·τ₂, ρ = ρ₁·ρ₂, exactly, whatever
 * was cut off before: the same Q₂ stands in T₁Q₂ and in Q₁Q₂. So each cut can be looked at alone, as a change of its
 * node's τ and ρ. The root's τ is the sum over any row of nodes of ρ[0,a) · τ[a,b), and |ρ[0,a)| < 2^(1 − β·a), twice
 * that at most with what was cut. A cut of
 * - t by less than Q · 2^(31 − prec + β·a) changes the root by less than 2^(2 − β·a) times 2^(31 − prec + β·a), which is
 *   2^(33 − prec);
 * - q in its bit number prec − β·a − 1 changes τ and ρ of the node by the relative 2^(2 − prec + β·a), and with them
 *   everything from a on, which is below 2^(2 − β·a) · 2^30: 2^(34 − prec) at the very most, and in fact far less, since
 *   the sum from a on is below 2^(2 − β·a) · (weight(a) + 1);
 * - p in its bit number prec − β·b − 1 changes everything from b on, by less than 2^(34 − prec) likewise.
 * Each cut node changes the root by less than 2^(36 − prec), leaves are not cut and have at least 12 terms each, so
 * there are fewer than 2^26/12 < 2^22.5 cut nodes: together 2^(58.5 − prec) = 2^(22.5 − bits). Sizes are estimated from
 * sums of doubles, which are off by less than half a bit here: 2^(23 − bits).
 */
export const shorten = (node: Node, series: Series, prec: number): Node => {
  const { a, b, log2P, log2Q } = node
  const left = Math.max(LEAST_BITS, prec - series.bitsPerTerm * a)
  const right = Math.max(LEAST_BITS, prec - series.bitsPerTerm * b)
  const p = node.p === 0n ? 0 : cutOf(log2P - node.pCut, right)
  const q = cutOf(log2Q - node.qCut, left)
  const t = cutOf(log2Q + T_OVER_Q_BITS - node.tCut, left)
  if (p > 0) {
    node.p >>= BigInt(p)
    node.pCut += p
  }
  if (q > 0) {
    node.q >>= BigInt(q)
    node.qCut += q
  }
  if (t > 0) {
    node.t >>= BigInt(t)
    node.tCut += t
  }
  return node
}
