// The tasks: which ones. A filter bar, live rows, and one action on many. The address is the state.
import { useEffect, useMemo, useState } from 'preact/hooks'
import { useKeys } from '../../frame/keys.ts'
import { PageHead } from '../../frame/page-head.tsx'
import { tell } from '../../frame/toasts.tsx'
import { Empty, WhenAsked } from '../../parts/states.tsx'
import { Table } from '../../parts/table.tsx'
import { useRowKeys } from '../../parts/use-row-keys.ts'
import { Link, navigate, useQuery } from '../../router.tsx'
import { get } from '../../state/api.ts'
import { useCell } from '../../state/cell.ts'
import { mayChange, me } from '../../state/me.ts'
import { density } from '../../state/preferences.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { countMatching } from './bulk.ts'
import { BulkBar, type Selection, useBulk } from './bulk-bar.tsx'
import { columnsIn } from './columns.tsx'
import { chipsOf, toApiQuery } from './filter.ts'
import { FilterBar } from './filter-bar.tsx'
import { ListSettings, useColumns } from './list-settings.tsx'
import { readSort } from './order.ts'
import { useSelectColumn } from './select-column.tsx'
import { SortMenu, useSort, useSortKey } from './sort.tsx'
import { useCounts } from './use-counts.ts'
import { useFitting } from './use-fitting.ts'
import { type Loading, type TaskPage, useLiveTasks } from './use-live-tasks.ts'

const NONE: Selection = new Set()

/** What stands in the topic: `since` moves on, and new tasks always fit it. */
const topicFilter = (query: URLSearchParams): string => {
  const fixed = toApiQuery(query, 0)
  if (query.has('since') && !query.has('from')) fixed.delete('from')
  return fixed.toString()
}

/** How many fit, once somebody wants to choose them all. */
const useMatching = (filter: string, isWanted: boolean, ask: () => URLSearchParams): number | null => {
  const [found, setFound] = useState<{ filter: string; count: number } | null>(null)
  useEffect(() => {
    if (!isWanted) return
    let isGone = false
    const bound = ask()
    if (bound.size === 0) bound.set('all', '1')
    Promise.all([countMatching('cancel', bound), countMatching('delete', bound)]).then(
      ([waiting, ended]) => {
        if (!isGone) setFound({ filter, count: waiting + ended })
      },
      // the question has the number again
      () => undefined,
    )
    return () => {
      isGone = true
    }
  }, [filter, isWanted])
  return found?.filter === filter ? found.count : null
}

