// Counts rows by kind and status. Which rows count, and when one no longer does, is the index's business.
import { countsOf } from '../../../core/counts.ts'
import type { TaskCounts } from '../../../core/store.ts'
import { STATUSES, type Status } from '../../../core/task.ts'
import type { Columns } from './columns.ts'

export interface RowCounts {
  add(row: number, by: 1 | -1): void
  counts(): TaskCounts
}

/** @param table of all rows that are added */
export const createRowCounts = (table: Columns): RowCounts => {
  /** By kind's number: how many per status. */
  const counted = new Map<number, Uint32Array>()
  return {
    add(row, by) {
      const kind = table.at.kind[row] as number
      let statuses = counted.get(kind)
      if (!statuses) {
        statuses = new Uint32Array(STATUSES.length)
        counted.set(kind, statuses)
      }
      const status = table.at.status[row] as number
      statuses[status] = (statuses[status] as number) + by
    },
    counts() {
      const byKind: TaskCounts['byKind'] = {}
      for (const [kind, statuses] of counted) {
        const mine: Partial<Record<Status, number>> = {}
        for (const [place, status] of STATUSES.entries()) {
          const number = statuses[place] as number
          if (number > 0) mine[status] = number
        }
        const name = table.words.kind.word(kind)
        if (name !== null && Object.keys(mine).length > 0) byKind[name] = mine
      }
      return countsOf(byKind)
    },
  }
}
