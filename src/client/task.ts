// What the REST API takes and answers, as types. docs/state-files.md says what each field of a task means. A test holds
// these types against the server's own.

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

export type Status = 'PENDING' | 'STARTED' | 'PROGRESS' | 'RETRY' | 'SUCCESS' | 'FAILURE' | 'REVOKED'
/** One of the three ends. */
export const isFinal = (status: Status): boolean =>
  status === 'SUCCESS' || status === 'FAILURE' || status === 'REVOKED'

export interface RetryPolicy {
  delaySeconds: number
  factor: number
  maxDelaySeconds: number
  /** Only errors with one of these names or codes are tried again; without it all are. */
  retryOn?: string[] | undefined
}

/** Seconds of one attempt; null: no limit. */
export interface Limits {
  softSeconds: number | null
  hardSeconds: number | null
}

/** Times are ISO-8601, UTC, with milliseconds. */
export interface Task {
  id: string
  version: 1
  kind: string
  params: Json
  status: Status
  claim: number
  rev: number
  attempt: number
  maxAttempts: number
  priority: number
  progress: { percent: number; note: string | null; etaSeconds: number | null } | null
  /** Partial while PROGRESS. Null also for a large one: then `resultBytes` is set, and `result()` fetches it. */
  result: Json
  resultBytes: number | null
  resultInfo?: Json | undefined
  /** Attempts that ended with the death of their worker; only where there are some. */
  workersLost?: number | undefined
  /**
   * `message` has the words of the causes, too. `detail`, of what a kind threw: `names` (what `retryOn` may list),
   * `causes`, and `stack`, the first frames of the kind's own code; the task's log has the whole.
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
}

/** As lists show it: params and a result over 256 characters of JSON are cut to texts, as `...Truncated` say. */
export type TaskView = Task & { paramsTruncated: boolean; resultTruncated: boolean }

export interface Submission {
  kind: string
  params?: Json
  /** 0 to 9, 9 first; 5 when left out. */
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
}

/** A kind whose file cannot be used: a submit to it is refused with KIND_IN_TROUBLE. */
export interface KindTrouble {
  name: string
  file: string
  reason: string
  /** Whose processes could not use it, as far as known. */
  roles: string[]
}

/** All that is given must fit. */
export interface Filter {
  status?: Status | readonly Status[]
  kind?: string | readonly string[]
  owner?: string
  parent?: string
  /** Found, ignoring case, in id, kind, title or description. */
  q?: string
  /** Created at this time or later; before this time. */
  from?: string | Date
  to?: string | Date
  /** Whose error has one of these codes. */
  errorCode?: string | readonly string[]
  /** Found, ignoring case, in the message of the error. */
  error?: string
  /** Ended at this time or later; before this time. */
  finishedFrom?: string | Date
  finishedTo?: string | Date
}
