// The task record: its schema, its words, and how two versions of one record are ordered. No I/O.
import { v7 as uuidV7, validate as validateUuid } from 'uuid'
import { z } from 'zod'
import { MadhavaError } from './errors.ts'

/**
 * PENDING   durable, waiting for a worker or for `notBefore`; left by a claim, a cancel, or `expiresAt`
 * STARTED   an attempt runs; left by its holder, or, when the holder is dead, by whoever takes over
 * PROGRESS  as STARTED, and has reported percent or a partial result
 * RETRY     an attempt failed, the next waits for `notBefore`; left by a claim or a cancel
 * SUCCESS, FAILURE, REVOKED  final; left only by a retry by hand; retention removes
 */
export const STATUSES = ['PENDING', 'STARTED', 'PROGRESS', 'RETRY', 'SUCCESS', 'FAILURE', 'REVOKED'] as const
export type Status = (typeof STATUSES)[number]

/** A claim is held exactly while a task is in one of these. */
export const isRunning = (status: Status): boolean => status === 'STARTED' || status === 'PROGRESS'
/** Waiting for a claim: now, or when `notBefore` has come. */
export const isWaiting = (status: Status): boolean => status === 'PENDING' || status === 'RETRY'
/** So many workers may have died with a task by chance, or of the task beside it. */
const LOST_BY_CHANCE = 1
/** Whether a task may be what its workers die of: it then runs in a worker where nothing else does. */
export const isSuspect = ({ workersLost = 0 }: Pick<TaskRecord, 'workersLost'>): boolean =>
  workersLost > LOST_BY_CHANCE
/** One of the three ends. */
export const isFinal = (status: Status): boolean =>
  status === 'SUCCESS' || status === 'FAILURE' || status === 'REVOKED'

export const RECORD_VERSION = 1
export interface ResultLimits {
  /** Results, and partial ones, up to this many bytes of JSON stay in the record; larger results become a blob. */
  inlineBytes: number
  /** A larger result fails the task. */
  maxBytes: number
}
/** A text of V8 ends at 512 MB, and the memory of a task holds its result at least twice. */
export const RESULT_LIMITS: ResultLimits = { inlineBytes: 32 * 1024, maxBytes: 256 * 1024 ** 2 }
/**
 * Characters of JSON that a record may have; params of 1 MiB of the numbers that JSON writes longest stay under it. What an
 * import reads as one line is larger.
 */
export const RECORD_LIMIT = 12 * 1024 ** 2
/**
 * How deep JSON values may nest in a record. What comes through the doors and from kinds stays far below; an import may
 * bring more from elsewhere.
 */
export const RECORD_DEPTH_LIMIT = 500
/** The status changes that `history` keeps: the last ones. */
export const HISTORY_LENGTH = 20
export const PRIORITY = { lowest: 0, default: 5, highest: 9 } as const
export const DEFAULT_MAX_ATTEMPTS = 5

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }
/** Whatever JSON can say. */
export const jsonSchema = z.json() as z.ZodType<Json>
const status = z.enum(STATUSES)
/** ISO-8601, UTC, milliseconds: compares as text in the order of time. */
const time = z.iso.datetime({ precision: 3 })

/** Seconds, and how many times longer a wait may get. */
export const RETRY_MAX = { delaySeconds: 86_400, factor: 10, maxDelaySeconds: 2_592_000 } as const
export const retryPolicySchema = z.strictObject({
  delaySeconds: z
    .number()
    .min(0)
    .max(RETRY_MAX.delaySeconds)
    .default(1)
    .describe('wait before the second attempt'),
  factor: z
    .number()
    .min(1)
    .max(RETRY_MAX.factor)
    .default(2)
    .describe('each further wait is this many times longer'),
  maxDelaySeconds: z
    .number()
    .min(0)
    .max(RETRY_MAX.maxDelaySeconds)
    .default(3600)
    .describe('no wait is longer'),
  retryOn: z
    .array(z.string().min(1).max(100))
    .max(50)
    .optional()
    .describe('only errors with one of these names or codes are tried again; without it all are'),
})
/** How an error thrown by a kind is tried again: exponential backoff, full jitter over the last half. */
export type RetryPolicy = z.infer<typeof retryPolicySchema>

