// Pages and counts. Redis has the order in sets; whether a task fits a filter is decided on its record.
import { countsOf } from '../../core/counts.ts'
import { FILTER_ROWS, type FilterName, fits, type TaskFilter } from '../../core/filter.ts'
import { submitterFilter } from '../../core/quotas.ts'
import { boundsOf, type PageRequest, SORTS, sortKeyOf, USUAL_SORT } from '../../core/sort.ts'
import { statusesIn } from '../../core/status.ts'
import type { CountedSubmitter, TaskCounts, TaskPage } from '../../core/store.ts'
import { isFailed, isFinal, STATUSES, type Status, type TaskRecord } from '../../core/task.ts'
import { turns } from '../../core/turns.ts'
import { decodeSortKey, encodeSortKey } from '../shared/page-cursor.ts'
import { decodeIfSound, setOf, tallyOf, waitingOf } from './records.ts'
import type { Scripts } from './scripts.ts'

export interface Lists {
  list(filter: TaskFilter, page: PageRequest): Promise<TaskPage>
  counts(owners?: readonly string[]): Promise<TaskCounts>
  countWaiting(by: CountedSubmitter): Promise<number>
}

/** Records read in one go for a filter that no set answers. */
const BATCH = 500
/** Redis merges at most so many sets for a page; beyond that, all tasks are searched. */
const SETS_MAX = 64

/** Filters that the sets, and the bounds within them, answer for. */
const BY_SETS: readonly FilterName[] = ['statuses', 'kinds', 'owner', 'owners', 'parentId', 'from', 'to']

/** The same for tasks that have ended, in the order of their ends. */
const BY_END_SETS: readonly FilterName[] = ['statuses', 'finishedFrom', 'finishedTo']
const END_SETS = [
  { set: setOf.failed, statuses: STATUSES.filter(isFailed) },
  { set: setOf.ended, statuses: STATUSES.filter(status => isFinal(status) && !isFailed(status)) },
]

/** The same, of the ends of one owner. */
const BY_ENDS: readonly FilterName[] = ['owner', 'owners', 'finishedFrom', 'finishedTo']

interface Sets {
  sets: string[]
  /** They hold nothing that does not fit. */
  exact: boolean
}

const namesOther = (filter: TaskFilter, known: readonly FilterName[]): boolean =>
  FILTER_ROWS.some(([name]) => filter[name] !== undefined && !known.includes(name))

/** Whose tasks may fit; null: anybody's. */
const ownersIn = ({ owner, owners }: TaskFilter): string[] | null => {
  if (owner === undefined) return owners ? [...new Set(owners)] : null
  return owners && !owners.includes(owner) ? [] : [owner]
}

interface CountRow {
  kind: string
  status: Status
  count: number
}

const endSetsFor = (filter: TaskFilter, owners: readonly string[] | null): Sets => {
  if (owners) return { sets: owners.map(setOf.ends), exact: !namesOther(filter, BY_ENDS) }
  const wanted = filter.statuses ?? STATUSES
  const some = END_SETS.filter(({ statuses }) => statuses.some(status => wanted.includes(status)))
  const whole = some.every(({ statuses }) => statuses.every(status => wanted.includes(status)))
  return { sets: some.map(({ set }) => set), exact: whole && !namesOther(filter, BY_END_SETS) }
}

interface ListsDeps {
  scripts: Pick<Scripts, 'run'>
  /** Whether the sets and counts by owner are whole; if not, all tasks are searched. */
  byOwner: boolean
}

