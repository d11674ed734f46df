// How a computation is cut into jobs, and the weight of each part.
import { blockCost, digitsCost, halvesCost, mergeCosts, quotientCost, sizesOf } from './cost.ts'
import { BITS_PER_DIGIT, type Guard } from './decimals.ts'
import { SERIES, type SeriesName, termsFor } from './series.ts'
import { precisionFor } from './truncation.ts'

export const MAX_DEPTH = 6
/** The fewest terms of a block. A paced computation has smaller blocks, so that progress is visible. */
const BLOCK_TERMS = 512
const PACED_BLOCK_TERMS = 25
/** The depth to which the digits of a large result are written piece by piece. */
export const DIGITS_DEPTH = 3
const PIECE_DIGITS = 10_000
const depthFor = (total: number, least: number, most: number): number =>
  Math.max(0, Math.min(most, Math.floor(Math.log2(total / least))))

/** One run with a fixed number of guard bits. */
export interface Plan {
  series: SeriesName
  digits: number
  guard: Guard
  bits: number
  prec: number
  terms: number
  depth: number
  digitsDepth: number
}

export const planFor = (
  options: { series: SeriesName; digits: number },
  guardBits: number,
  paced: boolean,
): Plan => {
  const { series, digits } = options
  const bits = Math.ceil(digits * BITS_PER_DIGIT) + guardBits
  const terms = termsFor(SERIES[series], bits)
  return {
    series,
    digits,
    guard: { bits: guardBits },
    bits,
    prec: precisionFor(bits),
    terms,
    depth: depthFor(terms, paced ? PACED_BLOCK_TERMS : BLOCK_TERMS, MAX_DEPTH),
    digitsDepth: depthFor(digits, PIECE_DIGITS, DIGITS_DEPTH),
  }
}

export const middleOf = (a: number, b: number): number => a + ((b - a) >> 1)

/** The weights of a plan's parts. */
export interface Weights {
  /** All jobs for the node over [a, b) at this level. */
  node(a: number, b: number, level: number, last: boolean): number
  quotient: number
  whole: number
}

export const weigh = ({ series: name, digits, bits, prec, terms, depth, digitsDepth }: Plan): Weights => {
  const series = SERIES[name]
  const node = (a: number, b: number, level: number, last: boolean): number => {
    if (level === 0) return blockCost(series, a, b, prec)
    const middle = middleOf(a, b)
    const costs = mergeCosts(sizesOf(series, a, middle, prec), sizesOf(series, middle, b, prec), last)
    return (
      costs.reduce((sum, cost) => sum + cost, 0) +
      node(a, middle, level - 1, false) +
      node(middle, b, level - 1, last)
    )
  }
  const writing = (count: number, level: number): number =>
    level === 0
      ? digitsCost(count)
      : halvesCost(count) + writing(count >> 1, level - 1) + writing(count - (count >> 1), level - 1)
  const quotient = quotientCost(bits)
  return { node, quotient, whole: node(0, terms, depth, true) + quotient + writing(digits, digitsDepth) }
}

/** The nodes that an earlier attempt has done, and that are not part of a larger one that is done. */
export const doneBefore = (plan: Plan, weights: Weights, has: (a: number, b: number) => boolean): number => {
  const look = (a: number, b: number, level: number, last: boolean): number => {
    if (has(a, b)) return weights.node(a, b, level, last)
    if (level === 0) return 0
    const middle = middleOf(a, b)
    return look(a, middle, level - 1, false) + look(middle, b, level - 1, last)
  }
  return look(0, plan.terms, plan.depth, true)
}
