// Pi by binary splitting, as a tree of jobs: blocks, merges, one quotient, digits. With progress, checkpoints, and
// further threads where they pay.

import { createHelpers } from '../jobs/helpers.ts'
import { createJobScheduler, type JobScheduler } from '../jobs/job-scheduler.ts'
import { perform } from '../jobs/jobs.ts'
import { createTimetable, readState, type TreeState } from './checkpoint.ts'
import { blockCost, digitsCost, halvesCost, mergeCosts, sizesOf } from './cost.ts'
import type { Fraction } from './decimals.ts'
import type { MethodContext, ProvenPi } from './engine.ts'
import { PARTIAL_DIGITS, settledBy, settledDigits } from './partial.ts'
import { createPauses } from './pauses.ts'
import { DIGITS_DEPTH, doneBefore, MAX_DEPTH, middleOf, type Plan, planFor, weigh } from './plan.ts'
import { SERIES, type SeriesName } from './series.ts'
import { combine, factorsOf } from './splitting.ts'
import type { Node } from './truncation.ts'

export interface TreeOptions {
  series: SeriesName
  digits: number
  /** Bits beyond the digits in the first run; for tests of reruns. */
  guardBits?: number
  /** Above so many digits helper threads do the work, so that this one can receive a cancel at any time. */
  inlineDigits?: number
}

const GUARD_BITS = 128
const INLINE_DIGITS = 200_000

/** A finished node's numbers, so that a later attempt can skip them. */
interface Kept {
  get(a: number, b: number): Node | undefined
  add(node: Node): void
  remove(...nodes: Node[]): void
}

const growTree = (plan: Plan, scheduler: JobScheduler, kept: Kept): Promise<Node> => {
  const { series: name, prec, terms, depth } = plan
  const series = SERIES[name]
  const grow = async (a: number, b: number, level: number, last: boolean): Promise<Node> => {
    const known = kept.get(a, b)
    if (known) return known
    // post-order: leftmost first, merges before further blocks
    const place = b * (MAX_DEPTH + 1) + level
    if (level === 0) {
      const node = await scheduler.make(
        'block',
        { series: name, a, b, prec, last },
        { place, weight: blockCost(series, a, b, prec) },
      )
      kept.add(node)
      return node
    }
    const middle = middleOf(a, b)
    const [left, right] = await Promise.all([
      grow(a, middle, level - 1, false),
      grow(middle, b, level - 1, last),
    ])
    const costs = mergeCosts(sizesOf(series, a, middle, prec), sizesOf(series, middle, b, prec), last)
    const products = await Promise.all(
      factorsOf(left, right).map(([x, y], index) =>
        scheduler.make('product', { x, y }, { place, weight: costs[index] ?? 0 }),
      ),
    )
    const node = combine(left, right, products, series, prec)
    kept.remove(left, right)
    kept.add(node)
    return node
  }
  return grow(0, terms, depth, true)
}

const writeDigits = (plan: Plan, scheduler: JobScheduler, whole: Fraction): Promise<string | null> => {
  const { guard, digitsDepth } = plan
  const write = async (fraction: Fraction, level: number, from: number): Promise<string | null> => {
    const { digits } = fraction
    const place = from * (DIGITS_DEPTH + 1) + level
    if (level === 0)
      return scheduler.make('digits', { fraction, guard }, { place, weight: digitsCost(digits) })
    const [left, right] = await scheduler.make(
      'halves',
      { fraction, guard },
      { place, weight: halvesCost(digits) },
    )
    const [first, second] = await Promise.all([
      write(left, level - 1, from),
      write(right, level - 1, from + left.digits),
    ])
    return first === null || second === null ? null : first + second
  }
  return write(whole, digitsDepth, 0)
}

/**
 * Pi to `digits` places, truncated, each of them certain.
 *
 * With g guard bits and bits = ⌈digits·log2 10⌉ + g, what the series leaves out is below 2^−bits, what truncation loses
 * below 2^(23 − bits) of the sum and so 2^(26 − bits) of pi, and the quotient below 2^−bits: together less than
 * 2^(27 − bits), which is what certainDigits asks for. When it is not certain of a digit, all is done anew with twice
 * the guard bits.
 *
 * @throws the signal's reason, soon after it fires
 */
