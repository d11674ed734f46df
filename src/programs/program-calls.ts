// What the lines of a program ask for: read, checked, and done by the context of its run. What is wrong with one is a
// warning in the task's log; only what is wrong with a result fails the run.
import { createReadStream } from 'node:fs'
import { lstat, realpath } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { isMadhavaError, MadhavaError } from '../core/errors.ts'
import { JSON_DEPTH_LIMIT, pathOf } from '../core/json-flaw.ts'
import { flawInText, scanJson } from '../core/json-scan.ts'
import type { ChildOptions, TaskContext } from '../core/kind.ts'
import { describeProblems } from '../core/kind-schema.ts'
import { ProgramError } from '../core/program-error.ts'
import type { Json } from '../core/task.ts'
import { LOG_LEVELS } from '../core/task-log.ts'
import { reasonOf } from '../core/thrown.ts'
import { explainUnknownFields } from '../core/unknown-fields.ts'

/** How many children and files may be under way: then the program's output waits. */
const UNDERWAY_MAX = 32
const MESSAGE_MAX = 2_000

/** It comes from a line of JSON. */
const json = z.unknown() as z.ZodType<Json>
const ref = z.union([z.string().max(200), z.number()]).optional()
const name = z
  .string()
  .regex(/^[\w.-]{1,100}$/, 'must have 1 to 100 letters, digits, dots, hyphens and underscores')
const SHAPES = {
  progress: z.strictObject({ percent: z.number(), note: z.string().nullish(), partial: json.optional() }),
  log: z.strictObject({ text: z.string(), level: z.enum(LOG_LEVELS).optional() }),
  checkpoint: json,
  submit: z.looseObject({ kind: z.string(), params: json.optional(), ref }),
  artifact: z.strictObject({
    path: z.string().min(1),
    name: z.string().optional(),
    type: z.string().optional(),
    ref,
  }),
  result: json,
  error: z.strictObject({
    message: z.string(),
    code: name.optional(),
    names: z.array(name).max(50).optional(),
    retryable: z.boolean().optional(),
    detail: json.optional(),
  }),
}
/** Where a plain text or number stands for an object with this one field. */
const SHORT: Readonly<Record<string, { type: string; field: string }>> = {
  progress: { type: 'number', field: 'percent' },
  log: { type: 'string', field: 'text' },
  error: { type: 'string', field: 'message' },
}
type CallName = keyof typeof SHAPES
type Call<Name extends CallName> = z.infer<(typeof SHAPES)[Name]>
export const CALL_NAMES = Object.keys(SHAPES) as CallName[]
const isCallName = (name: string): name is CallName => Object.hasOwn(SHAPES, name)

/** What a program that reads answers is told. */
export type Answer =
  | { submitted: { ref?: string | number; key?: string; id: string } }
  | { kept: { ref?: string | number; name: string; bytes: number; type: string; sha256: string } }
  | { refused: { ref?: string | number; call: 'submit' | 'artifact'; code: string; message: string } }

export interface ProgramCalls {
  /** A line that begins like a call. Waits while too much is under way. Never rejects. */
  take(name: string, bytes: Buffer): Promise<void>
  /** One that was longer than it may be. */
  refuse(name: string, bytes: number): void
  /** Resolves when every child is durable and every file kept, or refused. Never rejects. */
  settled(): Promise<void>
  hasFailed(): boolean
  /** @throws what the program has said of its failure, or what was refused and not told to it */
  throwFailure(): void
  /** Null: it has given none. The last one counts. @throws RESULT_INVALID, RESULT_TOO_LARGE */
  result(): { value: Json } | null
}

const textOf = (bytes: Buffer): string | null => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}

/** The value of a line, or what is wrong with the line. */
const readLine = (bytes: Buffer): { value: Record<string, unknown> } | { flaw: string } => {
  const text = textOf(bytes)
  if (text === null) return { flaw: 'it is not UTF-8' }
  // one level is the line's own
  const scan = scanJson(text, JSON_DEPTH_LIMIT + 1)
  if (scan.depth > JSON_DEPTH_LIMIT + 1) return { flaw: `it nests deeper than ${JSON_DEPTH_LIMIT} levels` }
  try {
    const value = JSON.parse(text) as Record<string, unknown>
    const flaw = scan.hasLargeInteger ? flawInText(text) : null
    return flaw ? { flaw: `${pathOf(flaw)} ${flaw.problem}` } : { value }
  } catch (error) {
    return { flaw: `it is not JSON: ${reasonOf(error, 200)}` }
  }
}

/** The path of a file that lies in the folder, links followed. @throws ARTIFACT_REFUSED */
const fileInside = async (folder: string, given: string): Promise<string> => {
  const refuse = (why: string, cause?: unknown): MadhavaError =>
    new MadhavaError('ARTIFACT_REFUSED', `The file ${JSON.stringify(given.slice(0, 200))} ${why}`, { cause })
  if (given.includes('\0')) throw refuse('has a name that no file can have')
  let file: string
  try {
    file = await realpath(path.resolve(folder, given))
  } catch (error) {
    throw refuse(`cannot be read (${(error as NodeJS.ErrnoException).code})`, error)
  }
  const inside = path.relative(await realpath(folder), file)
  if (inside === '' || inside.startsWith('..') || path.isAbsolute(inside))
    throw refuse('does not lie in the folder of the attempt')
  if (!(await lstat(file)).isFile()) throw refuse('is no file')
  return file
}

