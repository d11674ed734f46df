// The filters of lists, in one table: a row for each filter, with its names at the APIs and its bounds. The API
// parameters, the columns of an index and the check whether a task fits are derived from it. Pure.
import { z } from 'zod'
import { errorPattern } from './error-pattern.ts'
import { instant } from './instant.ts'
import { STATUSES } from './status.ts'
import type { Summary } from './summary.ts'

/** What filters read: a record, or its summary, which has no error message. */
export type Filtered = Omit<Summary, 'error'> & { error: { code: string; message?: string } | null }

/** The values of a task that a filter can compare; null where the task has none. */
export const FILTER_VALUES = {
  status: task => task.status,
  kind: task => task.kind,
  owner: task => task.owner,
  parentId: task => task.parentId,
  submitterKey: task => task.submittedBy?.key ?? null,
  submitterAddress: task => task.submittedBy?.address ?? null,
  createdAt: task => task.createdAt,
  finishedAt: task => task.finishedAt,
  errorCode: task => task.error?.code ?? null,
  errorMessage: task => task.error?.message ?? null,
  words: ({ id, kind, title, description }) => [id, kind, title, description],
} as const satisfies Record<string, (task: Filtered) => string | null | (string | null)[]>
export type FilterValue = keyof typeof FILTER_VALUES

/** How a value is compared with the wanted one. Null never fits, but where it says so. */
const COMPARE = {
  /** One of them; `` (the empty text) stands for null. */
  among: (value: string, wanted: readonly string[]) => wanted.includes(value),
  /** One of them. */
  in: (value: string, wanted: readonly string[]) => wanted.includes(value),
  is: (value: string, wanted: string) => value === wanted,
  /** Inclusive. */
  from: (value: string, wanted: string) => value >= wanted,
  /** Exclusive. */
  before: (value: string, wanted: string) => value < wanted,
  /** Ignoring case. */
  holds: (value: string, wanted: string) => value.toLowerCase().includes(wanted.toLowerCase()),
  /** But for numbers, ids and times. */
  like: (value: string, wanted: string) => errorPattern(value) === errorPattern(wanted),
} as const satisfies Record<string, (value: string, wanted: never) => boolean>
type Compare = keyof typeof COMPARE

export interface FilterRow {
  value: FilterValue
  compare: Compare
  /** What a client may send, parsed. */
  schema: z.ZodType
  /** Its name in REST queries, and in Thrift's struct TaskFilter; null: clients cannot ask for it. */
  query: string | null
  rpc: string | null
  /** For people, to follow the word `tasks`. */
  about: string
}

const words = <T extends z.ZodType<string>>(word: T, what: string) =>
  z.array(word).max(50, `may name at most 50 ${what}`)
const name = (what: string) => z.string().max(63, `is no ${what}`)
const text = z.string().max(200, 'may have at most 200 characters')
const SEVERAL = '; several times, or several separated by commas'
const A_TIME = ': a day, or a time with its zone'