export const treePi = async (options: TreeOptions, context: MethodContext): Promise<ProvenPi> => {
  const { series: name, digits, inlineDigits = INLINE_DIGITS } = options
  const series = SERIES[name]
  const { signal, paceMs } = context
  const state: TreeState = readState(context.resume, name, digits) ?? {
    format: 1,
    series: name,
    digits,
    guardBits: options.guardBits ?? GUARD_BITS,
    reruns: 0,
    nodes: [],
    quotient: null,
  }
  const helpers = digits > inlineDigits ? createHelpers() : null
  const timetable = createTimetable()
  const nodes = new Map<string, Node>(state.nodes.map(node => [`${node.a}-${node.b}`, node]))
  let highest = 0
  let certain: string | null = null
  let shown = 0

  const keep = (): void => {
    if (!timetable.isDue()) return
    state.nodes = state.quotient === null ? [...nodes.values()] : []
    context.keep(state)
    timetable.kept(state)
  }
  /** Shows digits that this node determines and that were not shown yet. */
  const show = (node: Node): void => {
    if (node.a !== 0 || shown >= Math.min(digits, PARTIAL_DIGITS)) return
    if (settledBy(series, node.b, digits) <= shown) return
    certain = settledDigits(node, series, digits)
    shown = Math.max(0, certain.length - 2)
  }

  for (const node of state.nodes) show(node)

  const run = async (): Promise<string | null> => {
    const plan = planFor(options, state.guardBits, paceMs > 0)
    const weights = weigh(plan)
    const { node: weightOfNode, quotient: weightOfQuotient, whole } = weights
    let done =
      state.quotient === null
        ? doneBefore(plan, weights, (a, b) => nodes.has(`${a}-${b}`))
        : weightOfNode(0, plan.terms, plan.depth, true) + weightOfQuotient
    highest = Math.max(highest, done / whole)
    const pauses = createPauses(signal, paceMs, highest)
    const scheduler = createJobScheduler({
      lanes: () => (helpers ? context.cores() : 1),
      perform: helpers ? helpers.perform : perform,
      done(weight) {
        done += weight
        highest = Math.max(highest, Math.min(1, done / whole))
        context.report(highest, certain)
        return pauses.pause(highest)
      },
    })
    const stop = (): void => scheduler.end(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    try {
      signal.throwIfAborted()
      const kept: Kept = {
        get: (a, b) => nodes.get(`${a}-${b}`),
        add(node) {
          nodes.set(`${node.a}-${node.b}`, node)
          show(node)
          keep()
        },
        remove(...gone) {
          for (const node of gone) nodes.delete(`${node.a}-${node.b}`)
        },
      }
      if (state.quotient === null) {
        const root = await growTree(plan, scheduler, kept)
        state.quotient = await scheduler.make(
          'quotient',
          { x: root.t, y: root.q, shift: plan.bits + series.scaleBits + root.tCut - root.qCut },
          { place: 0, weight: weightOfQuotient },
        )
        nodes.clear()
        keep()
      }
      const fraction = { bits: BigInt.asUintN(plan.bits, state.quotient), size: plan.bits, digits }
      return await writeDigits(plan, scheduler, fraction)
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  const end = helpers?.end
  try {
    for (;;) {
      const text = await run()
      if (text !== null) {
        await end?.()
        const { guardBits, reruns } = state
        const { bits, terms } = planFor(options, guardBits, false)
        return {
          text: digits === 0 ? '3' : `3.${text}`,
          proof: { method: name, terms, guardBits, errorBits: bits - 27, reruns },
        }
      }
      state.guardBits *= 2
      state.reruns += 1
      state.quotient = null
      nodes.clear()
    }
  } catch (error) {
    // not awaited: a thread inside a long multiplication dies only after it
    void end?.()
    throw error
  }
}
