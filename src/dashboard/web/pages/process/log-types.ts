// Lines and pages of a log as the server tells them.

export const LOG_STREAMS = ['out', 'err'] as const
export type LogStream = (typeof LOG_STREAMS)[number]
export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
export type Level = (typeof LEVELS)[number]

export interface Span {
  text: string
  /** 0 to 255 of a terminal's palette, or `#rrggbb`. */
  fg?: number | string
  bg?: number | string
  bold?: true
  dim?: true
  italic?: true
  underline?: true
}

export interface LogLine {
  /** Where it begins: a place. */
  id: string
  text: string
  spans?: Span[]
  level: Level | null
  /** ISO 8601. */
  time: string | null
  message: string | null
  cut: boolean
}

export interface LogPage {
  lines: LogLine[]
  before: string | null
  after: string | null
  /** Null: there is no such log. */
  bytes: number | null
}

/** What the page shows: one of the two logs, or what went wrong in both. */
export const VIEWS = ['out', 'err', 'errors'] as const
export type View = (typeof VIEWS)[number]
export const STREAMS_OF: Readonly<Record<View, readonly LogStream[]>> = {
  out: ['out'],
  err: ['err'],
  errors: ['out', 'err'],
}
