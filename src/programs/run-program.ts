// Runs a program as the `run` of its kind: starts it in the attempt's own folder, does what its lines ask for, bounds
// its memory, ends it on a cancel, and tells how it ended. Everything else about the life of its processes is that of
// all processes that a kind starts.
import path from 'node:path'
import { MadhavaError } from '../core/errors.ts'
import type { Kind, TaskContext } from '../core/kind.ts'
import { ProgramError } from '../core/program-error.ts'
import type { Json } from '../core/task.ts'
import { signalGroup, watchOver } from '../platform/command-group.ts'
import { createOutputTail } from '../platform/output-tail.ts'
import { programEnvironment } from './environment.ts'
import { watchMemory } from './group-memory.ts'
import { createOutputLines } from './output-lines.ts'
import { createProgramCalls } from './program-calls.ts'
import { createAnswers, firstLine } from './program-input.ts'
import { startProgram, whyNotStarted } from './start-program.ts'

export interface ProgramToRun {
  /** Absolute. */
  file: string
  /** JSON Schema of its params. */
  params: Json
  /** It is told what came of its children and files. */
  answers: boolean
  /** The most memory of all its processes together, bytes; null: no limit of ours. */
  memoryBytes: number | null
  /** The most bytes of one call, which may be a result. */
  callBytes: number
}

/** From SIGTERM to SIGKILL. A cancelled attempt has less. */
const KILL_AFTER_MS = 2_000
const LAST = { lines: 5, length: 300, bytes: 16 * 1024 }

/** @returns the `run` of a kind */
export const createProgramRun =
  (program: ProgramToRun): Kind<Json, unknown>['run'] =>
  async (params, context: TaskContext) => {
    const shown = path.basename(program.file)
    const { signal } = context
    const input = await firstLine(params, program.params, context)
    const folder = context.scratch
    signal.throwIfAborted()

    const child = startProgram(program.file, [], {
      cwd: folder,
      env: programEnvironment(),
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const { stdin, stdout, stderr } = child
    if (!stdin || !stdout || !stderr) throw new Error('a program has no pipes')
    // a program may end without reading its input
    stdin.on('error', () => {})
    stdin.write(input)
    if (!program.answers) stdin.end()

    const calls = createProgramCalls(context, program.answers ? createAnswers(stdin, context) : null)
    const warnings = createOutputTail(LAST.bytes, line => context.log(line, 'warn'))
    stderr.on('data', (bytes: Buffer) => warnings.add(bytes))
    let isBehind = false
    const read = async (): Promise<void> => {
      const lines = createOutputLines(program.callBytes)
      const take = async (line: ReturnType<typeof lines.end>): Promise<void> => {
        for (const each of line)
          if (each.type === 'text') context.log(each.text)
          else if (each.type === 'too long') calls.refuse(each.name, each.bytes)
          else await calls.take(each.name, each.bytes)
      }
      try {
        for await (const bytes of stdout) {
          isBehind = true
          await take(lines.add(bytes as Buffer))
          isBehind = false
        }
      } catch {
        // closed, since something that has left the group held it open
      }
      await take(lines.end())
    }

    let usedTooMuch: number | null = null
    const memory =
      program.memoryBytes === null || child.pid === undefined
        ? null
        : watchMemory(child.pid, program.memoryBytes, bytes => {
            usedTooMuch = bytes
            signalGroup(child, 'SIGKILL')
          })
    const running = watchOver(child, { killAfter: KILL_AFTER_MS, isBehind: () => isBehind }, [signal])
    const reading = read()
    let end: Awaited<typeof running.exited>
    try {
      end = await running.exited
    } catch (error) {
      const { code = 'NOT_STARTED' } = error as NodeJS.ErrnoException
      throw new ProgramError(`${shown}: ${whyNotStarted(error)}`, { code })
    } finally {
      memory?.stop()
      stdin.destroy()
    }
    await reading
    warnings.end()
    await calls.settled()

    if (usedTooMuch !== null)
      throw new MadhavaError('OUT_OF_MEMORY', tooMuchMemory(shown, usedTooMuch, program.memoryBytes ?? 0))
    const { exitCode, signal: endedBy } = end
    const result = exitCode === 0 && !calls.hasFailed() ? calls.result() : null
    // one that was done before it was told to stop is done
    if (signal.aborted && result === null) throw signal.reason
    calls.throwFailure()
    if (exitCode !== 0) throw endError(shown, exitCode, endedBy, warnings.lastLines(LAST.lines, LAST.length))
    if (result === null)
      throw new ProgramError(`${shown} ended without a result: it must print a line {"result": ...}`, {
        code: 'NO_RESULT',
        retryable: false,
      })
    return result.value
  }

const megabytes = (bytes: number): number => Math.ceil(bytes / 1024 ** 2)

const tooMuchMemory = (shown: string, bytes: number, limit: number): string =>
  `${shown} and what it had started used ${megabytes(bytes)} MB; a task may use ${megabytes(limit)} (TASK_MEMORY_MB)`

const endError = (
  shown: string,
  exitCode: number | null,
  endedBy: string | null,
  lastLines: readonly string[],
): ProgramError => {
  const how =
    exitCode !== null
      ? `ended with exit code ${exitCode}`
      : `was ended by ${endedBy}${endedBy === 'SIGKILL' ? ', which a machine without memory sends too' : ''}`
  const code = exitCode === null ? (endedBy ?? 'NO_EXIT_CODE') : `EXIT_${exitCode}`
  return new ProgramError([`${shown} ${how}`, ...lastLines].join('\n'), { code })
}
