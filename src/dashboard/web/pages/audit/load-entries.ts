// Asks for entries of the audit.
import { get } from '../../state/api.ts'
import { type AuditRow, filterIn } from './audit.ts'

interface AuditAnswer {
  entries: AuditRow[]
  next: string | null
}

const LIMIT = 100
/** A page of the server may hold nothing and not be the last: so often it is asked on before the reader is. */
const ASKED_MOST = 5

const ask = (
  filter: readonly [string, string][],
  page: { limit: number; cursor: string | null },
  signal?: AbortSignal,
): Promise<AuditAnswer> => {
  const query = new URLSearchParams([...filter, ['limit', String(page.limit)]])
  if (page.cursor !== null) query.set('cursor', page.cursor)
  return get('/api/audit', { query, ...(signal ? { signal } : {}) })
}

/** The first entries that fit, from the cursor on. @throws ProblemError */
export const loadEntries = async (query: URLSearchParams, signal: AbortSignal): Promise<AuditAnswer> => {
  const filter = filterIn(query)
  let page = await ask(filter, { limit: LIMIT, cursor: query.get('cursor') }, signal)
  for (let asked = 1; page.entries.length === 0 && page.next !== null && asked < ASKED_MOST; asked += 1)
    page = await ask(filter, { limit: LIMIT, cursor: page.next }, signal)
  return page
}

/**
 * How many fit that are newer than the first that is shown. It asks for those from its time on alone, so little is read.
 * @param first or the time when nothing was shown; ISO-8601. @throws ProblemError
 */
export const countNewer = async (
  query: URLSearchParams,
  first: Pick<AuditRow, 'at' | 'id'>,
): Promise<{ count: number; isMore: boolean }> => {
  const from = query.get('from') ?? ''
  const filter = filterIn(query).filter(([name]) => name !== 'from')
  const later = Date.parse(from) > Date.parse(first.at) ? from : first.at
  const { entries, next } = await ask([...filter, ['from', later]], { limit: LIMIT, cursor: null })
  // many may have the same time, as the tasks of one submit have: their order is that of their ids
  const newer = entries.filter(({ at, id }) => at > first.at || (at === first.at && id > first.id))
  return { count: newer.length, isMore: next !== null && newer.length === entries.length }
}
