// The errors of the client: the server refuses, cannot be reached, or a wait timed out.
import type { Task } from './task.ts'

/** RFC 9457 problem details, as the server sends them. */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  /** Permanent; docs/errors.md lists them. */
  code: string
  instance?: string
  /** One entry per wrong field. */
  problems?: { path: string; problem: string }[]
}

/** The server answered with an error. `code` is for programs, the message for people. */
export class ApiError extends Error {
  readonly code: string
  readonly status: number
  readonly problem: Problem
  /** Also in the server's log. */
  readonly requestId: string | null
  /** How long to wait before the next try, milliseconds; null if the server did not say. */
  readonly retryAfterMs: number | null
  constructor(problem: Problem, more: { requestId?: string | null; retryAfterMs?: number | null } = {}) {
    super(`${problem.code}: ${problem.detail}`)
    this.name = 'ApiError'
    this.code = problem.code
    this.status = problem.status
    this.problem = problem
    this.requestId = more.requestId ?? null
    this.retryAfterMs = more.retryAfterMs ?? null
  }
}

/** The most characters of an error's text. */
const WORDS = 500

/** The message of an error. If it has none, the messages of its causes: a name with several addresses has several. */
const wordsOf = (error: unknown, depth = 0): string => {
  if (!(error instanceof Error)) return String(error)
  const { message, cause } = error
  const causes: unknown[] = [
    ...(cause === undefined ? [] : [cause]),
    ...(error instanceof AggregateError ? error.errors : []),
  ]
  const why = depth < 5 ? [...new Set(causes.slice(0, 5).map(one => wordsOf(one, depth + 1)))] : []
  return [message, why.filter(words => words !== '' && !message.includes(words)).join('; ')]
    .filter(words => words !== '')
    .join(': ')
}

/** Why there is no answer, with the causes, for people: `fetch failed` alone is no help. */
export const reasonOf = (error: unknown): string => wordsOf(error).slice(0, WORDS)

/** No answer came, or it broke off; the cause says why. The server may or may not have done what was asked. */
export class ConnectionError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'ConnectionError'
  }
}

/** `wait` timed out before the task had ended. */
export class WaitTimeoutError extends Error {
  /** Its last known state. */
  readonly task: Task
  constructor(task: Task, timeoutMs: number) {
    super(`The task ${task.id} is ${task.status} after ${timeoutMs} ms`)
    this.name = 'WaitTimeoutError'
    this.task = task
  }
}

/** The code for an answer that is not the server's: from a proxy, or from something else at this address. */
export const UNEXPECTED_ANSWER = 'UNEXPECTED_ANSWER'

/** Whether the same call may succeed a little later. */
export const isTemporary = (error: unknown): boolean =>
  error instanceof ConnectionError ||
  (error instanceof ApiError && [408, 429, 502, 503, 504].includes(error.status))
