// What the dashboard's JSON routes answer, as the pages read it. A test holds each to what the server sends.

export interface Trouble {
  code: string
  level: 'error' | 'warning'
  params: Readonly<Record<string, string | number | null>>
  /** The page that says more. */
  link: string
}

/** Failed tasks of one kind with one sort of message. */
export interface FailureGroup {
  kind: string
  /** An ellipsis in the pattern stands for what differs. */
  error: { code: string; pattern: string | null }
  count: number
  /** ISO-8601. */
  firstAt: string
  lastAt: string
  /** Its last task. */
  example: { id: string; message: string }
  /** The query that lists these tasks alone. */
  filter: Readonly<Record<string, string>>
}

export interface Overview {
  /** The most urgent first. */
  troubles: readonly Trouble[]
  /** By status. Null: the store does not answer. */
  counts: Readonly<Record<string, number>> | null
  queue: { name: string; status: string; depth: number | null; waiting: number } | null
  failures: readonly FailureGroup[] | null
  failuresTotal: { count: number; moreGroups: number; isWhole: boolean } | null
}

/** Null: not known. Times in seconds. */
export interface KindFigure {
  name: string
  waiting: number | null
  running: number | null
  failures: number | null
  runs: { count: number; p50: number; p90: number } | null
}

export interface KindFigures {
  since: string
  kinds: readonly KindFigure[]
  isWhole: boolean
}

export const ACTIONS = ['start', 'stop', 'restart'] as const
export type Action = (typeof ACTIONS)[number]

/** Good, changing, at rest, or broken. */
export type Tone = 'good' | 'busy' | 'rest' | 'bad'

export interface RestartCause {
  how: 'asked' | 'exit' | 'signal' | 'memory'
  code: number | null
  signal: string | null
  by: string | null
  /** ISO 8601. */
  at: string
  words: string | null
}

/** As /processes.json has it; what may be left out, the server may not know. */
export interface ProcessRow {
  name: string
  pmId: number
  state: string
  tone: Tone
  pid: number | null
  uptimeMs: number | null
  restarts: number
  /** 100 is one core. */
  cpuPercent: number
  memoryBytes: number
  isDashboard: boolean
  ready?: boolean | null
  troubles?: Record<string, string>
  /** Ids of tasks. */
  running?: string[]
  restartCause?: RestartCause | null
  lastRestartAt?: string | null
  crashLoop?: boolean
  can: Record<Action, boolean>
}
