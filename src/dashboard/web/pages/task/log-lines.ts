// The lines of a task's log as the page keeps them: what comes is put behind what is there, no line twice, and of a very
// long log the middle is left out. Pure.
import type { LogEntry, LogGap, LogLine } from '../../../../client/task.ts'

export const isGap = (entry: LogEntry): entry is LogGap => 'omitted' in entry

/** So many entries are shown at most; then the first ones and the last ones stay. */
const MOST = 3_000
const FIRST = 200
const LAST = 2_000

const endOf = (entry: LogEntry): number => (isGap(entry) ? entry.to : entry.n)
const startOf = (entry: LogEntry): number => (isGap(entry) ? entry.from : entry.n)

/** The number of the last line; 0: there is none. */
export const lastIn = (entries: readonly LogEntry[]): number => {
  const last = entries.at(-1)
  return last ? endOf(last) : 0
}

const shortened = (entries: LogEntry[]): LogEntry[] => {
  if (entries.length <= MOST) return entries
  const [head, tail] = [entries.slice(0, FIRST), entries.slice(-LAST)]
  const [before, after] = [head.at(-1), tail[0]]
  if (!before || !after) return entries
  const [from, to] = [endOf(before) + 1, startOf(after) - 1]
  return [...head, { omitted: to - from + 1, from, to }, ...tail]
}

/** With what came; what is known already is passed over. */
export const withNews = (known: readonly LogEntry[], news: readonly LogEntry[]): LogEntry[] => {
  const last = lastIn(known)
  return shortened([...known, ...news.filter(entry => startOf(entry) > last)])
}

export const LEVELS = ['debug', 'info', 'warn', 'error'] as const

export interface LogFilter {
  /** Null: all. */
  attempt: number | null
  /** This level and above. */
  level: LogLine['level']
  /** In any case; '' for all. */
  search: string
}

/** Marks of omitted lines stay while only attempts are chosen; of a search nobody knows what they would have held. */
export const filtered = (
  entries: readonly LogEntry[],
  { attempt, level, search }: LogFilter,
): readonly LogEntry[] => {
  const text = search.toLowerCase()
  if (attempt === null && level === 'debug' && text === '') return entries
  const least = LEVELS.indexOf(level)
  return entries.filter(entry => {
    if (isGap(entry)) return attempt === null && text === ''
    if (attempt !== null && entry.attempt !== attempt) return false
    return LEVELS.indexOf(entry.level) >= least && entry.text.toLowerCase().includes(text)
  })
}

export interface LogGroup {
  /** Null: lines of an older version, or a mark before the first line. */
  attempt: number | null
  entries: LogEntry[]
}

/** By attempt, as they follow each other. A mark belongs to the lines before it. */
export const groupsOf = (entries: readonly LogEntry[]): LogGroup[] => {
  const groups: LogGroup[] = []
  for (const entry of entries) {
    const group = groups.at(-1)
    if (group && (isGap(entry) || entry.attempt === group.attempt)) group.entries.push(entry)
    else groups.push({ attempt: isGap(entry) ? null : entry.attempt, entries: [entry] })
  }
  return groups
}
