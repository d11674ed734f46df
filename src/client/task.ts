// The types of the REST API. docs/state-files.md says what each field of a task means. A test compares these types
// with the server's own.

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

export type Status = 'PENDING' | 'STARTED' | 'PROGRESS' | 'RETRY' | 'SUCCESS' | 'FAILURE' | 'REVOKED'
/** One of the three ends. */
export const isFinal = (status: Status): boolean =>
  status === 'SUCCESS' || status === 'FAILURE' || status === 'REVOKED'

export interface RetryPolicy {
  delaySeconds: number
  factor: number
  maxDelaySeconds: number
  /** Only errors with one of these names or codes are retried; left out: all are. */
  retryOn?: string[] | undefined
}

/** Seconds of one attempt; null: no limit. */
export interface Limits {
  softSeconds: number | null
  hardSeconds: number | null
}

/** How an attempt ended. `LOST`: its worker died. `GIVEN_BACK`: its worker shut down, and the attempt does not count. */
export type AttemptOutcome = 'SUCCESS' | 'FAILURE' | 'RETRY' | 'REVOKED' | 'LOST' | 'GIVEN_BACK'

/** One run of a task. */
export interface Attempt {
  /** 1 for the task's first; goes on through a retry by hand. */
  attempt: number
  worker: string
  /** The `code` of the kind that ran (`KindInfo`); missing where it is not known. */
  code?: string | undefined
  startedAt: string
  /** Null while it runs, as is `outcome`. */
  endedAt: string | null
  outcome: AttemptOutcome | null
  /** Of older attempts without `detail`. */
  error: { code: string; message: string; detail: Json } | null
}

/** A file that the task has made. */
export interface Artifact {
  name: string
  bytes: number
  /** A media type. */
  type: string
  /** In hex. */
  sha256: string
}

/** A line of a task's log. `at` and `attempt` are null in a log of an older version. */
export interface LogLine {
  /** Its place among all lines that the task ever wrote, from 1. */
  n: number
  at: string | null
  /** As in `attempts`. */
  attempt: number | null
  level: 'debug' | 'info' | 'warn' | 'error'
  text: string
}

/** A mark in a task's log: lines `from` to `to` are left out. */
export interface LogGap {
  omitted: number
  from: number
  to: number
}
export type LogEntry = LogLine | LogGap

/** `last` is the number of the last line; `ended`: the task has ended, so that no more will come. */
export interface LogEntries {
  entries: LogEntry[]
  last: number
  ended: boolean
}

/** Times are ISO-8601, UTC, with milliseconds. */
export interface Task {
  id: string
  version: 1
  kind: string
  /** `people`: no worker takes it; it is open until somebody completes it. Missing: workers do it. */
  doneBy?: 'people' | undefined
  params: Json
  status: Status
  claim: number
  rev: number
  attempt: number
  maxAttempts: number
  priority: number
  progress: { percent: number; note: string | null; etaSeconds: number | null } | null
  /** Partial in PROGRESS. Also null if it is large: then `resultBytes` is set, and `result()` reads it. */
  result: Json
  resultBytes: number | null
  resultInfo?: Json | undefined
  /** Attempts that ended with the death of their worker; missing when none. */
  workersLost?: number | undefined
  /**
   * `message` includes the messages of the causes. `detail`, for an error thrown by a kind: `names` (for `retryOn`),
   * `causes`, and `stack`, the first frames of the kind's own code. The task's log has everything.
   */
  error: { code: string; message: string; detail: Json } | null
  createdAt: string
  notBefore: string | null
  expiresAt: string | null
  startedAt: string | null
  finishedAt: string | null
  updatedAt: string
  worker: string | null
  owner: string | null
  parentId: string | null
  title: string | null
  description: string | null
  idempotencyKey: string | null
  revokeRequestedAt: string | null
  retry: RetryPolicy | null
  limits: Limits
  history: { status: Status; at: string; attempt: number; worker: string | null }[]
  /** The last 20; missing before the first, in lists, and in records of older versions. */
  attempts?: Attempt[] | undefined
  /** By name, the newest last; missing when there are none, and in lists. */
  artifacts?: Artifact[] | undefined
}

/** The reasons that this version knows, in order of precedence; docs/waiting.md. */
export type WaitReason =
  | 'FOR_PEOPLE'
  | 'NOT_DUE'
  | 'RETRY_WAIT'
  | 'NO_WORKER'
  | 'KIND_UNKNOWN'
  | 'NO_ROOM'
  | 'KIND_FULL'
  | 'RATE'
  | 'BEHIND'

