// The jobs of a long computation: plain data, so that any thread can do them.
import { binomial } from '../binomial/binomial.ts'
import { certainDigits, type Fraction, type Guard, halves, type Powers } from '../pi/decimals.ts'
import { SERIES, type SeriesName } from '../pi/series.ts'
import { block } from '../pi/splitting.ts'
import type { Node } from '../pi/truncation.ts'

export interface Jobs {
  /** The node over [a, b). */
  block: { given: { series: SeriesName; a: number; b: number; prec: number; last: boolean }; made: Node }
  product: { given: { x: bigint; y: bigint }; made: bigint }
  /** ⌊x · 2^shift / y⌋ for positive numbers. */
  quotient: { given: { x: bigint; y: bigint; shift: number }; made: bigint }
  halves: { given: { fraction: Fraction; guard: Guard }; made: [Fraction, Fraction] }
  digits: { given: { fraction: Fraction; guard: Guard }; made: string | null }
  /** C(n, k) in decimal digits. */
  binomial: { given: { n: number; k: number }; made: string }
}
export type JobName = keyof Jobs

/** The pieces of one conversion need the same few powers. They are dropped when the next computation begins. */
const powers: Powers = new Map()

const WORK: { [N in JobName]: (given: Jobs[N]['given']) => Jobs[N]['made'] } = {
  block({ series, a, b, prec, last }) {
    powers.clear()
    return block(SERIES[series], a, b, prec, last)
  },
  product: ({ x, y }) => x * y,
  quotient: ({ x, y, shift }) => (shift >= 0 ? (x << BigInt(shift)) / y : x / (y << BigInt(-shift))),
  halves: ({ fraction, guard }) => halves(fraction, guard, powers),
  digits: ({ fraction, guard }) => certainDigits(fraction, guard, powers),
  binomial: ({ n, k }) => binomial(n, k).toString(),
}

/** Does one job in this thread. */
export const perform = <N extends JobName>(name: N, given: Jobs[N]['given']): Jobs[N]['made'] =>
  WORK[name](given)