export const createLists = ({ scripts, byOwner }: ListsDeps): Lists => {
  const countRows = async (): Promise<CountRow[]> => {
    const flat = await scripts.run<(string | number)[]>('counts')
    return Array.from({ length: flat.length / 3 }, (_, n) => ({
      kind: String(flat[3 * n]),
      status: flat[3 * n + 1] as Status,
      count: Number(flat[3 * n + 2]),
    }))
  }

  /** As `ownersIn`, where there are sets for it. */
  const ownersWith = (filter: TaskFilter): string[] | null => {
    const owners = ownersIn(filter)
    return byOwner && owners && owners.length <= SETS_MAX ? owners : null
  }
  const endSets = (filter: TaskFilter): Sets => endSetsFor(filter, ownersWith(filter))

  /** The sets that together hold all that may fit, none of it twice. */
  const setsFor = async (filter: TaskFilter): Promise<Sets> => {
    const { statuses, kinds, parentId } = filter
    const owners = ownersWith(filter)
    // by the others no set is sorted: the record decides
    const byRecord = namesOther(filter, BY_SETS)
    const plain = !byRecord && !statuses && !kinds
    if (parentId !== undefined) return { sets: [setOf.parent(parentId)], exact: plain && !ownersIn(filter) }
    if (owners) return { sets: owners.map(setOf.owner), exact: plain }
    if (!statuses && !kinds) return { sets: [setOf.created], exact: plain && !ownersIn(filter) }
    const present = kinds ?? (await countRows()).map(row => row.kind)
    const sets = [...new Set(present)].flatMap(kind =>
      [...new Set(statuses ?? STATUSES)].map(status => setOf.status(kind, status)),
    )
    if (sets.length > SETS_MAX) return { sets: [setOf.created], exact: false }
    return { sets, exact: !byRecord && !ownersIn(filter) }
  }

  const list: Lists['list'] = async (filter, { limit, cursor, sort = USUAL_SORT }) => {
    const { by, isDescending } = SORTS[sort]
    let after = cursor === null ? null : decodeSortKey(cursor, by)
    const { sets, exact } = by === 'createdAt' ? await setsFor(filter) : endSets(filter)
    if (sets.length === 0) return { tasks: [], next: null }
    const bounds = boundsOf(filter, by)
    const low = bounds.from === undefined ? '-inf' : String(Date.parse(bounds.from))
    const high = bounds.before === undefined ? '+inf' : `(${Date.parse(bounds.before)}`
    const tasks: TaskRecord[] = []
    let last = after
    for (;;) {
      // one more than asked for tells whether there is a next page
      const wanted = exact ? limit + 1 - tasks.length : BATCH
      const from = after === null ? '' : Date.parse(after.at)
      const [lastScore, lastId, records] = await scripts.run<[string, string, string[]]>(
        'page',
        JSON.stringify(sets),
        isDescending ? 'down' : 'up',
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
        const key = task && sortKeyOf(task, by)
        if (!task || !key || !fits(task, filter)) continue
        if (tasks.length === limit) return { tasks, next: last && encodeSortKey(last, by) }
        tasks.push(task)
        last = key
      }
      if (records.length < wanted) return { tasks, next: null }
      after = { at: new Date(Number(lastScore)).toISOString(), id: lastId }
    }
  }

  const countOf = async (owners: readonly string[]): Promise<CountRow[]> => {
    const keys = [...new Set(owners.map(tallyOf))]
    const flat = await scripts.run<string[]>('tallies', JSON.stringify(keys))
    return Array.from({ length: flat.length / 2 }, (_, n) => {
      const [, kind = '', status] = /^(.*):([A-Z]+)$/s.exec(flat[2 * n] ?? '') ?? []
      return { kind, status: status as Status, count: Number(flat[2 * n + 1]) }
    })
  }
  /** Task by task, which is slow and needs no counts. */
  const countByRecords = async (owners: readonly string[]): Promise<CountRow[]> => {
    const rows: CountRow[] = []
    let cursor: string | null = null
    do {
      const page: TaskPage = await list({ owners }, { limit: BATCH, cursor })
      rows.push(...page.tasks.map(({ kind, status }) => ({ kind, status, count: 1 })))
      cursor = page.next
    } while (cursor !== null)
    return rows
  }
  const rowsOf = (owners: readonly string[] | undefined): Promise<CountRow[]> => {
    if (!owners) return countRows()
    return byOwner ? countOf(owners) : countByRecords(owners)
  }

  return {
    list,

    async countWaiting(by) {
      if (byOwner) {
        const [, count] = await scripts.run<string[]>('tallies', JSON.stringify([waitingOf(by)]))
        return Number(count ?? 0)
      }
      let [found, cursor]: [number, string | null] = [0, null]
      do {
        const filter = { ...submitterFilter(by), statuses: statusesIn('waiting') }
        const page: TaskPage = await list(filter, { limit: BATCH, cursor })
        found += page.tasks.length
        cursor = page.next
      } while (cursor !== null)
      return found
    },

    async counts(owners) {
      const byKind = new Map<string, Partial<Record<Status, number>>>()
      for (const { kind, status, count } of await rowsOf(owners)) {
        const ofKind = byKind.get(kind) ?? {}
        ofKind[status] = (ofKind[status] ?? 0) + count
        byKind.set(kind, ofKind)
      }
      return countsOf(Object.fromEntries(byKind))
    },
  }
}