/** Why a task waits, as of now. */
export interface Waiting {
  reason: WaitReason
  /** When it became due; of FOR_PEOPLE, NOT_DUE and RETRY_WAIT its last move. */
  since: string
  /** The reason for people. */
  detail: string
  /** What `detail` says, for programs: each reason has those that it needs. */
  facts: {
    /** When its time comes. */
    dueAt?: string
    /** How many of its kind run, and how many may. */
    running?: number
    maxConcurrency?: number
    /** How often one of its kind may begin, as in `10/s`. */
    rate?: string
    /** Slots of the workers that take its kind, and how many are busy. */
    slots?: number
    busy?: number
    /** What a worker or a file says is wrong. */
    trouble?: string
  }
  /** How many tasks come before it. Null: it is not due, or they are more than 10,000. */
  position: number | null
  /** An estimate, in seconds: half of such starts come before `p50`, nine of ten before `p90`. Null: none. */
  startsIn: { p50: number; p90: number } | null
}

/**
 * A task in lists: params and a result over 256 characters of JSON are cut to texts, as the `...Truncated` fields say.
 */
export type TaskView = Omit<Task, 'attempts' | 'artifacts'> & {
  paramsTruncated: boolean
  resultTruncated: boolean
  /** In lists, where there is an owner: the name of its account; null when that was deleted. */
  ownerName?: string | null
  /** Only if the list was asked for it: why the task waits; null if it does not. */
  waiting?: Waiting | null
}

export interface Submission {
  kind: string
  params?: Json
  /** 0 to 9, 9 runs first; 5 by default. */
  priority?: number
  notBefore?: string | null
  expiresAt?: string | null
  maxAttempts?: number
  retry?: Partial<RetryPolicy> | null
  limits?: Partial<Limits>
  title?: string | null
  description?: string | null
}

export interface KindInfo {
  name: string
  summary: string
  /** Who does its tasks. */
  doneBy: 'workers' | 'people'
  /** JSON Schema. */
  params: unknown
  /** JSON Schema. */
  result: unknown
  example: unknown
  maxAttempts: number
  retry: RetryPolicy | null
  limits: Limits
  maxConcurrency: number | null
  rate: string | null
  /**
   * SHA-256 in hex of its file, or of the list of its file and of all that it imports by relative paths; null: not
   * known.
   */
  code: string | null
}

/** A kind whose file cannot be used: a submit to it is refused with KIND_IN_TROUBLE. */
export interface KindTrouble {
  name: string
  file: string
  reason: string
  /** The roles that could not use it, as far as known. */
  roles: string[]
}

/** The order of a list: by this time of a task, with a minus the latest first. By `finishedAt`, only ended tasks. */
export type Sort = 'createdAt' | '-createdAt' | 'finishedAt' | '-finishedAt'

/** A task must fit all given filters. */
export interface Filter {
  status?: Status | readonly Status[]
  kind?: string | readonly string[]
  owner?: string
  parent?: string
  /** Text in id, kind, title or description, ignoring case. */
  q?: string
  /** Created at this time or later; before this time. */
  from?: string | Date
  to?: string | Date
  /** The error has one of these codes. */
  errorCode?: string | readonly string[]
  /** Text in the error's message, ignoring case. */
  error?: string
  /** The error has this message but for numbers, ids and times; an … stands for one of those. */
  errorLike?: string
  /** Ended at this time or later; before this time. */
  finishedFrom?: string | Date
  finishedTo?: string | Date
}

/** The kind of the shared list. */
export const TODO_KIND = 'manual'

/** Who an item of the list is for; null: nobody in particular. */
export const assigneeOf = ({ params }: Pick<Task, 'params'>): string | null => {
  const { assignee } = (typeof params === 'object' && params !== null ? params : {}) as { assignee?: unknown }
  return typeof assignee === 'string' ? assignee : null
}

/** Who completed a task, and what they noted; null while it is open, and of one that was cancelled. */
export const doneOf = ({
  status,
  result,
}: Pick<Task, 'status' | 'result'>): { by: string | null; note: string | null } | null => {
  if (status !== 'SUCCESS') return null
  const { by, note } = (typeof result === 'object' && result !== null ? result : {}) as Record<
    string,
    unknown
  >
  return { by: typeof by === 'string' ? by : null, note: typeof note === 'string' ? note : null }
}
