// How many tasks fit the filter. The counts of the list say it for statuses and kinds; anything else is counted once for
// each filter, up to a bound, since a server that keeps a million tasks would have to read them all.
import { useEffect, useState } from 'preact/hooks'
import { isFinal } from '../../../../client/task.ts'
import { get } from '../../state/api.ts'
import { type Chip, chipsOf, type FilterName, STATUSES, showsOnlyEnded } from './filter.ts'
import type { Counts } from './use-counts.ts'
import type { TaskPage } from './use-live-tasks.ts'

export interface Fitting {
  count: number
  /** Whether there are more than these. */
  isMore: boolean
}

/** A page of the API has no more tasks than that. */
const PER_PAGE = 200
const PAGES = 5

const isSimple = ({ name, values }: Chip): boolean =>
  name === 'status'
    ? values.every(value => STATUSES.some(status => status === value))
    : name === 'kind' && values.every(value => !value.includes(','))

const fromCounts = (chips: readonly Chip[], counts: Counts | null, onlyEnded: boolean): Fitting | null => {
  if (!counts) return null
  const valuesOf = (wanted: FilterName): readonly string[] | undefined =>
    chips.find(({ name }) => name === wanted)?.values
  const statuses = valuesOf('status')
  const parts = [...new Set(valuesOf('kind'))].map(kind => counts.byKind[kind] ?? {})
  const all = (valuesOf('kind') ? parts : [counts.byStatus]).flatMap(part =>
    STATUSES.filter(status => (statuses?.includes(status) ?? true) && (!onlyEnded || isFinal(status))).map(
      status => part[status] ?? 0,
    ),
  )
  return { count: all.reduce((sum, count) => sum + count, 0), isMore: false }
}

const counted = async (filter: URLSearchParams, signal: AbortSignal): Promise<Fitting> => {
  const query = new URLSearchParams(filter)
  query.set('limit', String(PER_PAGE))
  let count = 0
  for (let pages = 0; pages < PAGES; pages += 1) {
    const { tasks, next } = await get<TaskPage>('/api/tasks', { query, signal })
    count += tasks.length
    if (next === null) return { count, isMore: false }
    query.set('cursor', next)
  }
  return { count, isMore: true }
}

/**
 * @param key what the filter is, as long as it is the same one
 * @param hasMore whether more fit than are shown
 * @returns null without a filter, and before it is known
 */
export const useFitting = (
  key: string,
  {
    query,
    counts,
    shown,
    hasMore,
    ask,
  }: {
    query: URLSearchParams
    counts: Counts | null
    shown: number
    hasMore: boolean
    ask: () => URLSearchParams
  },
): Fitting | null => {
  const [found, setFound] = useState<(Fitting & { key: string }) | null>(null)
  const chips = chipsOf(query)
  const isWanted = hasMore && !chips.every(isSimple)
  useEffect(() => {
    if (!isWanted || found?.key === key) return
    const leaving = new AbortController()
    counted(ask(), leaving.signal).then(
      fitting => setFound({ ...fitting, key }),
      // the list itself says what is wrong
      () => undefined,
    )
    return () => leaving.abort()
  }, [key, isWanted])
  if (chips.length === 0) return null
  if (chips.every(isSimple)) return fromCounts(chips, counts, showsOnlyEnded(query))
  if (!hasMore) return { count: shown, isMore: false }
  return found?.key === key ? found : null
}
