// Whether a value is a valid record. The schema decides, after a quick check for plainly valid values, since every
// claim and move asks. The quick check accepts nothing that the schema would refuse or change
// (test/core/task-check.test.ts).
import type { z } from 'zod'
import { MadhavaError } from './errors.ts'
import { RECORD_DEPTH_LIMIT, RECORD_LIMIT, type TaskRecord, taskSchema } from './task.ts'
import { FIELD_ROWS } from './task-fields.ts'

const FIELDS = FIELD_ROWS.map(
  ([name, { check, schema, optional }]) => [name, check, schema, optional !== true] as const,
)

const isPlainlyValid = (value: unknown): value is TaskRecord => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  if (Object.hasOwn(value, '__proto__')) return false
  for (const [name, check, , required] of FIELDS) {
    if (!Object.hasOwn(value, name)) {
      if (required) return false
    } else if (!check((value as Record<string, unknown>)[name])) return false
  }
  return true
}

/** As the schema's `safeParse`. @throws RangeError for a value that nests too deep */
export const checkTask = (
  value: unknown,
): { success: true; data: TaskRecord } | { success: false; error: z.ZodError } =>
  isPlainlyValid(value) ? { success: true, data: value } : taskSchema.safeParse(value)

/** Whether arrays and objects nest at most so deep, also in a cyclic value. */
const isShallow = (value: unknown, depth: number): boolean => {
  if (typeof value !== 'object' || value === null) return true
  if (depth === 0) return false
  for (const each of Object.values(value)) if (!isShallow(each, depth - 1)) return false
  return true
}

const invalid = (problem: string): MadhavaError =>
  new MadhavaError('RECORD_INVALID', `The record of the task would not be valid: ${problem}`)

/**
 * Every store's last check before a write: refuses a record that no reader would accept. For a change of a valid
 * record only the differences are checked; whole records are checked wherever they are read.
 * @param before null: the record is new
 * @throws RECORD_INVALID with what is wrong
 */
export const refuseInvalidRecord = (before: TaskRecord | null, after: TaskRecord): void => {
  for (const [name, check, schema, required] of FIELDS) {
    const value = after[name]
    if (before && value === before[name]) continue
    if (check(value) || (value === undefined && !required)) continue
    // a schema would recurse until the stack overflows
    if (!isShallow(value, RECORD_DEPTH_LIMIT))
      throw invalid(`${name} nests deeper than ${RECORD_DEPTH_LIMIT} levels`)
    const checked = schema.safeParse(value)
    if (checked.success) continue
    const [issue] = checked.error.issues
    throw invalid(
      `${[name, ...(issue?.path ?? [])].map(String).join('.')}: ${issue?.message ?? 'it is not JSON'}`,
    )
  }
}

/** Returns the same text. @throws RECORD_INVALID if a record of this JSON is too large */
export const refuseLarge = (json: string): string => {
  if (json.length <= RECORD_LIMIT) return json
  throw invalid(`it has ${json.length} characters of JSON, and may have ${RECORD_LIMIT}`)
}
