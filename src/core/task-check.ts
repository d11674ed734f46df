// Whether a value is a valid record. The schema decides; what is plainly valid is seen at a glance first, since every
// claim and every move asks. A glance accepts nothing that the schema would refuse or change (test/core/task-check.test.ts).
import { z } from 'zod'
import { MadhavaError } from './errors.ts'
import {
  LIMIT_SECONDS_MAX,
  PRIORITY,
  RECORD_DEPTH_LIMIT,
  RECORD_LIMIT,
  RECORD_VERSION,
  RETRY_MAX,
  STATUSES,
  type TaskRecord,
  taskSchema,
} from './task.ts'

type Check = (value: unknown) => boolean

const statuses: ReadonlySet<unknown> = new Set(STATUSES)
const timePattern = z.regexes.datetime({ precision: 3 })

const orNull =
  (check: Check): Check =>
  value =>
    value === null || check(value)
const isText: Check = value => typeof value === 'string'
const isStatus: Check = value => statuses.has(value)
const isTime: Check = value => typeof value === 'string' && timePattern.test(value)
const isInt =
  (min: number, max = Number.MAX_SAFE_INTEGER): Check =>
  value =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
const isNumber =
  (min: number, max: number): Check =>
  value =>
    typeof value === 'number' && value >= min && value <= max
const isAnyNumber = isNumber(-Number.MAX_VALUE, Number.MAX_VALUE)

/** Exactly these fields. */
const isObject = (fields: Readonly<Record<string, Check>>): Check => {
  const checks = Object.entries(fields)
  return value => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    if (Object.keys(value).length !== checks.length) return false
    for (const [name, check] of checks)
      if (!Object.hasOwn(value, name) || !check((value as Record<string, unknown>)[name])) return false
    return true
  }
}
const isArray =
  (check: Check): Check =>
  value =>
    Array.isArray(value) && value.every(check)

/** As deep as a record may nest; the schema looks into what older versions have kept deeper. */
const isJson = (value: unknown, depth = RECORD_DEPTH_LIMIT): boolean => {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || depth === 0) return false
  if (Array.isArray(value)) {
    for (const each of value) if (!isJson(each, depth - 1)) return false
    return true
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  // a symbol is nothing that JSON says, and the schema drops this one name
  if (Object.getOwnPropertySymbols(value).length > 0 || Object.hasOwn(value, '__proto__')) return false
  for (const each of Object.values(value)) if (!isJson(each, depth - 1)) return false
  return true
}
const isAnyJson: Check = value => isJson(value)

const isLimit = orNull(value => value !== 0 && isNumber(0, LIMIT_SECONDS_MAX)(value))

const CHECKS: Readonly<Record<keyof typeof taskSchema.shape, Check>> = {
  id: isText,
  version: value => value === RECORD_VERSION,
  kind: isText,
  params: isAnyJson,
  status: isStatus,
  claim: isInt(0),
  rev: isInt(0),
  attempt: isInt(0),
  maxAttempts: isInt(1),
  priority: isInt(PRIORITY.lowest, PRIORITY.highest),
  progress: orNull(isObject({ percent: isAnyNumber, note: orNull(isText), etaSeconds: orNull(isAnyNumber) })),
  result: isAnyJson,
  resultBytes: orNull(isInt(0)),
  resultInfo: isAnyJson,
  error: orNull(isObject({ code: isText, message: isText, detail: isAnyJson })),
  createdAt: isTime,
  notBefore: orNull(isTime),
  expiresAt: orNull(isTime),
  startedAt: orNull(isTime),
  finishedAt: orNull(isTime),
  updatedAt: isTime,
  worker: orNull(isText),
  workersLost: isInt(1),
  owner: orNull(isText),
  parentId: orNull(isText),
  title: orNull(isText),
  description: orNull(isText),
  idempotencyKey: orNull(isText),
  revokeRequestedAt: orNull(isTime),
  // a policy may name errors, and what it lacks is filled in: the schema's business
  retry: orNull(
    isObject({
      delaySeconds: isNumber(0, RETRY_MAX.delaySeconds),
      factor: isNumber(1, RETRY_MAX.factor),
      maxDelaySeconds: isNumber(0, RETRY_MAX.maxDelaySeconds),
    }),
  ),
  limits: isObject({ softSeconds: isLimit, hardSeconds: isLimit }),
  history: isArray(
    isObject({
      status: isStatus,
      at: isTime,
      attempt: isInt(Number.MIN_SAFE_INTEGER),
      worker: orNull(isText),
    }),
  ),
}

const OPTIONAL: readonly string[] = ['resultInfo', 'workersLost']
const FIELDS = Object.entries(taskSchema.shape).map(
  ([name, schema]) =>
    [
      name,
      CHECKS[name as keyof typeof taskSchema.shape],
      schema as z.ZodType,
      !OPTIONAL.includes(name),
    ] as const,
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

/** Whether arrays and objects nest at most so deep, also where a value holds itself. */
const isShallow = (value: unknown, depth: number): boolean => {
  if (typeof value !== 'object' || value === null) return true
  if (depth === 0) return false
  for (const each of Object.values(value)) if (!isShallow(each, depth - 1)) return false
  return true
}

const invalid = (problem: string): MadhavaError =>
  new MadhavaError('RECORD_INVALID', `The record of the task would not be valid: ${problem}`)

/**
 * The last defence of every store, before it writes: refuses a record that no reader would take. Of one that was made from a
 * valid one only what differs is looked at: a whole record is checked wherever it is read.
 * @param before null: the record is new
 * @throws RECORD_INVALID with what is wrong
 */
export const refuseFault = (before: TaskRecord | null, after: TaskRecord): void => {
  for (const [name, check, schema, required] of FIELDS) {
    const value = after[name]
    if (before && value === before[name]) continue
    if (check(value) || (value === undefined && !required)) continue
    // a schema follows it until the stack ends
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

/** The same text. @throws RECORD_INVALID where a record of this JSON is larger than a record may be */
export const refuseLarge = (json: string): string => {
  if (json.length <= RECORD_LIMIT) return json
  throw invalid(`it has ${json.length} characters of JSON, and may have ${RECORD_LIMIT}`)
}