export const TasksPage = () => {
  const [t, f, who, compact] = [useTexts(), useFormats(), useCell(me), useCell(density) === 'compact']
  const words = t.tasks
  const [query, change] = useQuery()
  const [shownColumns] = useColumns()
  const [sort] = useSort()
  const [selection, setSelection] = useState<Selection>(NONE)
  const counts = useCounts()
  const cursor = query.get('cursor')
  const filter = topicFilter(query)
  const apiQuery = (): URLSearchParams => toApiQuery(query, Date.now())
  const load = ({ signal, why = false }: Loading = {}): Promise<TaskPage> => {
    const asked = apiQuery()
    asked.set('sort', sort)
    if (why) asked.set('why', '1')
    if (cursor !== null) asked.set('cursor', cursor)
    return get<TaskPage>('/api/tasks', { query: asked, ...(signal ? { signal } : {}) })
  }
  const since = query.get('since') ?? ''
  const { asked, newer, refresh } = useLiveTasks({
    key: `${filter} ${since} ${cursor} ${sort}`,
    filter,
    load,
    isFirst: cursor === null,
    sort,
  })
  const rows = asked.value?.tasks ?? []
  const hasMore = cursor !== null || (asked.value?.next ?? null) !== null
  const isChosen = (id: string): boolean => selection === 'matching' || selection.has(id)
  const allShown = rows.length > 0 && rows.every(({ id }) => isChosen(id))
  const matchingWanted = hasMore && (selection === 'matching' || (selection.size > 0 && allShown))
  const matching = useMatching(`${filter} ${since}`, matchingWanted, apiQuery)

  const fitting = useFitting(`${filter} ${since}`, {
    query,
    counts,
    shown: rows.length,
    hasMore,
    ask: apiQuery,
  })

  // what was chosen belonged to another list
  useEffect(() => setSelection(NONE), [filter, since, cursor, sort])

  const toggle = (id: string): void => {
    const next = new Set(selection === 'matching' ? rows.map(row => row.id) : selection)
    if (!next.delete(id)) next.add(id)
    setSelection(next)
  }
  const bulk = useBulk(rows, apiQuery, () => setSelection(NONE))
  const { activeId } = useRowKeys(
    rows.map(({ id }) => id),
    { open: id => navigate(`/task/${id}`), select: toggle },
  )
  const actOn = (action: 'retry' | 'cancel' | 'delete') => () => {
    if (!mayChange(who)) return tell(t.frame.viewer)
    const chosen =
      selection === 'matching' || selection.size > 0 ? selection : new Set(activeId ? [activeId] : [])
    if (chosen === 'matching' || chosen.size > 0) bulk.run(action, chosen)
  }
  useSortKey()
  useKeys({
    r: { label: t.keys.retry, run: actOn('retry') },
    c: { label: t.keys.cancel, run: actOn('cancel') },
    Delete: { label: t.keys.remove, run: actOn('delete') },
    u: { label: t.keys.newer, run: refresh },
  })

  const select = useSelectColumn({
    allShown,
    isEmpty: rows.length === 0,
    toggle,
    toggleShown: () => setSelection(allShown ? NONE : new Set(rows.map(({ id }) => id))),
  })
  const columns = useMemo(
    () => [select, ...columnsIn(t, shownColumns, sort)],
    [t, select, shownColumns.join(), sort],
  )
  const { by, isDescending } = readSort(sort)
  const cameWords = isDescending ? words.came[by === 'createdAt' ? 'newer' : 'ended'] : words.came.more
  const byStatus = counts?.byStatus
  const known = {
    kinds: Object.keys(counts?.byKind ?? {}).sort(),
    owners: [...new Set(rows.flatMap(({ owner, ownerName }) => ownerName ?? owner ?? []))],
    codes: [...new Set(rows.flatMap(({ error }) => error?.code ?? []))],
  }
  return (
    <>
      <PageHead
        title={t.menu.tasks}
        note={
          counts && byStatus
            ? words.counts(
                f.number(counts.total),
                f.number(byStatus.PENDING + byStatus.RETRY),
                f.number(byStatus.STARTED + byStatus.PROGRESS),
              )
            : undefined
        }
      >
        <ListSettings />
        {!mayChange(who) ? null : (
          <Link class="button primary" href="/new">
            {t.menu.newTask}
          </Link>
        )}
      </PageHead>
      <FilterBar known={known} />
      <div class="list-bars">
        {selection === 'matching' || selection.size > 0 ? (
          <BulkBar
            selection={selection}
            matching={matching}
            bulk={bulk}
            hasMore={hasMore}
            selectMatching={() => setSelection('matching')}
            selectNone={() => setSelection(NONE)}
          />
        ) : (
          <p class="idle-bar soft">
            <SortMenu />
            {fitting && rows.length > 0 ? <span>{words.fit(fitting.count, fitting.isMore)}</span> : null}
            <span class="keys-hint">{words.hint}</span>
          </p>
        )}
        <div class="newer" aria-live="polite">
          {newer > 0 ? (
            <button type="button" class="button newer-button" onClick={refresh}>
              {cameWords(newer)} {isDescending ? '↑' : '↓'}
            </button>
          ) : null}
        </div>
      </div>
      <WhenAsked asked={asked}>
        {({ next }) =>
          rows.length === 0 ? (
            <Empty text={chipsOf(query).length > 0 || cursor !== null ? words.none : words.noneAtAll} />
          ) : (
            <>
              <Table
                label={words.table}
                columns={columns}
                rows={rows}
                idOf={({ id }) => id}
                isCompact={compact}
                activeId={activeId}
                isSelected={isChosen}
              />
              <nav class="pager" aria-label={words.table}>
                <span class="soft">{words.shown(rows.length)}</span>
                {cursor === null ? null : (
                  <button type="button" class="bare underlined" onClick={() => change({ cursor: null })}>
                    {words.firstPage}
                  </button>
                )}
                {next === null ? null : (
                  <button type="button" class="bare underlined" onClick={() => change({ cursor: next })}>
                    {words.nextPage} →
                  </button>
                )}
              </nav>
            </>
          )
        }
      </WhenAsked>
    </>
  )
}
