// Asks a program what kind it is: runs it with --describe in a group of its own, bounded, and leaves nothing of it.
import path from 'node:path'
import { watchOver } from '../platform/command-group.ts'
import { endProcesses } from '../platform/ending-processes.ts'
import { findMarked } from '../platform/marked-processes.ts'
import { createOutputTail } from '../platform/output-tail.ts'
import { MARK, markOf, markPrefix } from '../platform/process-mark.ts'
import { ticksNow } from '../platform/process-proof.ts'
import { programEnvironment } from './environment.ts'
import { startProgram, whyNotStarted } from './start-program.ts'

/** What a description may take. */
export const DESCRIBE_LIMITS = { ms: 10_000, bytes: 256 * 1024 }
const KILL_AFTER_MS = 500
const LAST = { lines: 5, length: 200 }

let asked = 0

/**
 * What it prints with --describe.
 * @throws Error with the reason for people: it cannot be started, takes too long, prints too much, ends with an error
 */
export const describeProgram = async (
  file: string,
  limits: Partial<typeof DESCRIBE_LIMITS> = {},
): Promise<string> => {
  const { ms, bytes: most } = { ...DESCRIBE_LIMITS, ...limits }
  // what outlives a process that was killed meanwhile is found by it
  asked += 1
  const mark = markOf(markPrefix('-'), 'describe', asked)
  const sinceTicks = ticksNow()
  const child = startProgram(file, ['--describe'], {
    cwd: path.dirname(file),
    env: programEnvironment({ [MARK]: mark }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const tooMuch = new AbortController()
  const errors = createOutputTail(LAST.lines * LAST.length * 4, () => {})
  const printed: Buffer[] = []
  let bytes = 0
  child.stdout?.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= most) printed.push(chunk)
    else tooMuch.abort()
  })
  child.stderr?.on('data', (chunk: Buffer) => errors.add(chunk))
  const running = watchOver(child, { killAfter: KILL_AFTER_MS, timeout: ms }, [tooMuch.signal])
  let end: { exitCode: number | null; signal: string | null }
  try {
    end = await running.exited
  } catch (error) {
    throw new Error(whyNotStarted(error))
  } finally {
    const groups = child.pid === undefined ? [] : [child.pid]
    await endProcesses(async () => ({
      processes: await findMarked({ name: MARK, isWanted: value => value === mark, groups, sinceTicks }),
      groups: [],
    }))
  }
  errors.end()
  const said = errors.lastLines(LAST.lines, LAST.length).join(' ')
  const withErrors = (reason: string): Error => new Error(said === '' ? reason : `${reason}: ${said}`)
  const stopped = running.stopped()
  if (stopped === 'timeout') throw withErrors(`--describe is not done after ${ms / 1000} s`)
  if (stopped !== null) throw withErrors(`--describe prints more than ${most / 1024} KiB`)
  if (end.exitCode !== 0)
    throw withErrors(
      end.exitCode === null
        ? `--describe was ended by ${end.signal}`
        : `--describe ended with exit code ${end.exitCode}`,
    )
  const text = Buffer.concat(printed)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(text)
  } catch {
    throw withErrors('--describe prints what is not UTF-8')
  }
}
