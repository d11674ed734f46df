// The leading digits that a node at the left edge already determines.
import { BITS_PER_DIGIT } from './decimals.ts'
import type { Series } from './series.ts'
import type { Node } from './truncation.ts'

/** The most digits that a partial result holds. */
export const PARTIAL_DIGITS = 1_000

const decimal = (scaled: bigint, digits: number): string => {
  const text = scaled.toString()
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`
}

/**
 * The common beginning of all numbers between low and high, scaled by 2^bits; at most `digits` digits after the point.
 */
export const commonDigits = (low: bigint, high: bigint, bits: number, digits: number): string => {
  const power = 10n ** BigInt(digits)
  const a = decimal((low * power) >> BigInt(bits), digits)
  const b = decimal((high * power) >> BigInt(bits), digits)
  let same = 0
  while (same < a.length && a[same] === b[same]) same++
  return a.slice(0, same).replace(/\.$/, '')
}

/** The digits of pi after the point, at most PARTIAL_DIGITS, that b terms may determine. */
export const settledBy = (series: Series, b: number, digits: number): number =>
  Math.max(0, Math.min(digits, PARTIAL_DIGITS, Math.floor(series.tailBits(b) / BITS_PER_DIGIT)))

/**
 * What pi begins with, from a node over [0, b).
 *
 * With w = ⌈digits·log2 10⌉ + 64 bits, t and q are cut so that q keeps more than w + 31: a relative error below 2^(−w−30)
 * in each, of a quotient below 4, and one unit of 2^−w by the division. What was cut in the tree before is far less.
 * What the series leaves out is below 2^−tailBits(b). Together less than 2^−tailBits(b) + 2^(1−w).
 */
export const settledDigits = (node: Node, series: Series, digits: number): string => {
  const wanted = settledBy(series, node.b, digits)
  const width = Math.ceil(wanted * BITS_PER_DIGIT) + 64
  const size = Math.floor(node.log2Q) - node.qCut
  const spare = Math.max(0, size - width - 34)
  const q = node.q >> BigInt(spare)
  const shift = width + series.scaleBits + node.tCut - node.qCut - spare
  const value = shift >= 0 ? (node.t << BigInt(shift)) / q : (node.t >> BigInt(-shift)) / q
  const left = Math.floor(series.tailBits(node.b))
  const off = (left < width ? 1n << BigInt(width - left) : 1n) + 2n
  return commonDigits(value - off, value + off, width, wanted)
}
