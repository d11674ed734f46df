// Turns what a kind threw into the error of its record and lines for its log. Pure.
import { fileURLToPath } from 'node:url'
import { cutText } from '../core/cut-text.ts'
import { type ErrorCode, isMadhavaError, type MadhavaError, TEMPORARY_ERRORS } from '../core/errors.ts'
import { ProgramError } from '../core/program-error.ts'
import type { Json } from '../core/task.ts'
import { allCauses, fullMessage, readThrown, type Thrown } from '../core/thrown.ts'
import { ModuleLoadError } from '../platform/modules.ts'
import type { RunError } from './pool/protocol.ts'

/** The record's part stays small; the task's log has the whole. */
const CAUSES = { count: 8, message: 300 }
const FRAMES = { count: 5, length: 200 }
const NAMES = 20
const PROBLEMS = 4_000
/** A program that used too much memory may fit next time, as a thread may. */
const RETRIED: readonly ErrorCode[] = [...TEMPORARY_ERRORS, 'OUT_OF_MEMORY']
const LOG = { lines: 100, ofOne: 40, length: 12_000 }

/** How stack frames name our files: by URL, or by path if a source map was read. */
const OURS = [new URL('.', import.meta.url).href, fileURLToPath(new URL('.', import.meta.url))]

/** A frame with the file's name instead of its path: readers of the record must not see our folders. */
const withoutPath = (frame: string): string =>
  frame.replace(/(\(|\bat (?:async )?)(?:file:\/\/|[A-Za-z]:[\\/]|\/)[^()]*[\\/]/g, '$1')

/** The first frames of the kind's own code. */
const framesOf = (stack: string): string[] =>
  stack
    .split('\n')
    .map(line => line.trim())
    .filter(line => line.startsWith('at ') && !/[ (]node:/.test(line))
    .filter(line => !OURS.some(ours => line.includes(ours)))
    .slice(0, FRAMES.count)
    .map(frame => cutText(withoutPath(frame), FRAMES.length))

/** The record's `error.detail`; null if empty. */
const detailOf = (
  names: string[],
  read: Thrown,
  own: { problems: Json | undefined; given: Json | undefined },
): Json | null => {
  const causes = allCauses(read)
    .slice(0, CAUSES.count)
    .map(cause => ({ names: cause.names, message: cutText(cause.message, CAUSES.message) }))
  const frames = read.stack === null ? [] : framesOf(read.stack)
  const detail = {
    ...(names.length > 0 ? { names } : {}),
    ...(own.problems === undefined ? {} : { problems: own.problems }),
    ...(own.given === undefined ? {} : { given: own.given }),
    ...(causes.length > 0 ? { causes } : {}),
    ...(frames.length > 0 ? { stack: frames } : {}),
  }
  return Object.keys(detail).length > 0 ? detail : null
}

const linesOf = ({ names, message, stack }: Thrown): string[] => {
  // a stack begins with the name and the message, unless they were changed later
  const head = message === '' ? (names[0] ?? '') : message
  const text = stack?.includes(message) ? stack : [head, stack].filter(part => part).join('\n')
  return text.split('\n').slice(0, LOG.ofOne)
}

/** The stack, followed by those of the causes; null if they add nothing to the message. */
const traceOf = (read: Thrown): string | null => {
  const causes = allCauses(read)
  if (read.stack === null && causes.length === 0) return null
  const lines = [
    ...linesOf(read),
    ...causes.flatMap(cause => linesOf(cause).map((line, place) => (place === 0 ? `cause: ${line}` : line))),
  ]
  return cutText(lines.slice(0, LOG.lines).join('\n'), LOG.length)
}

/** The problems of a child that was refused, field by field. */
const problemsOf = ({ detail }: MadhavaError): Json | undefined => {
  const problems = (detail as { problems?: Json } | null)?.problems
  return Array.isArray(problems) && JSON.stringify(problems).length <= PROBLEMS ? problems : undefined
}

/** What a program has said of its failure; undefined: nothing, or more than a record shows. */
const givenBy = ({ detail }: ProgramError): Json | undefined =>
  detail !== undefined && JSON.stringify(detail).length <= PROBLEMS ? detail : undefined

/** The thrown value if it is of this class. The check may throw if the value is a proxy. */
const asA = <T>(thrown: unknown, is: (thrown: unknown) => thrown is T): T | null => {
  try {
    return is(thrown) ? thrown : null
  } catch {
    return null
  }
}
const isLoadError = (thrown: unknown): thrown is ModuleLoadError => thrown instanceof ModuleLoadError
const isOurs = (thrown: unknown): thrown is MadhavaError => isMadhavaError(thrown)
const isOfProgram = (thrown: unknown): thrown is ProgramError => thrown instanceof ProgramError

/** Any thrown value as plain data. Never throws. */
export const describeError = (thrown: unknown): RunError => {
  const read = readThrown(thrown)
  const loading = asA(thrown, isLoadError)
  const ours = asA(thrown, isOurs)
  const program = asA(thrown, isOfProgram)
  const code: ErrorCode = loading ? 'KIND_INVALID' : (ours?.code ?? 'KIND_FAILED')
  // its message repeats the cause's, without the path
  const told = loading ? { ...read, causes: read.causes.flatMap(({ causes }) => causes) } : read
  // the names of our own classes say nothing, and the code says the rest
  const own = loading || ours ? [] : read.names
  const names = [
    ...new Set([...own, ...(program?.names ?? []), ...allCauses(read).flatMap(cause => cause.names)]),
  ]
  return {
    code,
    message: fullMessage(told),
    stack: traceOf(read),
    names,
    detail: detailOf(names.slice(0, NAMES), read, {
      problems: ours ? problemsOf(ours) : undefined,
      given: program ? givenBy(program) : undefined,
    }),
    retryable: program?.retryable ?? (!loading && (!ours || RETRIED.includes(ours.code))),
  }
}
