// How a command ends: the exit codes, which docs/console.md lists, and the code of each error.
import { ApiError, ConnectionError, UNEXPECTED_ANSWER } from '../client/errors.ts'

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  notAllowed: 4,
  unreachable: 5,
  later: 6,
  hungUp: 129,
  interrupted: 130,
  pipeClosed: 141,
  terminated: 143,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** The console itself refuses, or ends. An empty message is not shown. */
export class ConsoleError extends Error {
  readonly exit: ExitCode
  /** What may help, for people. */
  readonly hint: string | null
  constructor(exit: ExitCode, message: string, hint: string | null = null, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ConsoleError'
    this.exit = exit
    this.hint = hint
  }
}

/** The command line is wrong. */
export const usage = (message: string, hint: string | null = null): ConsoleError =>
  new ConsoleError(EXIT.usage, message, hint)

const NOT_ALLOWED = [401, 403]
/** The server has no room now, or a quota is used up. */
const LATER = [408, 429, 503, 507]
/** A proxy in front cannot reach the server. */
const GATEWAY = [502, 504]

/** The exit code of whatever a command has thrown. */
export const exitOf = (error: unknown): ExitCode => {
  if (error instanceof ConsoleError) return error.exit
  if (error instanceof ConnectionError) return EXIT.unreachable
  if (!(error instanceof ApiError)) return EXIT.failed
  if (GATEWAY.includes(error.status)) return EXIT.unreachable
  // 404 of something else than a task server says nothing of a task
  if (
    error.code === UNEXPECTED_ANSWER &&
    !LATER.includes(error.status) &&
    !NOT_ALLOWED.includes(error.status)
  )
    return EXIT.unreachable
  if (error.status === 404) return EXIT.notFound
  if (NOT_ALLOWED.includes(error.status)) return EXIT.notAllowed
  return LATER.includes(error.status) ? EXIT.later : EXIT.failed
}