/** `answer` tells the program what came of a call; null: it does not read answers, so a refusal fails the run. */
export const createProgramCalls = (
  context: TaskContext,
  answer: ((answer: Answer) => void) | null,
): ProgramCalls => {
  const underway = new Set<Promise<void>>()
  let failure: unknown
  let failed = false
  let result: { value: Json } | { error: MadhavaError } | null = null
  let saidLast = ''

  const warn = (text: string): void => {
    // a program may get thousands wrong in the same way
    if (text !== saidLast) context.log(text, 'warn')
    saidLast = text
  }
  const fail = (error: unknown): void => {
    if (!failed) failure = error
    failed = true
  }
  const refuse = (name: string, why: string): void => {
    if (name === 'result')
      result = { error: new MadhavaError('RESULT_INVALID', `The line with the result is refused: ${why}`) }
    else if (name === 'error')
      fail(new ProgramError(`it reported an error in a wrong form: ${why}`, { code: 'ERROR_INVALID' }))
    else warn(`${name} left out: ${why}`)
  }

  const track = (
    call: 'submit' | 'artifact',
    { ref }: { ref?: string | number | undefined },
    work: Promise<Answer>,
  ): void => {
    const done = work
      .then(
        told => answer?.(told),
        (error: unknown) => {
          if (context.signal.aborted) return
          if (!answer || !isMadhavaError(error)) return fail(error)
          const { code, message } = error
          answer({ refused: { ...(ref === undefined ? {} : { ref }), call, code, message } })
        },
      )
      .finally(() => underway.delete(done))
    underway.add(done)
  }
  const submit = async ({ kind, params = {}, ref, ...options }: Call<'submit'>): Promise<Answer> => {
    const { key } = options as ChildOptions
    const id = await context.submit(kind, params, options as ChildOptions)
    return {
      submitted: { ...(ref === undefined ? {} : { ref }), ...(key === undefined ? {} : { key }), id },
    }
  }
  const artifact = async ({ path: given, name, type, ref }: Call<'artifact'>): Promise<Answer> => {
    const file = await fileInside(context.scratch, given)
    const options = type === undefined ? {} : { type }
    const kept = await context.artifact(name ?? path.basename(given), createReadStream(file), options)
    return { kept: { ...(ref === undefined ? {} : { ref }), ...kept } }
  }

  const act: { [Name in CallName]: (call: Call<Name>) => void } = {
    progress: ({ percent, note, partial }) =>
      context.progress(percent, note ?? undefined, ...(partial === undefined ? [] : [partial])),
    log: ({ text, level }) => context.log(text, level),
    checkpoint: data => context.checkpoint(data),
    submit: call => track('submit', call, submit(call)),
    artifact: call => track('artifact', call, artifact(call)),
    result(value) {
      result = { value }
    },
    error: ({ message, code = 'PROGRAM_ERROR', names = [], retryable = true, detail }) =>
      fail(
        new ProgramError(message.slice(0, MESSAGE_MAX) || 'an error without words', {
          ...{ code, names, retryable },
          ...(detail === undefined ? {} : { detail }),
        }),
      ),
  }
  const doCall = <Name extends CallName>(name: Name, value: unknown): void => {
    const short = SHORT[name]
    const whole = short && typeof value === short.type ? { [short.field]: value } : value
    const shape = SHAPES[name] as unknown as z.ZodType<Call<Name>>
    const parsed = shape.safeParse(whole, { error: explainUnknownFields })
    if (parsed.success) act[name](parsed.data)
    else refuse(name, describeProblems(parsed.error))
  }

  return {
    async take(name, bytes) {
      const line = readLine(bytes)
      if ('flaw' in line) refuse(name, line.flaw)
      else if (Object.keys(line.value).length !== 1 || !isCallName(name)) {
        warn(`the next line has ${name} and other fields: a call has one field, so it is a line of the log`)
        context.log(bytes.toString().trimEnd())
      } else
        try {
          doCall(name, line.value[name])
        } catch (error) {
          // of the context: a checkpoint that cannot be kept
          refuse(name, reasonOf(error))
        }
      while (underway.size >= UNDERWAY_MAX) await Promise.race(underway)
    },
    refuse(name, bytes) {
      const why = `the line has ${bytes} bytes or more`
      if (name === 'result')
        result = { error: new MadhavaError('RESULT_TOO_LARGE', `The result is too large: ${why}`) }
      else refuse(name, why)
    },
    async settled() {
      while (underway.size > 0) await Promise.all(underway)
    },
    hasFailed: () => failed,
    throwFailure() {
      if (failed) throw failure
    },
    result() {
      if (result && 'error' in result) throw result.error
      return result
    },
  }
}
