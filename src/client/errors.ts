// What can go wrong for a caller of the client: the server refuses, cannot be reached, or a wait is over.
import type { Task } from './task.ts'

/** RFC 9457 problem details, as the server sends them. */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  /** Permanent; docs/errors.md has them all. */
  code: string
  instance?: string
  /** One entry per field that is wrong. */
  problems?: { path: string; problem: string }[]
}

/** The server answered with an error. `code` is for programs, the message for people. */
export class ApiError extends Error {
  readonly code: string
  readonly status: number
  readonly problem: Problem
  /** The server's log has it too. */
  readonly requestId: string | null
  /** How long to wait before the next try, milliseconds; null: the server did not say. */
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

/** Words of a cause at the most, characters. */
const WORDS = 500

/** What an error says, or, where it says nothing, what its causes say: a name with several addresses has several. */
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

/** Why there is no answer, with the causes, for people: `fetch failed` alone helps nobody. */
export const reasonOf = (error: unknown): string => wordsOf(error).slice(0, WORDS)

/** No answer came, or it broke off: the cause says why. Whether the server did what was asked is not known. */
export class ConnectionError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'ConnectionError'
  }
}

/** `wait` was over before the task had ended. */
export class WaitTimeoutError extends Error {
  /** As it was seen last. */
  readonly task: Task
  constructor(task: Task, timeoutMs: number) {
    super(`The task ${task.id} is ${task.status} after ${timeoutMs} ms`)
    this.name = 'WaitTimeoutError'
    this.task = task
  }
}

/** Codes for an answer that is none of the server's: of a proxy in between, or of something else at this address. */
export const UNEXPECTED_ANSWER = 'UNEXPECTED_ANSWER'

/** Whether the same may well succeed a little later. */
export const isPassing = (error: unknown): boolean =>
  error instanceof ConnectionError ||
  (error instanceof ApiError && [408, 429, 502, 503, 504].includes(error.status))
