// Pages and counts. Redis has the order in sets; whether a task fits a filter is decided on its record.
import { MadhavaError } from '../../core/errors.ts'
import { FILTER_ROWS, type FilterName, fits, type TaskFilter } from '../../core/filter.ts'
import type { TaskCounts, TaskPage } from '../../core/store.ts'
import { STATUSES, type Status, type TaskRecord } from '../../core/task.ts'
import { turns } from '../../core/turns.ts'
import { decodeIfSound, setOf } from './records.ts'
import type { Scripts } from './scripts.ts'

export interface Lists {
  list(filter: TaskFilter, page: { limit: number; cursor: string | null }): Promise<TaskPage>
  counts(): Promise<TaskCounts>
}

interface PagePosition {
  createdAt: string
  id: string
}

/** Records read in one go for a filter that no set answers. */
const BATCH = 500
/** Redis merges at most so many sets for a page; beyond that, all tasks are searched. */
const SETS_MAX = 64

/** Filters that the sets, and the bounds within them, answer for. */
const BY_SETS: readonly FilterName[] = ['statuses', 'kinds', 'owner', 'parentId', 'from', 'to']

const encodePlace = ({ createdAt, id }: PagePosition): string =>
  Buffer.from(`${createdAt} ${id}`).toString('base64url')

/** @throws BAD_CURSOR */
const decodePlace = (cursor: string): PagePosition => {
  const text = cursor.length > 200 ? '' : Buffer.from(cursor, 'base64url').toString()
  const [, createdAt, id] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([0-9a-f-]{36})$/.exec(text) ?? []
  if (createdAt === undefined || id === undefined || Number.isNaN(Date.parse(createdAt)))
    throw new MadhavaError('BAD_CURSOR')
  return { createdAt, id }
}

export const createLists = (scripts: Scripts): Lists => {
  const countRows = async (): Promise<{ kind: string; status: Status; count: number }[]> => {
    const flat = await scripts.run<(string | number)[]>('counts')
    return Array.from({ length: flat.length / 3 }, (_, n) => ({
      kind: String(flat[3 * n]),
      status: flat[3 * n + 1] as Status,
      count: Number(flat[3 * n + 2]),
    }))
  }

  /** The sets that together hold all that may fit, none of it twice; `exact` when they hold nothing more. */
  const setsFor = async (filter: TaskFilter): Promise<{ sets: string[]; exact: boolean }> => {
    const { statuses, kinds, owner, parentId } = filter
    // by the others no set is sorted: the record decides
    const byRecord = FILTER_ROWS.some(([name]) => filter[name] !== undefined && !BY_SETS.includes(name))
    const plain = !byRecord && !statuses && !kinds
    if (parentId !== undefined) return { sets: [setOf.parent(parentId)], exact: plain && owner === undefined }
    if (owner !== undefined) return { sets: [setOf.owner(owner)], exact: plain }
    if (!statuses && !kinds) return { sets: [setOf.created], exact: plain }
    const present = kinds ?? (await countRows()).map(row => row.kind)
    const sets = [...new Set(present)].flatMap(kind =>
      [...new Set(statuses ?? STATUSES)].map(status => setOf.status(kind, status)),
    )
    if (sets.length > SETS_MAX) return { sets: [setOf.created], exact: false }
    return { sets, exact: !byRecord }
  }

  return {
    async list(filter, { limit, cursor }) {
      let after = cursor === null ? null : decodePlace(cursor)
      const { sets, exact } = await setsFor(filter)
      if (sets.length === 0) return { tasks: [], next: null }
      const low = filter.from === undefined ? '-inf' : String(Date.parse(filter.from))
      const top = filter.to === undefined ? '+inf' : `(${Date.parse(filter.to)}`
      const tasks: TaskRecord[] = []
      for (;;) {
        // one more than asked for tells whether there is a next page
        const wanted = exact ? limit + 1 - tasks.length : BATCH
        const from = after === null ? '' : Date.parse(after.createdAt)
        const high = after === null ? top : `(${from}`
        const [lastScore, lastId, records] = await scripts.run<[string, string, string[]]>(
          'page',
          JSON.stringify(sets),
          low,
          high,
          from,
          after?.id ?? '',
          wanted,
        )
        for (const json of records) {
          const task = decodeIfSound(json)
          const pause = turns.spend(1, json.length)
          if (pause) await pause
          if (!task || !fits(task, filter)) continue
          if (tasks.length === limit) return { tasks, next: encodePlace(tasks.at(-1) ?? task) }
          tasks.push(task)
        }
        if (records.length < wanted) return { tasks, next: null }
        after = { createdAt: new Date(Number(lastScore)).toISOString(), id: lastId }
      }
    },

    async counts() {
      const byStatus = Object.fromEntries(STATUSES.map(status => [status, 0])) as Record<Status, number>
      const byKind = new Map<string, Partial<Record<Status, number>>>()
      let total = 0
      for (const { kind, status, count } of await countRows()) {
        byStatus[status] += count
        byKind.set(kind, { ...byKind.get(kind), [status]: count })
        total += count
      }
      return { total, byStatus, byKind: Object.fromEntries(byKind) }
    },
  }
}