/** A task must fit all given filters. Times are ISO-8601. */
export const FILTERS = {
  statuses: {
    value: 'status',
    compare: 'in',
    schema: words(z.enum(STATUSES, `must be out of ${STATUSES.join(', ')}`), 'statuses'),
    query: 'status',
    rpc: 'statuses',
    about: `in one of these statuses${SEVERAL}`,
  },
  kinds: {
    value: 'kind',
    compare: 'in',
    schema: words(name('name of a kind'), 'kinds'),
    query: 'kind',
    rpc: 'kinds',
    about: `of one of these kinds${SEVERAL}`,
  },
  owner: {
    value: 'owner',
    compare: 'is',
    schema: text,
    query: 'owner',
    rpc: 'owner',
    about: 'submitted by this owner: the name or the id of an account',
  },
  owners: {
    value: 'owner',
    compare: 'among',
    schema: z.array(z.string()),
    query: null,
    rpc: null,
    about: 'of one of these owners, or of nobody: what an actor may see',
  },
  submitterKey: {
    value: 'submitterKey',
    compare: 'is',
    schema: text,
    query: null,
    rpc: null,
    about: 'submitted with this key, by its id: what a quota counts',
  },
  submitterAddress: {
    value: 'submitterAddress',
    compare: 'is',
    schema: text,
    query: null,
    rpc: null,
    about: 'submitted from this address: what a quota counts',
  },
  parentId: {
    value: 'parentId',
    compare: 'is',
    schema: z.uuid('must be the id of a task').toLowerCase(),
    query: 'parent',
    rpc: 'parentId',
    about: 'children of this task',
  },
  text: {
    value: 'words',
    compare: 'holds',
    schema: text,
    query: 'q',
    rpc: 'text',
    about: 'this text, ignoring case, in id, kind, title or description',
  },
  from: {
    value: 'createdAt',
    compare: 'from',
    schema: instant,
    query: 'from',
    rpc: 'createdFrom',
    about: `created at this time or later${A_TIME}`,
  },
  to: {
    value: 'createdAt',
    compare: 'before',
    schema: instant,
    query: 'to',
    rpc: 'createdTo',
    about: 'created before this time',
  },
  errorCodes: {
    value: 'errorCode',
    compare: 'in',
    schema: words(name('code'), 'codes'),
    query: 'errorCode',
    rpc: 'errorCodes',
    about: `whose error has one of these codes${SEVERAL}`,
  },
  errorText: {
    value: 'errorMessage',
    compare: 'holds',
    schema: text,
    query: 'error',
    rpc: 'errorText',
    about: 'this text, ignoring case, in the message of the error',
  },
  errorLike: {
    value: 'errorMessage',
    compare: 'like',
    schema: text,
    query: 'errorLike',
    rpc: 'errorLike',
    about: 'whose error has this message but for numbers, ids and times; an … stands for one of those',
  },
  finishedFrom: {
    value: 'finishedAt',
    compare: 'from',
    schema: instant,
    query: 'finishedFrom',
    rpc: 'finishedFrom',
    about: `ended at this time or later${A_TIME}`,
  },
  finishedTo: {
    value: 'finishedAt',
    compare: 'before',
    schema: instant,
    query: 'finishedTo',
    rpc: 'finishedTo',
    about: 'ended before this time',
  },
} as const satisfies Record<string, FilterRow>

type Filters = typeof FILTERS
export type FilterName = keyof Filters
/** Which tasks a list holds. */
export type TaskFilter = { [N in FilterName]?: Readonly<z.output<Filters[N]['schema']>> }
/** The values that are compared in this way: an index keeps them in columns of one type. */
export type ValueCompared<C extends Compare> = {
  [N in FilterName]: Filters[N]['compare'] extends C ? Filters[N]['value'] : never
}[FilterName]

export const FILTER_ROWS = Object.entries(FILTERS) as readonly [FilterName, FilterRow][]

/** The filters that clients can ask for. */
export const askedFilters = (door: 'query' | 'rpc'): { name: string; row: FilterRow }[] =>
  FILTER_ROWS.flatMap(([, row]) => {
    const name = row[door]
    return name === null ? [] : [{ name, row }]
  })

export const valuesCompared = <C extends Compare>(...compares: readonly C[]): ValueCompared<C>[] => [
  ...new Set(
    FILTER_ROWS.flatMap(([, { value, compare }]) =>
      compares.some(each => each === compare) ? [value as ValueCompared<C>] : [],
    ),
  ),
]

/**
 * Makes a filter from an API's parameters, by their names there. An empty list counts as left out.
 * @param values parsed by the schemas of the table
 */
export const toFilter = (door: 'query' | 'rpc', values: Readonly<Record<string, unknown>>): TaskFilter =>
  Object.fromEntries(
    FILTER_ROWS.flatMap(([filter, row]) => {
      const name = row[door]
      const value = name === null ? undefined : values[name]
      return value === undefined || (Array.isArray(value) && value.length === 0) ? [] : [[filter, value]]
    }),
  )

/** Whether a task fits all that the filter names. */
export const fits = (task: Filtered, filter: TaskFilter): boolean => {
  // called for every change of a feed, so it allocates nothing
  for (const name in filter) {
    const wanted = filter[name as FilterName] as never
    if (wanted === undefined) continue
    const row = FILTERS[name as FilterName]
    const compare = COMPARE[row.compare]
    const found: string | null | (string | null)[] = FILTER_VALUES[row.value](task)
    if (found === null) {
      if (row.compare === 'among' && (wanted as readonly string[]).includes('')) continue
      return false
    }
    if (typeof found === 'string') {
      if (!compare(found, wanted)) return false
    } else if (!found.some(each => each !== null && compare(each, wanted))) return false
  }
  return true
}

/** How many tasks a page has. */
export const PAGE_LIMIT = { default: 50, highest: 200 } as const
/** Characters of a page's cursor. */
export const CURSOR_LIMIT = 1024
