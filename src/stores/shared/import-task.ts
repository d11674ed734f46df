// Where an imported record goes: made, in the place of an older one, or nowhere, with the reason. One record at a
// time; it writes through the store and knows nothing of lines.
import { isDeepStrictEqual } from 'node:util'
import { type ErrorCode, isMadhavaError } from '../../core/errors.ts'
import { giveBack } from '../../core/moves.ts'
import type { TaskStore } from '../../core/store.ts'
import { compareVersions, idempotencyScope, isRunning, type TaskRecord } from '../../core/task.ts'
import type { TaskLine } from './export-format.ts'

export type ImportOutcome = 'created' | 'replaced' | 'unchanged' | 'left' | 'refused'

/** A task that ran when it was exported runs nowhere here. It is given back, so its attempt does not count. */
export const atRest = (task: TaskRecord, at: string): TaskRecord =>
  isRunning(task.status)
    ? {
        ...giveBack(at > task.updatedAt ? at : task.updatedAt)(task),
        claim: task.claim + 1,
        rev: task.rev + 1,
      }
    : task

/** Whether two records say the same, apart from who held them and how often they were written. */
export const sameContent = (a: TaskRecord, b: TaskRecord): boolean =>
  isDeepStrictEqual({ ...a, claim: 0, rev: 0 }, { ...b, claim: 0, rev: 0 })

export interface TaskImportDeps {
  store: TaskStore
  /** Why an adapter cannot take in this record now, or null. It may tidy up what stands in the way. */
  refusal: (record: TaskRecord) => string | null
  /** A task that is there and older by (claim, rev) is replaced. */
  replace: boolean
  onRefused: (id: string, why: string) => void
}

/** Writes the record when it may. @throws STORE_UNAVAILABLE */
export type TaskImport = (line: Pick<TaskLine, 'record' | 'fingerprint'>) => Promise<ImportOutcome>

export const createTaskImport = (deps: TaskImportDeps): TaskImport => {
  const { store, refusal, replace, onRefused } = deps
  const refuse = (id: string, why: string): ImportOutcome => {
    onRefused(id, why)
    return 'refused'
  }
  const WHY: Partial<Record<ErrorCode, string>> = {
    TASK_EXISTS: 'something that cannot be read stands in its place',
    IDEMPOTENCY_MISMATCH: 'its idempotency key belongs to another task',
    RECORD_INVALID: 'it nests deeper or is larger than a record may',
  }
  const unlessKnown = (id: string, error: unknown): ImportOutcome => {
    const why = isMadhavaError(error) ? WHY[error.code] : undefined
    if (why === undefined) throw error
    return refuse(id, why)
  }

  const create = async (record: TaskRecord, fingerprint: string | null): Promise<ImportOutcome> => {
    const why = refusal(record)
    if (why !== null) return refuse(record.id, why)
    try {
      const { created } = await store.create(record, fingerprint)
      return created ? 'created' : refuse(record.id, 'its idempotency key belongs to another task')
    } catch (error) {
      return unlessKnown(record.id, error)
    }
  }

  return async ({ record, fingerprint }) => {
    const there = await store.get(record.id)
    if (!there) return create(record, fingerprint)
    if (sameContent(there, record)) return 'unchanged'
    if (!replace || compareVersions(record, there) <= 0) return 'left'
    if (idempotencyScope(there) !== idempotencyScope(record))
      return refuse(record.id, 'the task that is there has another idempotency key')
    try {
      const written = await store.claim(record.id, () => record)
      return written ? 'replaced' : refuse(record.id, 'another process holds it')
    } catch (error) {
      return unlessKnown(record.id, error)
    }
  }
}
