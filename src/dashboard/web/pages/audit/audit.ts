// The audit as the page has it: entries, the filter in the address, and what an entry leads to. Pure but for asking.
import { get } from '../../state/api.ts'

export interface AuditRow {
  id: string
  /** ISO-8601. */
  at: string
  /** Null: nobody had logged in. */
  actor: { account: string; name: string } | null
  via: string
  action: string
  /** An id first, then what else there is to say. */
  target: string | null
  outcome: string
  address: string | null
}

interface AuditAnswer {
  entries: AuditRow[]
  next: string | null
}

/** Names in the address, which are those of the API. `action` may stand several times. */
export const FILTERS = ['actor', 'action', 'target', 'outcome', 'from', 'to'] as const
export type FilterName = (typeof FILTERS)[number]

export const LIMIT = 100
/** A page of the server may hold nothing and not be the last: so often it is asked on before the reader is. */
const ASKED_MOST = 5

/** `actor=` is a filter too: it is nobody. Of the others an empty one is none. */
export const filterIn = (query: URLSearchParams): [FilterName, string][] =>
  FILTERS.flatMap(name =>
    query
      .getAll(name)
      .filter(value => value !== '' || name === 'actor')
      .map((value): [FilterName, string] => [name, value]),
  )

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
 * How many fit that are newer than what is shown. It asks for those from that time on alone, so little is read.
 * @param since the time of the first entry that is shown, or when nothing was; ISO-8601. @throws ProblemError
 */
export const countNewer = async (
  query: URLSearchParams,
  since: string,
  shown: readonly AuditRow[],
): Promise<{ count: number; isMore: boolean }> => {
  const from = query.get('from') ?? ''
  const filter = filterIn(query).filter(([name]) => name !== 'from')
  const later = Date.parse(from) > Date.parse(since) ? from : since
  const { entries, next } = await ask([...filter, ['from', later]], { limit: LIMIT, cursor: null })
  const known = new Set(shown.map(({ id }) => id))
  return { count: entries.filter(({ id }) => !known.has(id)).length, isMore: next !== null }
}

const TASK_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** Whose target begins with the id of a task. A dead message has an id of another form. */
const ABOUT_TASKS = /^(?:task|share|dead)\./

/** The target: its id, whether that is a task's, and the rest. */
export const targetOf = ({
  action,
  target,
}: Pick<AuditRow, 'action' | 'target'>): { id: string; isTask: boolean; rest: string } | null => {
  if (target === null) return null
  const [id = '', ...rest] = target.split(' ')
  return { id, isTask: ABOUT_TASKS.test(action) && TASK_ID.test(id), rest: rest.join(' ') }
}
