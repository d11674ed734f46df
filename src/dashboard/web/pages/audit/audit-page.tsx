// For admins: who has changed what, the newest first. The filter and the place stand in the address. What is newer is
// announced and shown when it is asked for, so that nothing moves under the eyes.
import { useEffect, useRef, useState } from 'preact/hooks'
import { useKeys } from '../../frame/keys.ts'
import { PageHead } from '../../frame/page-head.tsx'
import { Empty, WhenAsked } from '../../parts/states.tsx'
import { Table } from '../../parts/table.tsx'
import { useQuery } from '../../router.tsx'
import { useAsked } from '../../state/use-asked.ts'
import { useEvery } from '../../state/use-every.ts'
import { useTexts } from '../../texts/use-texts.ts'
import { type AuditRow, filterIn } from './audit.ts'
import { useAuditColumns } from './audit-columns.tsx'
import { AuditFilter } from './audit-filter.tsx'
import { countNewer, loadEntries } from './load-entries.ts'

const EVERY_MS = 10_000
const NONE = { count: 0, isMore: false }

/** What is newer than the first page; of a later one nothing. */
const useNewer = (query: URLSearchParams, shown: readonly AuditRow[] | null) => {
  const [newer, setNewer] = useState(NONE)
  const isAsking = useRef(false)
  // where nothing is shown, what comes from now on is new. A minute before it, since the clocks differ
  const begun = useRef('')
  useEffect(() => {
    begun.current = new Date(Date.now() - 60_000).toISOString()
    setNewer(NONE)
  }, [shown])
  const latest = useRef(shown)
  latest.current = shown
  useEvery(EVERY_MS, () => {
    if (shown === null || query.has('cursor') || isAsking.current) return
    isAsking.current = true
    countNewer(query, shown[0] ?? { at: begun.current, id: '' })
      .then(found => {
        if (latest.current === shown) setNewer(found)
      })
      // the page says that the server is away; the next time tells
      .catch(() => {})
      .finally(() => {
        isAsking.current = false
      })
  })
  return newer
}

export const AuditPage = () => {
  const t = useTexts()
  const words = t.audit
  const [query, change] = useQuery()
  const cursor = query.get('cursor')
  const asked = useAsked(`audit ${query}`, signal => loadEntries(query, signal))
  const columns = useAuditColumns()
  const newer = useNewer(query, asked.value?.entries ?? null)
  useKeys({ u: { label: t.keys.newer, run: asked.again } })
  const emptyWords = (next: string | null): string => {
    if (next !== null) return words.noneSoFar
    return filterIn(query).length > 0 || cursor !== null ? words.none : words.noneAtAll
  }
  return (
    <div class="audit">
      <PageHead title={t.menu.audit} note={words.note} />
      <AuditFilter again={asked.again} />
      <div class="newer" aria-live="polite">
        {newer.count > 0 ? (
          <button type="button" class="button newer-button" onClick={asked.again}>
            {words.newer(newer.count, newer.isMore)} ↑
          </button>
        ) : null}
      </div>
      <WhenAsked asked={asked}>
        {({ entries, next }) => (
          <>
            {entries.length === 0 ? (
              <Empty text={emptyWords(next)} />
            ) : (
              <div class="stacked">
                <Table label={words.table} columns={columns} rows={entries} idOf={({ id }) => id} />
              </div>
            )}
            {cursor === null && next === null ? null : (
              <nav class="pager" aria-label={words.table}>
                {cursor === null ? null : (
                  <button type="button" class="bare underlined" onClick={() => change({ cursor: null })}>
                    {words.newest}
                  </button>
                )}
                {next === null ? null : (
                  <button type="button" class="bare underlined" onClick={() => change({ cursor: next })}>
                    {words.older} →
                  </button>
                )}
              </nav>
            )}
          </>
        )}
      </WhenAsked>
    </div>
  )
}
