// The task record: its type, its bounds, its id, and how two versions of one record are ordered. Its fields stand in
// core/task-fields.ts, its statuses in core/status.ts. No I/O.
import { v7 as uuidV7, validate as validateUuid } from 'uuid'
import { z } from 'zod'
import { MadhavaError } from './errors.ts'
import { isFinal } from './status.ts'
import { shapeOf } from './task-fields.ts'

export { type Json, jsonSchema, RECORD_DEPTH_LIMIT } from './field-types.ts'
export { isFailed, isFinal, isRunning, isWaiting, STATUSES, type Status } from './status.ts'
export {
  type Limits,
  limitsSchema,
  PRIORITY,
  RECORD_VERSION,
  type RetryPolicy,
  retryPolicySchema,
} from './task-fields.ts'

/** So many workers may have died with a task by chance, or of the task beside it. */
const LOST_BY_CHANCE = 1
/** Whether a task may be what its workers die of: it then runs in a worker where nothing else does. */
export const isSuspect = ({ workersLost = 0 }: Pick<TaskRecord, 'workersLost'>): boolean =>
  workersLost > LOST_BY_CHANCE

export interface ResultLimits {
  /** Results, and partial ones, up to this many bytes of JSON stay in the record; larger results become a blob. */
  inlineBytes: number
  /** A larger result fails the task. */
  maxBytes: number
}
/** A text of V8 ends at 512 MB, and the memory of a task holds its result at least twice. */
export const RESULT_LIMITS: ResultLimits = { inlineBytes: 32 * 1024, maxBytes: 256 * 1024 ** 2 }
/**
 * Characters of JSON that a record may have; params of 1 MiB of the numbers that JSON writes longest stay under it.
 * What an import reads as one line is larger.
 */
export const RECORD_LIMIT = 12 * 1024 ** 2
/** The status changes that `history` keeps: the last ones. */
export const HISTORY_LENGTH = 20
export const DEFAULT_MAX_ATTEMPTS = 5

/** The record as it stands in the state file. Fields that a newer version added are kept as they are. */
export const taskSchema = z.looseObject(shapeOf('schema'))
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
