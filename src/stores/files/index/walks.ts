// Walks through the rows of the index in the order of a list, from a sort key on.

import type { SortKey } from '../../../core/sort.ts'
import { isFinal, STATUSES } from '../../../core/status.ts'
import { type Columns, GONE } from './columns.ts'
import type { RowTest } from './row-filter.ts'

/** To be used without awaiting; `TaskIndex.walk` says what `fits` is. */
export type SortKeyWalk = Generator<SortKey & { fits: boolean }>

/** The most rows in a row without a result: a millisecond or so. */
export const STRETCH = 5_000
/** How many ended tasks are sought out at a time. */
const SOUGHT = 500

/** By the number of the status. */
const FINAL = STATUSES.map(isFinal)

const iso = (ms: number): string => new Date(ms).toISOString()

/** Rows in the order of their creation. */
export interface ByAge {
  table: Columns
  order: Uint32Array
  /** How many of `order` are in use. */
  length: number
  /** The first place in `order` that does not stand before a key. */
  find(key: SortKey): number
}

/** Walks the order that the index keeps. */
export const walkByAge = function* (
  { table, order, length, find }: ByAge,
  test: RowTest,
  isDescending: boolean,
  after: SortKey | null,
): SortKeyWalk {
  const { status, createdAt } = table.at
  const from = after ? find(after) : isDescending ? length : 0
  // `find` names the task of the key itself, if that is still there
  const isThere =
    after !== null && from < length && table.compareTo(order[from] as number, after, 'createdAt') === 0
  const step = isDescending ? -1 : 1
  let silent = 0
  for (let at = isDescending ? from - 1 : from + (isThere ? 1 : 0); at >= 0 && at < length; at += step) {
    const row = order[at] as number
    const fits = status[row] !== GONE && test(row)
    silent = fits ? 0 : silent + 1
    if (!fits && silent % STRETCH !== 0) continue
    yield { at: iso(createdAt[row] as number), id: table.id(row), fits }
  }
}

/** The next rows behind a key by their ends, at most `SOUGHT`, in order. */
const nextEnded = (table: Columns, test: RowTest, sign: 1 | -1, after: SortKey | null): number[] => {
  const { status, finishedAt } = table.at
  const compare = (a: number, b: number): number => sign * table.compare(a, b, 'finishedAt')
  const afterMs = after ? Date.parse(after.at) : Number.NaN
  const isBehind = (row: number): boolean => {
    if (!after) return true
    const difference = sign * ((finishedAt[row] as number) - afterMs)
    return difference > 0 || (difference === 0 && sign * table.compareTo(row, after, 'finishedAt') > 0)
  }
  let found: number[] = []
  /** Once there are enough, nothing behind it is of use. */
  let bound: number | null = null
  let boundMs = Number.NaN
  const cut = (): void => {
    found = found.sort(compare).slice(0, SOUGHT)
    bound = found.length === SOUGHT ? (found.at(-1) as number) : null
    boundMs = bound === null ? Number.NaN : (finishedAt[bound] as number)
  }
  // later rows have mostly ended later: the side that is looked at first makes the bound tight
  const { rows } = table
  for (let n = 0; n < rows; n += 1) {
    const row = sign === 1 ? n : rows - 1 - n
    // GONE is no final status either
    if (!FINAL[status[row] as number] || Number.isNaN(finishedAt[row])) continue
    // a plain comparison decides for nearly all of them
    if (bound !== null && (sign * ((finishedAt[row] as number) - boundMs) > 0 || compare(row, bound) > 0))
      continue
    if (!isBehind(row) || !test(row)) continue
    found.push(row)
    if (found.length >= 2 * SOUGHT) cut()
  }
  cut()
  return found
}

/** No order by the end is kept, since few ask for it: the next rows are sought out among all that have ended. */
export const walkByEnd = function* (
  table: Columns,
  test: RowTest,
  isDescending: boolean,
  after: SortKey | null,
): SortKeyWalk {
  const sign = isDescending ? -1 : 1
  let last = after
  for (;;) {
    const rows = nextEnded(table, test, sign, last)
    for (const row of rows) {
      last = { at: iso(table.at.finishedAt[row] as number), id: table.id(row) }
      yield { ...last, fits: true }
    }
    if (rows.length < SOUGHT) return
  }
}
