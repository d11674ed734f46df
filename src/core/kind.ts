// What a kind of task is, and the set of kinds a process knows. No I/O: platform/modules finds the files.
import { z } from 'zod'
import { MadhavaError } from './errors.ts'
import type { ExecOptions, ExecResult } from './exec.ts'
import { rateSchema } from './kind-limits.ts'
import { type Json, type Limits, limitsSchema, type RetryPolicy, retryPolicySchema } from './task.ts'

export type { ExecFailure, ExecOptions, ExecResult } from './exec.ts'

/** What a kind may say about a task that it submits. The fields are those of POST /tasks. */
export interface ChildOptions {
  /**
   * 1 to 200 visible ASCII characters. The same key from the same task, in a later attempt too, answers the child
   * that is there already instead of making a second one.
   */
  key?: string
  priority?: number
  notBefore?: string | null
  expiresAt?: string | null
  maxAttempts?: number
  retry?: Partial<RetryPolicy> | null
  limits?: Partial<Limits>
  title?: string | null
  description?: string | null
}

/** What a running attempt gets from the worker. */
export interface TaskContext {
  /** The task's id. */
  readonly id: string
  /** 1 for the first try. The effects of an attempt that was killed may repeat: mind it where that matters. */
  readonly attempt: number
  /** Fires on cancel, on the soft time limit and when the worker shuts down. Stop soon after, by throwing. */
  readonly signal: AbortSignal
  /**
   * Reports progress: 0 to 100, a short note, and a partial result (left out when over INLINE_RESULT_KB of JSON).
   * Cheap: call it as often as you like, the worker keeps the last of each moment.
   */
  progress(percent: number, note?: string, partialResult?: Json): void
  /** Adds a line to the task's own log, read at /task/{id}/log. */
  log(line: string): void
  /** Keeps data (anything `structuredClone` takes) for the next attempt, should this one be lost. */
  checkpoint(data: unknown): void
  /**
   * Submits a task that names this one as its parent and has the same owner; answers its id as soon as it is durable.
   * It runs for itself: this task does not wait for it, and does not end it.
   * @throws KIND_UNKNOWN, PARAMS_INVALID, BAD_REQUEST, BAD_KEY, IDEMPOTENCY_MISMATCH, BODY_TOO_LARGE, STORE_FULL,
   * STORE_UNAVAILABLE; the signal's reason once it has fired
   */
  submit(kind: string, params?: Json, options?: ChildOptions): Promise<string>
  /**
   * Runs a command, without a shell, in a process group of its own; its lines go into the task's log. Resolves when nothing
   * of the group is left. On cancel, at the soft limit and when the worker shuts down the group gets SIGTERM, then SIGKILL.
   * @throws ExecError when it cannot be started, ends badly or takes too long; the signal's reason once it has fired
   */
  exec(command: string, args?: readonly string[], options?: ExecOptions): Promise<ExecResult>
  /** What was last checkpointed, or null. */
  readonly resume: unknown
  /** How many cores this task may keep busy at this moment: its share of the worker's, 1 at least. */
  cores(): number
  /** Says how the result was come by: stands beside it in the record as `resultInfo`, up to 4 KiB of JSON. */
  resultInfo(info: Json): void
}

/** What the settings say to the built-in kinds. */
export interface KindSettings {
  /** The most digits that a result may be asked for. */
  readonly maxDigits: number
}
export const DEFAULT_KIND_SETTINGS: KindSettings = { maxDigits: 10_000_000 }

/** What a file's function is handed. */
export interface KindTools {
  defineKind: typeof defineKind
  z: typeof z
  settings: KindSettings
}

export interface Kind<P = unknown, R = unknown> {
  /** One sentence for people. */
  summary: string
  params: z.ZodType<P>
  result: z.ZodType<R>
  /** Params that run in a moment; shown in the docs and run by the conformance test. */
  example: NoInfer<P>
  /** Runs in a thread of its own, so that it may compute without a pause. */
  run(params: P, context: TaskContext): R | Promise<R>
  /** 5 by default: counts lost workers, and errors where `retry` is set. */
  maxAttempts?: number
  /** When set, an error that `run` throws is tried again. */
  retry?: Partial<RetryPolicy>
  limits?: Partial<Limits>
  /** At most so many run at a time, over all workers of the store. */
  maxConcurrency?: number
  /** At most so many begin: `10/s`, `90/m`, `5/h`, over all workers of the store. */
  rate?: string
}

