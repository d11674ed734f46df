// What a kind may say about a command that it runs, and what it gets back. No I/O: the worker runs it.

export interface ExecOptions {
  /**
   * Milliseconds; then the command's processes are ended, and the call rejects. Unset: the limits of the task alone.
   */
  timeout?: number
  /** From SIGTERM to SIGKILL, milliseconds: 2,000 unless said otherwise. A cancelled task has half a second in all. */
  killAfter?: number
  /** Ends the command as a cancel does. `ctx.signal` is heard in any case. */
  signal?: AbortSignal
  cwd?: string
  /** Added to the environment of the worker; `undefined` takes a variable away. */
  env?: Readonly<Record<string, string | undefined>>
  /** What the command reads from its standard input; unset: nothing. */
  input?: string | Uint8Array
  /** Exit codes that are no failure: [0] unless said otherwise. */
  codes?: readonly number[]
  /** Whether what it prints goes into the task's log, line by line: true unless said otherwise. */
  log?: boolean
  /** Of stdout and of stderr so much is kept, the end of each: 1 MiB unless said otherwise, 64 MiB at most. */
  maxBytes?: number
}

export interface ExecResult {
  /** One of `codes`. */
  code: number
  /** As UTF-8. */
  stdout: string
  stderr: string
  /** More was printed than is kept: the beginning of stdout or stderr is missing. */
  truncated: boolean
}

export interface ExecFailure {
  command: string
  args: readonly string[]
  /** Null where it did not exit by itself. */
  exitCode: number | null
  /** Null where no signal ended it. */
  signal: string | null
  /** The last lines of stderr; of stdout where it said nothing there. */
  lastLines: string[]
}

/**
 * A command that could not be run, ended badly, or took too long. `code` is for `retryOn`: `EXIT_<n>`, the name of the
 * signal that ended it, `EXEC_TIMEOUT`, or the system's own such as ENOENT. The message leaves the arguments out: they
 * may hold what is not for everybody who reads the record.
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
