// The checkpoint of a tree: what it holds, how often it is saved, and how it is checked.
import { BITS_PER_DIGIT } from './decimals.ts'
import type { SeriesName } from './series.ts'
import type { Node } from './truncation.ts'

/** The nodes that are done and not yet merged, or the quotient once there is one. */
export interface TreeState {
  format: 1
  series: SeriesName
  digits: number
  guardBits: number
  reruns: number
  nodes: Node[]
  quotient: bigint | null
}

const INTEGER_FIELDS = ['a', 'b', 'pCut', 'qCut', 'tCut'] as const
const SIZE_FIELDS = ['log2P', 'log2Q'] as const
const NUMBERS = ['p', 'q', 't'] as const

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

/** Length in bits, up to 3 more: linear, unlike a conversion to decimal digits. */
const roughBits = (value: bigint): number => 4 * (value < 0n ? -value : value).toString(16).length

const isNode = (value: unknown): value is Node =>
  isRecord(value) &&
  INTEGER_FIELDS.every(name => Number.isSafeInteger(value[name]) && (value[name] as number) >= 0) &&
  SIZE_FIELDS.every(name => Number.isFinite(value[name])) &&
  NUMBERS.every(name => typeof value[name] === 'bigint')

/** A quotient must begin like pi. */
const LOOK_BITS = 40
const PI_BITS = BigInt(Math.floor(Math.PI * 2 ** LOOK_BITS))

/** Whether a node's numbers have the lengths that it states. */
const fits = ({ q, p, log2P, log2Q, pCut, qCut }: Node): boolean =>
  q > 0n &&
  Math.abs(roughBits(q) - (log2Q - qCut)) < 6 &&
  (p === 0n || Math.abs(roughBits(p) - (log2P - pCut)) < 6)

/**
 * The state in a checkpoint; null if it is of another computation or another release of this file, or damaged. The
 * worker has checked the hash; this checks the meaning.
 */
export const readState = (resume: unknown, series: SeriesName, digits: number): TreeState | null => {
  if (!isRecord(resume)) return null
  const { format, guardBits, reruns, nodes, quotient } = resume
  if (format !== 1 || resume.series !== series || resume.digits !== digits) return null
  if (!Number.isSafeInteger(guardBits) || !Number.isSafeInteger(reruns) || !Array.isArray(nodes)) return null
  if (quotient !== null && typeof quotient !== 'bigint') return null
  const bits = Math.ceil(digits * BITS_PER_DIGIT) + (guardBits as number)
  if (quotient !== null && quotient >> BigInt(Math.max(0, bits - LOOK_BITS)) !== PI_BITS) return null
  if (!nodes.every(node => isNode(node) && fits(node))) return null
  return resume as unknown as TreeState
}

/** Before the first checkpoint, and between two. */
const FIRST_MS = 500
const EVERY_MS = 2_000
/** Copying, hashing, writing and syncing a megabyte takes about 10 ms, here and in the worker's process: 1 %. */
const MS_PER_MEGABYTE = 1_000

const bytesOf = ({ log2P, log2Q, pCut, qCut, tCut }: Node): number =>
  (log2P - pCut + (log2Q - qCut) + (log2Q - tCut)) / 8

/** Says when the next checkpoint is due, so that all of them take about 1 % of the time. */
export const createTimetable = () => {
  let due = performance.now() + FIRST_MS
  return {
    isDue: (): boolean => performance.now() >= due,
    kept({ nodes, digits }: TreeState): void {
      // a quotient has about as many bits as its digits
      const bytes = nodes.reduce((sum, node) => sum + bytesOf(node), (digits * BITS_PER_DIGIT) / 8)
      due = performance.now() + Math.max(EVERY_MS, (bytes / 1024 ** 2) * MS_PER_MEGABYTE)
    },
  }
}
