// The options and the result of a command that a kind runs. No I/O: the worker runs it.

export interface ExecOptions {
  /**
   * Milliseconds until the command's processes are ended and the call rejects. Unset: only the task's limits apply.
   */
  timeout?: number
  /** From SIGTERM to SIGKILL, milliseconds; 2,000 by default. After a cancel there is half a second in all. */
  killAfter?: number
  /** Ends the command as a cancel does. `ctx.signal` always applies too. */
  signal?: AbortSignal
  cwd?: string
  /** Added to the worker's environment; `undefined` removes a variable. */
  env?: Readonly<Record<string, string | undefined>>
  /** The command's standard input; unset: empty. */
  input?: string | Uint8Array
  /** Exit codes that mean success; [0] by default. */
  codes?: readonly number[]
  /** Whether its output goes into the task's log, line by line; true by default. */
  log?: boolean
  /** How much of stdout and of stderr is kept, from the end of each; 1 MiB by default, 64 MiB at most. */
  maxBytes?: number
}

export interface ExecResult {
  /** One of `codes`. */
  code: number
  /** As UTF-8. */
  stdout: string
  stderr: string
  /** The beginning of stdout or stderr is missing, since more was printed than is kept. */
  truncated: boolean
}

export interface ExecFailure {
  command: string
  args: readonly string[]
  /** Null: it did not exit normally. */
  exitCode: number | null
  /** Null: no signal ended it. */
  signal: string | null
  /** The last lines of stderr, or of stdout if stderr is empty. */
  lastLines: string[]
}

/**
 * A command that could not be run, ended badly, or took too long. `code` is for `retryOn`: `EXIT_<n>`, the signal
 * that ended it, `EXEC_TIMEOUT`, or the system's code such as ENOENT. The message leaves out the arguments, since not
 * every reader of the record may see them.
 */
export class ExecError extends Error implements ExecFailure {
  readonly code: string
  readonly command: string
  readonly args: readonly string[]
  readonly exitCode: number | null
  readonly signal: string | null
  readonly lastLines: string[]
  constructor(code: string, reason: string, failure: ExecFailure, cause?: unknown) {
    const { command, args, exitCode, signal, lastLines } = failure
    super([`${command} ${reason}`, ...lastLines].join('\n'), cause === undefined ? undefined : { cause })
    this.name = 'ExecError'
    this.code = code
    this.command = command
    this.args = args
    this.exitCode = exitCode
    this.signal = signal
    this.lastLines = lastLines
  }
}
