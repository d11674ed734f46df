// Defines a kind of task, and the set of kinds that a process knows. No I/O: platform/modules finds the files.
import type { Readable } from 'node:stream'
import { z } from 'zod'
import { cutText } from './cut-text.ts'
import { MadhavaError } from './errors.ts'
import type { ExecOptions, ExecResult } from './exec.ts'
import { rateSchema } from './kind-limits.ts'
import { describeProblems, hasOwnCode, parseWith } from './kind-schema.ts'
import type { KindTrouble } from './kind-trouble.ts'
import { nearest } from './nearest.ts'
import { doneSchema } from './people.ts'
import type { Submission } from './submission.ts'
import { type Json, type Limits, limitsSchema, type RetryPolicy, retryPolicySchema } from './task.ts'
import type { LogLevel } from './task-log.ts'
import { reasonOf } from './thrown.ts'
import { type UploadRef, uploadSchema } from './upload-ref.ts'

export type { ExecFailure, ExecOptions, ExecResult } from './exec.ts'
export { assigneeSchema } from './people.ts'

/** Options for a task that a kind submits. The fields are those of POST /tasks. */
export interface ChildOptions extends Omit<Submission, 'kind' | 'params'> {
  /**
   * 1 to 200 visible ASCII characters. If this task has used the key before, also in an earlier attempt, the answer
   * is the existing child and no second one is made.
   */
  key?: string
}

/** A file that a task has made, as its record lists it. */
export interface Artifact {
  name: string
  bytes: number
  type: string
  /** In hex. */
  sha256: string
}

/** What an artifact may be made of: bytes, a text, or a stream of them. */
export type ArtifactContent = Uint8Array | string | AsyncIterable<Uint8Array | string>

/** An upload that the params name. */
export interface UploadedFile {
  id: string
  /** As the client called it: a text, never a path. */
  name: string | null
  bytes: number
  /** Found in the bytes. */
  type: string
  /** In hex. */
  sha256: string
  /** Bytes `start` to `end` (exclusive), or all of them, at the pace of the reader. */
  stream(range?: { start?: number; end?: number }): Readable
  /** The path of a copy in `scratch`, for a library that wants one. The same at every call. */
  path(): Promise<string>
}

/** What a running attempt gets from the worker. */
export interface TaskContext {
  /** The task's id. */
  readonly id: string
  /** 1 for the first try. Effects of a killed attempt may repeat: handle that where it matters. */
  readonly attempt: number
  /** Fires on a cancel, at the soft time limit and when the worker shuts down. Stop soon after, by throwing. */
  readonly signal: AbortSignal
  /**
   * Reports progress: 0 to 100, a short note, and a partial result (left out when over INLINE_RESULT_KB of JSON).
   * Cheap: call it as often as you like. The worker keeps the last report of each moment.
   */
  progress(percent: number, note?: string, partialResult?: Json): void
  /** Adds a line to the task's own log, read at /task/{id}/log; of the level `info` if none is given. */
  log(line: string, level?: LogLevel): void
  /** Saves data (anything `structuredClone` takes) for the next attempt, in case this one is lost. */
  checkpoint(data: unknown): void
  /**
   * Submits a child: a task with this one as its parent and the same owner. Returns its id as soon as it is durable.
   * The child runs independently: this task neither waits for it nor ends it.
   * @throws KIND_UNKNOWN, PARAMS_INVALID, BAD_REQUEST, BAD_KEY, IDEMPOTENCY_MISMATCH, BODY_TOO_LARGE, STORE_FULL,
   * STORE_UNAVAILABLE; the signal's reason once it has fired
   */
  submit(kind: string, params?: Json, options?: ChildOptions): Promise<string>
  /**
   * Runs a command without a shell, in its own process group, and logs its lines to the task's log. Resolves when the
   * whole group is gone. On a cancel, at the soft limit and when the worker shuts down, the group gets SIGTERM, then
   * SIGKILL.
   * @throws ExecError when it cannot be started, ends badly or takes too long; the signal's reason once it has fired
   */
  exec(command: string, args?: readonly string[], options?: ExecOptions): Promise<ExecResult>
  /** The last checkpoint, or null. */
  readonly resume: unknown
  /** How many cores this task may use now: its share of the worker's cores, at least 1. */
  cores(): number
  /**
   * Keeps a file with the task: whole or not at all. It is listed in the record as soon as this resolves, in place of
   * one with its name, and gone with the task. A name has 1 to 100 letters, digits, dots, hyphens and underscores and
   * begins with a letter or digit. `type`: found in the bytes if it is left out.
   * @throws ARTIFACT_REFUSED for a wrong name or type, or when the task has as many as it may have; ARTIFACT_TOO_LARGE,
   * STORE_FULL, STORE_UNAVAILABLE; what the content throws; the signal's reason once it has fired
   */
  artifact(name: string, content: ArtifactContent, options?: { type?: string }): Promise<Artifact>
  /** An upload that the params name. @throws UPLOAD_NOT_FOUND for any other, STORE_UNAVAILABLE */
  upload(ref: UploadRef): Promise<UploadedFile>
  /** The path of a private folder of this attempt: made when it is first asked for, and removed with the attempt. */
  readonly scratch: string
  /** Describes how the result was computed. Kept in the record as `resultInfo`, up to 4 KiB of JSON. */
  resultInfo(info: Json): void
}

