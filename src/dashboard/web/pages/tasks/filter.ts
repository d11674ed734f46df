// The filter of the list as the address has it: its words as people type them, as chips, and as a query of the API.
// Pure.
import type { Status } from '../../../../client/task.ts'
import { readSort, sortOf } from './order.ts'

export const STATUSES: readonly Status[] = [
  'PENDING',
  'STARTED',
  'PROGRESS',
  'RETRY',
  'SUCCESS',
  'FAILURE',
  'REVOKED',
]

/** The filters, by their names in the address, which are those of the API. `since` is ours: a time before now. */
export const FILTER_NAMES = [
  'status',
  'kind',
  'owner',
  'q',
  'error',
  'errorCode',
  'errorLike',
  'since',
  'from',
  'to',
  'parent',
  'finishedFrom',
  'finishedTo',
] as const
export type FilterName = (typeof FILTER_NAMES)[number]

/** Those whose value is a time. */
export const TIMES: readonly FilterName[] = ['from', 'to', 'finishedFrom', 'finishedTo']

/** Those that may have several values, of which a task has one. */
const SEVERAL: readonly FilterName[] = ['status', 'kind', 'errorCode']

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
export const SINCES: readonly string[] = ['15m', '1h', '24h', '7d']

/** `24h` in milliseconds; null for what is none. */
export const sinceMs = (text: string): number | null => {
  const [, count, unit = ''] = /^(\d{1,6})\s*([smhd])$/.exec(text.trim().toLowerCase()) ?? []
  return count === undefined ? null : Number(count) * (UNIT_MS[unit] ?? 0)
}

export interface Chip {
  name: FilterName
  values: readonly string[]
}

export const chipsOf = (query: URLSearchParams): Chip[] =>
  FILTER_NAMES.flatMap(name => {
    const values = query.getAll(name).filter(value => value !== '')
    return values.length === 0 ? [] : [{ name, values }]
  })

/** Before any task. */
const EVER = '1970-01-01'
/** Whether the order leaves out what has not ended. */
export const showsOnlyEnded = (query: URLSearchParams): boolean => readSort(sortOf(query)).by === 'finishedAt'

/** The filter as a query of the API. @param now milliseconds since 1970, from which `since` is counted back */
export const toApiQuery = (query: URLSearchParams, now: number): URLSearchParams => {
  const asked = new URLSearchParams()
  for (const { name, values } of chipsOf(query))
    for (const value of values) {
      if (name !== 'since') asked.append(name, value)
      else if (!query.has('from')) {
        const ms = sinceMs(value)
        if (ms !== null) asked.set('from', new Date(now - ms).toISOString())
      }
    }
  // the list has only those that have ended: what is counted and acted on must be the same ones
  if (showsOnlyEnded(query) && !asked.has('finishedFrom')) asked.set('finishedFrom', EVER)
  return asked
}

/** What one word of the reader means: `status:failure`, `since:24h`, a status by itself, or text to look for. */
export const readWord = (text: string): { name: FilterName; value: string } | null => {
  const word = text.trim()
  if (word === '') return null
  const [, given = '', rest = ''] = /^(\w+):\s*(.*)$/s.exec(word) ?? []
  const name = FILTER_NAMES.find(each => each.toLowerCase() === given.toLowerCase())
  if (name !== undefined) {
    if (rest === '' || (name === 'since' && sinceMs(rest) === null)) return null
    return { name, value: name === 'status' || name === 'errorCode' ? rest.toUpperCase() : rest }
  }
  const status = STATUSES.find(each => each === word.toUpperCase())
  return status === undefined ? { name: 'q', value: word } : { name: 'status', value: status }
}

/** Whether the filter has such a value: the API refuses a status that there is not. */
export const isKnown = ({ name, value }: { name: FilterName; value: string }): boolean =>
  name !== 'status' || STATUSES.some(status => status === value)

/** The values of a filter with one more. */
export const withValue = (
  query: URLSearchParams,
  { name, value }: { name: FilterName; value: string },
): string[] => {
  const before = SEVERAL.includes(name) ? query.getAll(name) : []
  return [...new Set([...before, value])]
}

/** What may be meant by the beginning of a word. */
export const suggestionsFor = (
  text: string,
  known: { kinds: readonly string[]; owners: readonly string[]; codes: readonly string[] },
): string[] => {
  const word = text.trim().toLowerCase()
  const all = [
    ...STATUSES.map(status => `status:${status}`),
    ...known.kinds.map(kind => `kind:${kind}`),
    ...SINCES.map(since => `since:${since}`),
    ...known.codes.map(code => `errorCode:${code}`),
    ...known.owners.map(owner => `owner:${owner}`),
  ]
  if (word === '') return all.slice(0, 12)
  const fits = all.filter(each => each.toLowerCase().includes(word))
  const open =
    /^(?:owner|error|q|parent):./.test(word) || word.includes(':')
      ? []
      : [`error:${text.trim()}`, `owner:${text.trim()}`]
  return [...fits.slice(0, 10), ...open]
}

/** An owner may be the beginning of another one's name, and few of them are known here. */
const COMPLETED = /^(?:status|kind|since|errorcode):\S/

/** The one suggestion of its field that a word begins; otherwise the text as it is. */
export const completed = (text: string, known: Parameters<typeof suggestionsFor>[1]): string => {
  const word = text.trim().toLowerCase().replace(/:\s+/, ':')
  const fits = COMPLETED.test(word)
    ? suggestionsFor(word, known).filter(each => each.toLowerCase().startsWith(word))
    : []
  return (fits.length === 1 ? fits[0] : undefined) ?? text
}