/** A kind with its name, all options resolved. */
export interface NamedKind extends Kind<Json, unknown> {
  name: string
}

/** Types the parts of a kind against each other; the file's name becomes the kind's name. */
export const defineKind = <P, R>(kind: Kind<P, R>): Kind<P, R> => kind

const KIND_NAME = /^[a-z][a-z0-9-]{0,62}$/

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

const problems = (error: z.ZodError): string =>
  error.issues.map(issue => `${issue.path.join('.') || 'it'}: ${issue.message}`).join('; ')

/**
 * Checks what a file of kinds exports by default: what `defineKind` returns, or a function of { defineKind, z }
 * (and `settings`).
 * @throws KIND_INVALID with the file's name and the reason
 */
export const loadKind = (
  name: string,
  exported: unknown,
  file: string,
  settings: KindSettings = DEFAULT_KIND_SETTINGS,
): NamedKind => {
  const refuse = (reason: string, cause?: unknown) =>
    new MadhavaError('KIND_INVALID', `${file}: ${reason}`, { cause })
  if (!KIND_NAME.test(name))
    throw refuse(
      `the file's name is the kind's name and must match ${KIND_NAME.source}: rename the file or put it elsewhere`,
    )
  let value = exported
  if (typeof value === 'function') {
    try {
      value = value({ defineKind, z, settings } satisfies KindTools)
    } catch (error) {
      throw refuse(`its function threw: ${error instanceof Error ? error.message : String(error)}`, error)
    }
  }
  if (typeof value !== 'object' || value === null)
    throw refuse('it has no default export made by defineKind, or by a function of { defineKind, z }')
  const shape = kindShape.safeParse(value)
  if (!shape.success) throw refuse(problems(shape.error))
  const kind = value as Kind<Json, unknown>
  const example = kind.params.safeParse(kind.example)
  if (!example.success) throw refuse(`its example does not fit its params: ${problems(example.error)}`)
  try {
    z.toJSONSchema(kind.params, { io: 'input' })
    z.toJSONSchema(kind.result, { io: 'output' })
  } catch (error) {
    throw refuse('its params or result have no JSON Schema; use only schemas that JSON can express', error)
  }
  return { ...kind, name }
}

/** The kinds that this process knows, by name. */
export interface Kinds {
  names(): string[]
  /** @throws KIND_UNKNOWN */
  get(name: string): NamedKind
  list(): NamedKind[]
}

/** @throws KIND_INVALID when two kinds have one name */
export const createKinds = (list: readonly NamedKind[]): Kinds => {
  const byName = new Map<string, NamedKind>()
  for (const kind of list) {
    if (byName.has(kind.name))
      throw new MadhavaError('KIND_INVALID', `Two files define the kind ${kind.name}; rename one of them`)
    byName.set(kind.name, kind)
  }
  const names = [...byName.keys()].sort()
  return {
    names: () => names,
    list: () => names.flatMap(name => byName.get(name) ?? []),
    get: name => {
      const kind = byName.get(name)
      if (kind) return kind
      throw new MadhavaError('KIND_UNKNOWN', `There is no kind ${JSON.stringify(name.slice(0, 64))}`, {
        detail: { kinds: names },
      })
    },
  }
}

/**
 * The params as they are stored: checked, defaults filled in, JSON and nothing else.
 * @throws PARAMS_INVALID with one entry per problem in `detail.problems`
 */
export const parseParams = (kind: NamedKind, params: unknown): Json => {
  const parsed = kind.params.safeParse(params)
  if (!parsed.success)
    throw new MadhavaError(
      'PARAMS_INVALID',
      `The params do not fit the kind ${kind.name}: ${problems(parsed.error)}`,
      {
        detail: {
          problems: parsed.error.issues.map(issue => ({
            path: `params${issue.path.map(step => `.${String(step)}`).join('')}`,
            problem: issue.message,
          })),
        },
      },
    )
  return JSON.parse(JSON.stringify(parsed.data ?? null)) as Json
}