/** Settings that the built-in kinds read. */
export interface KindSettings {
  /** The most digits that a client may ask for. */
  readonly maxDigits: number
  /** Hosts, `host:port`, addresses and ranges that `parse` may reach though they are not public. */
  readonly parseAllow: readonly string[]
}
export const DEFAULT_KIND_SETTINGS: KindSettings = { maxDigits: 10_000_000, parseAllow: [] }

/** The argument of a kind file's function. */
export interface KindTools {
  defineKind: typeof defineKind
  z: typeof z
  /** A schema for params that name an upload. */
  upload: typeof uploadSchema
  settings: KindSettings
}

export interface Kind<P = unknown, R = unknown> {
  /** One sentence for people. */
  summary: string
  params: z.ZodType<P>
  result: z.ZodType<R>
  /** Params that run in a moment; shown in the docs and run by the conformance test. */
  example: NoInfer<P>
  /** Runs in its own thread, so it may compute without pausing. */
  run(params: P, context: TaskContext): R | Promise<R>
  /** 5 by default. Counts lost workers, and errors if `retry` is set. */
  maxAttempts?: number
  /** If set, an error that `run` throws is retried. */
  retry?: Partial<RetryPolicy>
  limits?: Partial<Limits>
  /** How many run at a time, over all workers of the store. */
  maxConcurrency?: number
  /** How often one may begin: `10/s`, `90/m`, `5/h`, over all workers of the store. */
  rate?: string
}

/**
 * A kind whose tasks people do: no worker takes them, and nothing runs. A task is open until somebody completes it; its
 * result says who, and what they noted.
 */
export interface PeopleKind<P = unknown> extends Pick<Kind<P>, 'summary' | 'params' | 'example'> {
  doneBy: 'people'
}

/** JSON Schema of params and result. */
export interface KindSchemas {
  params: Json
  result: Json
}

/** A kind with its name and all defaults filled in. */
export interface NamedKind extends Kind<Json, unknown> {
  name: string
  /** Left out: workers run its tasks. */
  doneBy?: 'people'
  /** Made once: making them runs the schemas' code. */
  schemas: KindSchemas
  /** What its program has said of itself, as JSON; left out: it is a module. */
  program?: string
}

/** What is known of a kind that a program has described, beside the kind itself. */
export interface ProgramOrigin {
  schemas: KindSchemas
  program: string
}

/** Checks the types of a kind's parts against each other. The file's name becomes the kind's name. */
export const defineKind = <P, R>(kind: Kind<P, R>): Kind<P, R> => kind

/** The same for a kind whose tasks people do. */
export const definePeopleKind = <P>(kind: Omit<PeopleKind<P>, 'doneBy'>): PeopleKind<P> => ({
  ...kind,
  doneBy: 'people',
})

/** The name of a kind, and of its file without the ending. */
export const KIND_NAME = /^[a-z][a-z0-9-]{0,62}$/

const kindShape = z.strictObject({
  summary: z.string().min(1),
  params: z.instanceof(z.ZodType),
  result: z.instanceof(z.ZodType),
  example: z.unknown(),
  run: z.custom<Kind['run']>(value => typeof value === 'function', 'must be a function (params, context)'),
  maxAttempts: z.int().min(1).max(1000).optional(),
  retry: retryPolicySchema.partial().optional(),
  limits: limitsSchema.partial().optional(),
  maxConcurrency: z.int().min(1).max(10_000).optional(),
  rate: rateSchema.optional(),
})

const peopleShape = kindShape.pick({ summary: true, params: true, example: true }).extend({
  doneBy: z.literal('people'),
})

/** What such a kind has in common with the others. */
const asKind = (kind: PeopleKind<Json>): Kind<Json, unknown> & { doneBy: 'people' } => ({
  ...kind,
  result: doneSchema,
  maxAttempts: 1,
  run() {
    throw new MadhavaError('ILLEGAL_MOVE', 'People do tasks of this kind: no worker can run one')
  },
})

const refuseFile =
  (file: string) =>
  (reason: string, cause?: unknown): MadhavaError =>
    new MadhavaError('KIND_INVALID', `${file}: ${reason}`, { cause })

const asJson = (value: unknown): Json => JSON.parse(JSON.stringify(value ?? null)) as Json

/**
 * Checks the default export of a kind's file: what `defineKind` returns, or a function of { defineKind, z } (and
 * `settings`). `origin`: a program has described it, and not a module.
 * @throws KIND_INVALID with the file's name and the reason
 */