export const LIMIT_SECONDS_MAX = 31_536_000
export const limitsSchema = z.strictObject({
  softSeconds: z
    .number()
    .positive()
    .max(LIMIT_SECONDS_MAX)
    .nullable()
    .default(null)
    .describe('the signal fires, then a grace time'),
  hardSeconds: z
    .number()
    .positive()
    .max(LIMIT_SECONDS_MAX)
    .nullable()
    .default(null)
    .describe('the thread is ended'),
})
export type Limits = z.infer<typeof limitsSchema>

/** The record as it stands in the state file. Fields that a newer version added are kept as they are. */
export const taskSchema = z.looseObject({
  id: z.string(),
  version: z.literal(RECORD_VERSION),
  kind: z.string(),
  params: jsonSchema,
  status,
  claim: z.int().min(0),
  rev: z.int().min(0),
  attempt: z.int().min(0),
  maxAttempts: z.int().min(1),
  priority: z.int().min(PRIORITY.lowest).max(PRIORITY.highest),
  progress: z
    .object({ percent: z.number(), note: z.string().nullable(), etaSeconds: z.number().nullable() })
    .nullable(),
  result: jsonSchema,
  resultBytes: z.int().min(0).nullable(),
  /** How the result was come by; only where the kind said something. */
  resultInfo: jsonSchema.optional(),
  error: z.object({ code: z.string(), message: z.string(), detail: jsonSchema }).nullable(),
  createdAt: time,
  notBefore: time.nullable(),
  expiresAt: time.nullable(),
  startedAt: time.nullable(),
  finishedAt: time.nullable(),
  updatedAt: time,
  worker: z.string().nullable(),
  /** Attempts that ended with the death of their worker, since the submit or the last retry by hand; only where there are some. */
  workersLost: z.int().min(1).optional(),
  owner: z.string().nullable(),
  parentId: z.string().nullable(),
  title: z.string().nullable(),
  description: z.string().nullable(),
  idempotencyKey: z.string().nullable(),
  revokeRequestedAt: time.nullable(),
  retry: retryPolicySchema.nullable(),
  limits: limitsSchema,
  history: z.array(z.object({ status, at: time, attempt: z.int(), worker: z.string().nullable() })),
})
export type TaskRecord = z.infer<typeof taskSchema>

/** A new id: UUID v7, so that ids sort by time of creation. */
export const newTaskId = (): string => uuidV7()

/**
 * The id in lower case, as it is stored. Any UUID is accepted, nothing else: ids become file names and keys.
 * @throws BAD_ID
 */
export const parseTaskId = (id: unknown): string => {
  if (typeof id === 'string' && id.length === 36 && validateUuid(id)) return id.toLowerCase()
  throw new MadhavaError('BAD_ID', 'A task id is a UUID, such as 0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f')
}

/** Order of two versions of one record: negative when `a` is older, 0 when the same. By claim, then rev. */
export const compareVersions = (
  a: Pick<TaskRecord, 'claim' | 'rev'>,
  b: Pick<TaskRecord, 'claim' | 'rev'>,
): number => a.claim - b.claim || a.rev - b.rev

/**
 * The version of a record as one word, for whoever has to say which one it knows: `<claim>-<rev>`. A wish to cancel that
 * waits for the holder shows in the record before its rev moves, so it has a mark of its own.
 */
export const versionOf = (
  task: Pick<TaskRecord, 'claim' | 'rev' | 'status' | 'revokeRequestedAt'>,
): string => {
  const waiting = task.revokeRequestedAt !== null && !isFinal(task.status)
  return `${task.claim}-${task.rev}${waiting ? '-revoking' : ''}`
}

/** The word under which a store knows a task's idempotency key, or null: one owner's key never meets another's. */
export const idempotencyScope = (task: Pick<TaskRecord, 'owner' | 'idempotencyKey'>): string | null =>
  task.idempotencyKey === null ? null : JSON.stringify([task.owner, task.idempotencyKey])

/** Whether a worker may take it now. `now` in ISO-8601 as in the record. */
export const isDue = (task: Pick<TaskRecord, 'status' | 'notBefore' | 'expiresAt'>, now: string): boolean =>
  isWaiting(task.status) &&
  (task.notBefore === null || task.notBefore <= now) &&
  !(task.status === 'PENDING' && task.expiresAt !== null && task.expiresAt <= now)
