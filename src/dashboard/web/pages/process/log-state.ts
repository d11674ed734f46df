// What the page holds of a log: pages of its past and the lines that came since. Pure.
import type { Level, LogLine, LogPage, LogStream } from './log-types.ts'

export interface ShownLine extends LogLine {
  stream: LogStream
  key: string
  /** The log was cut before it. */
  isAfterGap: boolean
}

export interface LogState {
  /** Pages that were asked for, oldest first. */
  past: Record<LogStream, ShownLine[]>
  /** What came over the stream, as it came. */
  live: ShownLine[]
  /** For the page before; null: the log begins there. */
  before: Record<LogStream, string | null>
  /** Where the first page ended: the stream begins there, and so does the page after a page around a moment. */
  after: Record<LogStream, string | null>
  /** Whether there is such a log at all. */
  isWritten: boolean
}

export const EMPTY: LogState = {
  past: { out: [], err: [] },
  live: [],
  before: { out: null, err: null },
  after: { out: null, err: null },
  isWritten: false,
}

/** The most lines that stay on the page. */
export const MOST_LINES = 2_000

export const shownLines = (stream: LogStream, lines: readonly LogLine[], isAfterGap = false): ShownLine[] =>
  lines.map((line, at) => ({
    ...line,
    stream,
    key: `${stream} ${line.id}`,
    isAfterGap: isAfterGap && at === 0,
  }))

/** All of them in the order of the page: the log of errors has no times, so its past stands by itself. */
export const linesOf = ({ past, live }: LogState): ShownLine[] => [...past.err, ...past.out, ...live]

/**
 * The key of the line nearest in time: of the lines of the task, if there are any. A line is written some milliseconds
 * before the record that tells of it, so those of other tasks may be nearer.
 */
export const lineNear = (lines: readonly ShownLine[], ms: number, task: string | null): string | null => {
  const timed = lines.filter(({ time }) => time !== null)
  const own = task === null ? [] : timed.filter(({ text }) => text.includes(`"id":${JSON.stringify(task)}`))
  const away = ({ time }: ShownLine): number => Math.abs(Date.parse(time ?? '') - ms)
  let nearest: ShownLine | null = null
  for (const line of own.length > 0 ? own : timed)
    if (nearest === null || away(line) < away(nearest)) nearest = line
  return nearest?.key ?? null
}

export const withPage = (state: LogState, stream: LogStream, page: LogPage): LogState => ({
  ...state,
  past: { ...state.past, [stream]: shownLines(stream, page.lines) },
  before: { ...state.before, [stream]: page.before },
  after: { ...state.after, [stream]: page.after },
  isWritten: state.isWritten || page.bytes !== null,
})

export const withOlder = (state: LogState, stream: LogStream, page: LogPage): LogState => ({
  ...state,
  past: { ...state.past, [stream]: [...shownLines(stream, page.lines), ...state.past[stream]] },
  before: { ...state.before, [stream]: page.before },
})

export const withLater = (state: LogState, stream: LogStream, page: LogPage): LogState => ({
  ...state,
  past: { ...state.past, [stream]: [...state.past[stream], ...shownLines(stream, page.lines)] },
  after: { ...state.after, [stream]: page.after },
})

/** Without what is there already: a stream that begins anew may tell a line twice. */
export const withLive = (state: LogState, lines: readonly ShownLine[]): LogState => {
  const known = new Set(linesOf(state).map(({ key }) => key))
  return { ...state, live: [...state.live, ...lines.filter(({ key }) => !known.has(key))], isWritten: true }
}

/** Lets go of the oldest, which can be asked for again. */
export const trimmed = (state: LogState, most = MOST_LINES): LogState => {
  let excess = state.past.err.length + state.past.out.length + state.live.length - most
  if (excess <= 0) return state
  const cut = (lines: ShownLine[]): ShownLine[] => {
    const gone = Math.min(excess, lines.length)
    excess -= gone
    return lines.slice(gone)
  }
  const past = { err: cut(state.past.err), out: cut(state.past.out) }
  const live = cut(state.live)
  const beginOf = (stream: LogStream): string | null =>
    past[stream].length === state.past[stream].length && live.length === state.live.length
      ? state.before[stream]
      : ((past[stream][0] ?? live.find(line => line.stream === stream))?.id ?? state.before[stream])
  return { ...state, past, live, before: { out: beginOf('out'), err: beginOf('err') } }
}

/** Lines of the past without a level of their own, as a reader takes them. */
export const levelOf = ({ level, stream }: ShownLine): Level | null =>
  level ?? (stream === 'err' ? 'error' : null)