export const loadKind = (
  name: string,
  exported: unknown,
  file: string,
  settings: KindSettings = DEFAULT_KIND_SETTINGS,
  origin?: ProgramOrigin,
): NamedKind => {
  const refuse = refuseFile(file)
  if (!KIND_NAME.test(name))
    throw refuse(
      `the file's name is the kind's name and must match ${KIND_NAME.source}: rename the file or put it elsewhere`,
    )
  let value = exported
  if (typeof value === 'function') {
    try {
      value = value({ defineKind, z, upload: uploadSchema, settings } satisfies KindTools)
    } catch (error) {
      throw refuse(`its function threw: ${reasonOf(error)}`, error)
    }
  }
  if (typeof value !== 'object' || value === null)
    throw refuse('it has no default export made by defineKind, or by a function of { defineKind, z }')
  const isForPeople = 'doneBy' in value
  const shape = (isForPeople ? peopleShape : kindShape).safeParse(value)
  if (!shape.success) throw refuse(describeProblems(shape.error))
  const kind = isForPeople ? asKind(value as PeopleKind<Json>) : (value as Kind<Json, unknown>)
  // if the schema has its own code, `checkExample` does this, since it can wait
  if (!hasOwnCode(kind.params)) {
    const example = kind.params.safeParse(kind.example)
    if (!example.success)
      throw refuse(`its example does not fit its params: ${describeProblems(example.error)}`)
  }
  const schemaOf = (part: 'params' | 'result', io: 'input' | 'output'): Json => {
    try {
      return asJson(z.toJSONSchema(kind[part], { io }))
    } catch (error) {
      const text = `its ${part} have no JSON Schema; use only schemas that JSON can express`
      throw refuse(`${text}: ${reasonOf(error)}`, error)
    }
  }
  if (origin) return { ...kind, name, ...origin }
  return {
    ...kind,
    name,
    schemas: { params: schemaOf('params', 'input'), result: schemaOf('result', 'output') },
  }
}

/**
 * Runs the params schema on the example, as a submit and a worker will. Its output must be JSON that the schema
 * accepts again. @throws KIND_INVALID with the file's name and the reason
 */
export const checkExample = async (kind: NamedKind, file: string): Promise<void> => {
  const refuse = refuseFile(file)
  const check = async (value: unknown, whose: string): Promise<unknown> => {
    let parsed: z.ZodSafeParseResult<unknown>
    try {
      parsed = await parseWith(kind.params, value)
    } catch (error) {
      throw refuse(`a check of its params threw at ${whose}: ${reasonOf(error)}`, error)
    }
    if (parsed.success) return parsed.data
    throw refuse(`${whose} does not fit its params: ${describeProblems(parsed.error)}`)
  }
  const jsonOf = (value: unknown, whose: string): Json => {
    try {
      return asJson(value)
    } catch (error) {
      throw refuse(`${whose} is not JSON: ${reasonOf(error)}`, error)
    }
  }
  const whose = 'what its params make of its example'
  const kept = jsonOf(await check(jsonOf(kind.example, 'its example'), 'its example'), whose)
  await check(kept, whose)
}

/** How many kinds an error lists. */
const KINDS_TOLD = 20

/** The kinds that this process knows, by name. */
export interface Kinds {
  names(): string[]
  /** Those that workers run. */
  forWorkers(): string[]
  /** Whether people do its tasks; false for a name that is not known. */
  isForPeople(name: string): boolean
  /** @throws KIND_UNKNOWN; KIND_IN_TROUBLE for a kind whose file cannot be used */
  get(name: string): NamedKind
  list(): NamedKind[]
  /**
   * Kinds whose files cannot be used. `names` has none of them, except where a file has the name of a built-in kind.
   */
  troubles(): readonly KindTrouble[]
}

/** @throws KIND_INVALID when two kinds have one name */
export const createKinds = (list: readonly NamedKind[], troubles: readonly KindTrouble[] = []): Kinds => {
  const byName = new Map<string, NamedKind>()
  for (const kind of list) {
    if (byName.has(kind.name))
      throw new MadhavaError('KIND_INVALID', `Two files define the kind ${kind.name}; rename one of them`)
    byName.set(kind.name, kind)
  }
  const names = [...byName.keys()].sort()
  const more = names.length - KINDS_TOLD
  const known =
    names.length === 0
      ? 'There are none at all: KINDS_DIR names a folder of kinds, and BUILT_IN_KINDS leaves the others out'
      : `There are ${names.slice(0, KINDS_TOLD).join(', ')}${more > 0 ? ` and ${more} more (GET /kinds)` : ''}`
  const unknown = (name: string): string => {
    const near = nearest(name, names)
    const meant = near === null ? '' : `Did you mean ${near}? `
    return `There is no kind ${JSON.stringify(cutText(name, 64))}. ${meant}${known}`
  }
  return {
    names: () => names,
    forWorkers: () => names.filter(name => byName.get(name)?.doneBy !== 'people'),
    isForPeople: name => byName.get(name)?.doneBy === 'people',
    troubles: () => troubles,
    list: () => names.flatMap(name => byName.get(name) ?? []),
    get: name => {
      const kind = byName.get(name)
      if (kind) return kind
      const trouble = troubles.find(one => one.name === name)
      if (trouble)
        throw new MadhavaError(
          'KIND_IN_TROUBLE',
          `The kind ${name} cannot be run: ${trouble.file}: ${trouble.reason}`,
        )
      throw new MadhavaError('KIND_UNKNOWN', unknown(name), {
        detail: { kinds: names },
      })
    },
  }
}
