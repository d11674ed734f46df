// `ctx.exec` inside a thread: runs one command in its own process group, passes its lines on, ends it on a cancel or a
// timeout, and settles when the whole group is gone.
import { type ChildProcess, spawn } from 'node:child_process'
import { z } from 'zod'
import { ExecError, type ExecFailure, type ExecOptions, type ExecResult } from '../../core/exec.ts'
import type { TaskContext } from '../../core/kind.ts'
import { formatFirstProblem } from '../../core/problems.ts'
import type { LogLevel } from '../../core/task-log.ts'
import { watchOver } from '../../platform/command-group.ts'
import { createOutputTail } from '../../platform/output-tail.ts'

const LAST_LINES = 5
const LINE_LENGTH = 300
const DELAY_MAX = 2 ** 31 - 1

const optionsShape = z.strictObject({
  timeout: z.number().positive().max(DELAY_MAX).optional(),
  killAfter: z.number().min(0).max(DELAY_MAX).default(2_000),
  signal: z.instanceof(AbortSignal).optional(),
  cwd: z.string().min(1).optional(),
  env: z.record(z.string(), z.string().optional()).default({}),
  input: z.union([z.string(), z.instanceof(Uint8Array)]).optional(),
  codes: z.array(z.int()).default([0]),
  log: z.boolean().default(true),
  maxBytes: z
    .int()
    .min(1)
    .max(64 * 1024 ** 2)
    .default(1024 ** 2),
})

const checked = (command: string, args: readonly string[], options: ExecOptions) => {
  if (typeof command !== 'string' || command === '') throw new TypeError('exec: the command must be a text')
  if (!Array.isArray(args) || args.some(arg => typeof arg !== 'string'))
    throw new TypeError('exec: the arguments must be an array of texts')
  const parsed = optionsShape.safeParse(options)
  if (parsed.success) return parsed.data
  throw new TypeError(`exec: ${formatFirstProblem(parsed.error, 'the options')}`)
}

const named = (values: Readonly<Record<string, string | undefined>>): Record<string, string> => {
  const set = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return Object.fromEntries(set)
}

/** `log` takes a line for the task's log; `isOver` says that the run may start nothing more. */
export const createExec =
  (deps: {
    signal: AbortSignal
    log: (line: string, level?: LogLevel) => void
    isOver: () => boolean
  }): TaskContext['exec'] =>
  async (command, args = [], given = {}) => {
    const options = checked(command, args, given)
    const signals = [deps.signal, ...(options.signal ? [options.signal] : [])]
    for (const signal of signals) signal.throwIfAborted()
    if (deps.isOver()) throw new Error('The run is over: it can start no command any more')
    const tell: typeof deps.log = options.log ? deps.log : () => {}
    const stdout = createOutputTail(options.maxBytes, line => tell(line))
    const stderr = createOutputTail(options.maxBytes, line => tell(line, 'warn'))
    const failure = (exitCode: number | null, signal: string | null): ExecFailure => {
      const ofStderr = stderr.lastLines(LAST_LINES, LINE_LENGTH)
      const lastLines = ofStderr.length > 0 ? ofStderr : stdout.lastLines(LAST_LINES, LINE_LENGTH)
      return { command, args: [...args], exitCode, signal, lastLines }
    }
    const notStarted = (error: unknown): ExecError => {
      const { code = 'EXEC_FAILED', message } = error as NodeJS.ErrnoException
      const reason =
        code === 'ENOENT'
          ? `could not be started: there is no such program${options.cwd === undefined ? '' : ', or no such folder to run it in'}`
          : `could not be started: ${message}`
      return new ExecError(code, reason, failure(null, null), error)
    }

    let child: ChildProcess
    try {
      child = spawn(command, args, {
        cwd: options.cwd,
        env: named({ ...process.env, ...options.env }),
        detached: process.platform !== 'win32',
        stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      })
    } catch (error) {
      if ((error as Error).name === 'AbortError') throw error
      throw notStarted(error)
    }
    child.stdout?.on('data', bytes => stdout.add(bytes))
    child.stderr?.on('data', bytes => stderr.add(bytes))
    // a command may end without reading its input
    child.stdin?.on('error', () => {})
    child.stdin?.end(options.input)
    const { stopped, exited } = watchOver(child, options, signals)
    const { exitCode, signal } = await exited.catch((error: unknown) => {
      throw notStarted(error)
    })
    stdout.end()
    stderr.end()

    const why = stopped()
    if (why === 'timeout')
      throw new ExecError(
        'EXEC_TIMEOUT',
        `took longer than ${options.timeout} ms and was ended`,
        failure(exitCode, signal),
      )
    if (why !== null) throw why.reason
    if (exitCode === null)
      throw new ExecError(signal ?? 'EXEC_FAILED', `was ended by ${signal}`, failure(exitCode, signal))
    if (!options.codes.includes(exitCode))
      throw new ExecError(`EXIT_${exitCode}`, `ended with exit code ${exitCode}`, failure(exitCode, signal))
    const truncated = stdout.truncated() || stderr.truncated()
    return { code: exitCode, stdout: stdout.text(), stderr: stderr.text(), truncated } satisfies ExecResult
  }
