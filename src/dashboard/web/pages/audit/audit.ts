// The audit as the page has it: entries, the filter in the address, and what an entry leads to. Pure.

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

/** Names in the address, which are those of the API. `action` may stand several times. */
export const FILTERS = ['actor', 'action', 'target', 'outcome', 'from', 'to'] as const
export type FilterName = (typeof FILTERS)[number]

export const filterIn = (query: URLSearchParams): [FilterName, string][] =>
  FILTERS.flatMap(name =>
    query
      .getAll(name)
      .filter(Boolean)
      .map((value): [FilterName, string] => [name, value]),
  )

const TASK_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** Whose target begins with the id of a task. A dead message has an id of another form. */
const ABOUT_TASKS = /^(?:task|share|dead)\./

/** The target: its id, whether that is a task's, and the rest. Many tasks have no id: theirs is all rest. */
export const targetOf = ({
  action,
  target,
}: Pick<AuditRow, 'action' | 'target'>): { id: string; isTask: boolean; rest: string } | null => {
  if (target === null) return null
  if (action.startsWith('tasks.')) return { id: '', isTask: false, rest: target }
  const [id = '', ...rest] = target.split(' ')
  return { id, isTask: ABOUT_TASKS.test(action) && TASK_ID.test(id), rest: rest.join(' ') }
}
