// A task's own log: numbered lines, of which the first and the last are kept. What is between them is told by the gap
// in the numbers. Pure: the form in the store, as text for people, and as entries for programs.

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]
export const isLogLevel = (value: unknown): value is LogLevel => LOG_LEVELS.includes(value as LogLevel)

export interface LogLine {
  /** Its place among all lines that the task ever wrote, from 1; goes on through attempts and retries by hand. */
  n: number
  /** ISO-8601; null in a log from before lines had a form. */
  at: string | null
  /** As in the record's `attempts`; null in a log from before lines had a form. */
  attempt: number | null
  level: LogLevel
  text: string
}
/** A mark: so many lines stood here. */
export interface LogGap {
  omitted: number
  /** The numbers of the first and the last of them. */
  from: number
  to: number
}
export type LogEntry = LogLine | LogGap
export const isGap = (entry: LogEntry): entry is LogGap => 'omitted' in entry

/** What is kept of a log. */
export interface KeptLog {
  /** The number of the last line; 0: there is none. */
  last: number
  lines: LogLine[]
}
export const EMPTY_LOG: KeptLog = { last: 0, lines: [] }

export interface WindowLimits {
  first: { lines: number; bytes: number }
  last: { lines: number; bytes: number }
}
/** Together less than the 256 KiB that the Redis store writes at once. */
export const LOG_LIMITS: WindowLimits = {
  first: { lines: 200, bytes: 48 * 1024 },
  last: { lines: 800, bytes: 176 * 1024 },
}

/** Keeps the first and the last items within their limits. `size` is in bytes. */
export const createLogWindow = <T>({ first, last }: WindowLimits) => {
  const head: T[] = []
  let room = first.bytes
  let tail: { item: T; size: number }[] = []
  /** Where the tail begins: what is before it is let go now and then. */
  let start = 0
  let bytes = 0
  return {
    add(item: T, size: number): void {
      if (tail.length === 0 && head.length < first.lines && size <= room) {
        head.push(item)
        room -= size
        return
      }
      tail.push({ item, size })
      bytes += size
      while (tail.length - start > 1 && (tail.length - start > last.lines || bytes > last.bytes)) {
        bytes -= tail[start]?.size ?? 0
        start += 1
      }
      if (start <= last.lines) return
      tail = tail.slice(start)
      start = 0
    },
    items: (): T[] => [...head, ...tail.slice(start).map(({ item }) => item)],
  }
}

/** Bytes of a line in the store, at most: what stands around its text, as JSON, is short. */
export const lineSize = (text: string): number => Buffer.byteLength(JSON.stringify(text)) + 100

/** The lines after number `after`, with a mark wherever lines are left out. */
export const entriesAfter = ({ lines }: KeptLog, after: number): LogEntry[] => {
  const entries: LogEntry[] = []
  let next = after + 1
  for (const line of lines) {
    if (line.n < next) continue
    if (line.n > next) entries.push({ omitted: line.n - next, from: next, to: line.n - 1 })
    entries.push(line)
    next = line.n + 1
  }
  return entries
}

/** The form in the store: NDJSON with the number of the last line before all entries. */
export const encodeLog = (log: KeptLog): string =>
  [{ version: 1, last: log.last }, ...entriesAfter(log, 0)]
    .map(entry => `${JSON.stringify(entry)}\n`)
    .join('')

/** More than the first line of `encodeLog` ever has. */
export const LOG_HEADER_BYTES = 64

const parsed = (line: string): Record<string, unknown> | null => {
  if (!line.startsWith('{')) return null
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return null
  }
}

/** The number of the last line, from the beginning of the stored form; null: it has another form. */
export const lastOf = (beginning: string): number | null => {
  const last = parsed(beginning.split('\n', 1)[0] ?? '')?.last
  return Number.isSafeInteger(last) ? (last as number) : null
}

const PLAIN = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (.*)$/s

/** Reads the stored form, and the plain text of earlier versions. Whatever it is, each line becomes one. */
export const decodeLog = (text: string): KeptLog => {
  const rows = text.split('\n')
  if (rows.at(-1) === '') rows.pop()
  const lines: LogLine[] = []
  let n = 0
  for (const row of rows) {
    const found = parsed(row)
    if (found && ('omitted' in found || 'last' in found)) continue
    if (found && Number.isSafeInteger(found.n) && (found.n as number) > n && typeof found.text === 'string') {
      n = found.n as number
      lines.push({
        n,
        at: typeof found.at === 'string' ? found.at : null,
        attempt: Number.isSafeInteger(found.attempt) ? (found.attempt as number) : null,
        level: isLogLevel(found.level) ? found.level : 'info',
        text: found.text,
      })
      continue
    }
    n += 1
    const [, at = null, rest = row] = PLAIN.exec(row) ?? []
    lines.push({ n, at, attempt: null, level: 'info', text: rest })
  }
  return { last: Math.max(n, lastOf(text) ?? 0), lines }
}

const words = (entry: LogEntry): string => {
  if (isGap(entry)) return `… ${entry.omitted.toLocaleString('en-US')} lines left out …`
  const text = entry.text.replaceAll('\n', ' ')
  return entry.at === null ? text : `${entry.at} ${text}`
}

/** For people: a line per entry. */
export const logText = (log: KeptLog): string =>
  entriesAfter(log, 0)
    .map(entry => `${words(entry)}\n`)
    .join('')
