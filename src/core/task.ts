// The task record: its type, its bounds, its id, and the order of two versions. Its fields are in
// core/task-fields.ts, its statuses in core/status.ts. No I/O.
import { v7 as uuidV7, validate as validateUuid } from 'uuid'
import { z } from 'zod'
import { MadhavaError } from './errors.ts'
import { isFinal } from './status.ts'
import { shapeOf } from './task-fields.ts'

export { type Json, jsonSchema, RECORD_DEPTH_LIMIT } from './field-types.ts'
export { isFailed, isFinal, isRunning, isWaiting, STATUSES, type Status } from './status.ts'
export {
  type AttemptOutcome,
  type Limits,
  limitsSchema,
  PRIORITY,
  RECORD_VERSION,
  type RetryPolicy,
  retryPolicySchema,
} from './task-fields.ts'

/** How many workers may die with a task by chance, or because of the task beside it. */
const LOST_BY_CHANCE = 1
/** Whether a task may be what kills its workers. It then runs only in a worker where nothing else runs. */
export const isSuspect = ({ workersLost = 0 }: Pick<TaskRecord, 'workersLost'>): boolean =>
  workersLost > LOST_BY_CHANCE

export interface ResultLimits {
  /** Results and partial results up to this many bytes of JSON stay in the record; larger results become a blob. */
  inlineBytes: number
  /** A larger result fails the task. */
  maxBytes: number
}
/** A V8 string ends at 512 MB, and a task's memory holds its result at least twice. */
export const RESULT_LIMITS: ResultLimits = { inlineBytes: 32 * 1024, maxBytes: 256 * 1024 ** 2 }
/**
 * The most characters of JSON in a record. Params of 1 MiB stay below it, even with the numbers that JSON writes
 * longest. An import reads longer lines than this.
 */
export const RECORD_LIMIT = 12 * 1024 ** 2
/** How many status changes `history` keeps: the last ones. */
export const HISTORY_LENGTH = 20
/** How many attempts `attempts` keeps: the last ones. */
export const ATTEMPTS_KEPT = 20
export const DEFAULT_MAX_ATTEMPTS = 5

/** The record as it is in the state file. Fields of newer versions are kept unchanged. */
export const taskSchema = z.looseObject(shapeOf('schema'))
export type TaskRecord = z.infer<typeof taskSchema>

/** A new id: UUID v7, so that ids sort by creation time. */
export const newTaskId = (): string => uuidV7()

/**
 * The id in lower case, as stored. Any UUID is accepted and nothing else: ids become file names and keys.
 * @throws BAD_ID
 */
export const parseTaskId = (id: unknown): string => {
  if (typeof id === 'string' && id.length === 36 && validateUuid(id)) return id.toLowerCase()
  throw new MadhavaError('BAD_ID', 'A task id is a UUID, such as 0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f')
}

/** Orders two versions of one record: negative if `a` is older, 0 if the same. By claim, then rev. */
export const compareVersions = (
  a: Pick<TaskRecord, 'claim' | 'rev'>,
  b: Pick<TaskRecord, 'claim' | 'rev'>,
): number => a.claim - b.claim || a.rev - b.rev

/**
 * The version of a record as one word, `<claim>-<rev>`, for clients to name the version they know. A cancel request
 * shows in the record before its rev changes, so it has a mark of its own.
 */
export const versionOf = (
  task: Pick<TaskRecord, 'claim' | 'rev' | 'status' | 'revokeRequestedAt'>,
): string => {
  const waiting = task.revokeRequestedAt !== null && !isFinal(task.status)
  return `${task.claim}-${task.rev}${waiting ? '-revoking' : ''}`
}

/** The key under which a store keeps a task's idempotency key, or null. Keys of different owners never collide. */
export const idempotencyScope = (task: Pick<TaskRecord, 'owner' | 'idempotencyKey'>): string | null =>
  task.idempotencyKey === null ? null : JSON.stringify([task.owner, task.idempotencyKey])
