// Defines a kind of task: its shape, and what is checked of it. No I/O: platform/modules finds the files.
import { z } from 'zod'
import { MadhavaError } from './errors.ts'
import type { TaskContext } from './kind-context.ts'
import { rateSchema } from './kind-limits.ts'
import { describeProblems, hasOwnCode, parseWith } from './kind-schema.ts'
import { doneSchema } from './people.ts'
import { type Json, type Limits, limitsSchema, type RetryPolicy, retryPolicySchema } from './task.ts'
import { reasonOf } from './thrown.ts'
import { uploadSchema } from './upload-ref.ts'

export type { ExecFailure, ExecOptions, ExecResult } from './exec.ts'
export type {
  Artifact,
  ArtifactContent,
  ChildOptions,
  TaskContext,
  UploadedFile,
} from './kind-context.ts'
export { assigneeSchema } from './people.ts'

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

/** `P`: the params as `run` gets them, with defaults filled in. `I`: as a client gives them. `R`: the result. */
export interface Kind<P = unknown, R = unknown, I = unknown> {
  /** One sentence for people. */
  summary: string
  params: z.ZodType<P, I>
  result: z.ZodType<R>
  /** Params that run in a moment; shown in the docs and run by the conformance test. */
  example: NoInfer<I>
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
export interface PeopleKind<P = unknown, I = unknown>
  extends Pick<Kind<P, unknown, I>, 'summary' | 'params' | 'example'> {
  doneBy: 'people'
}

/** JSON Schema of params and result. */
export interface KindSchemas {
  params: Json
  result: Json
}

/** A kind with its name and all defaults filled in. */
export interface NamedKind extends Kind<Json, unknown, Json> {
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
export const defineKind = <P, R, I = unknown>(kind: Kind<P, R, I>): Kind<P, R, I> => kind

/** The same for a kind whose tasks people do. */
export const definePeopleKind = <P, I = unknown>(
  kind: Omit<PeopleKind<P, I>, 'doneBy'>,
): PeopleKind<P, I> => ({
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
const asKind = (kind: PeopleKind<Json, Json>): Kind<Json, unknown, Json> & { doneBy: 'people' } => ({
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
  const kind = isForPeople ? asKind(value as PeopleKind<Json, Json>) : (value as Kind<Json, unknown, Json>)
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
