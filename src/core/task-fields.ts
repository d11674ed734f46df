// The fields of a record, in one table: a row for each field, in the record's order. The schema, the first record of
// a task, the quick check, what a client may submit, and what an index keeps are derived from it. The filters are in
// core/filter.ts.
import { z } from 'zod'
import {
  anyInt,
  anyNumber,
  array,
  type FieldType,
  intBetween,
  intFrom,
  isNumber,
  isObject,
  json,
  jsonSchema,
  literal,
  object,
  oneOf,
  optional,
  orNull,
  text,
  time,
  typeOf,
} from './field-types.ts'
import { instant } from './instant.ts'
import { STATUSES } from './status.ts'

export const RECORD_VERSION = 1
export const PRIORITY = { lowest: 0, default: 5, highest: 9 } as const

/** Seconds, and the highest growth factor of a wait. */
const RETRY_MAX = { delaySeconds: 86_400, factor: 10, maxDelaySeconds: 2_592_000 } as const
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
/** How an error thrown by a kind is retried: exponential backoff whose upper half is random. */
export type RetryPolicy = z.infer<typeof retryPolicySchema>
// a policy may name errors, and the schema fills in defaults, so there is no quick check
const retryPolicy = typeOf(
  retryPolicySchema,
  isObject({
    delaySeconds: isNumber(0, RETRY_MAX.delaySeconds),
    factor: isNumber(1, RETRY_MAX.factor),
    maxDelaySeconds: isNumber(0, RETRY_MAX.maxDelaySeconds),
  }),
)

const LIMIT_SECONDS_MAX = 31_536_000
const limitSeconds = z.number().positive().max(LIMIT_SECONDS_MAX).nullable().default(null)
export const limitsSchema = z.strictObject({
  softSeconds: limitSeconds.describe('the signal fires, then a grace time'),
  hardSeconds: limitSeconds.describe('the thread is ended'),
})
export type Limits = z.infer<typeof limitsSchema>
const isLimit = (value: unknown): boolean =>
  value === null || (value !== 0 && isNumber(0, LIMIT_SECONDS_MAX)(value))
const limits = typeOf(limitsSchema, isObject({ softSeconds: isLimit, hardSeconds: isLimit }))

const status = oneOf(STATUSES)
const historyEntry = object({ status, at: time, attempt: anyInt, worker: orNull(text) })

/** How an attempt ended; null while it runs. `LOST`: its worker died. `GIVEN_BACK`: its worker shut down. */
export const ATTEMPT_OUTCOMES = ['SUCCESS', 'FAILURE', 'RETRY', 'REVOKED', 'LOST', 'GIVEN_BACK'] as const
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number]
const taskError = object({ code: text, message: text, detail: json })
const attemptEntry = object({
  attempt: intFrom(1),
  worker: text,
  /**
   * What the kind's file was (KindSet.codes); missing where that is not known: in records of older versions, and where
   * a worker died in the first moment.
   */
  code: optional(text),
  startedAt: time,
  endedAt: orNull(time),
  outcome: orNull(oneOf(ATTEMPT_OUTCOMES)),
  error: orNull(taskError),
})

/** `file`: the blob beside the record that has the bytes. Clients never see it: core/task-view.ts. */
const artifact = object({ name: text, bytes: intFrom(0), type: text, sha256: text, file: text })

/** A field's value in the first record of a task. A field with neither of these is missing there. */
interface Beginning<T> {
  /** The code that creates the task supplies it. */
  given?: true
  first?: (task: { createdAt: string }) => T
}
interface Uses<T> extends Beginning<T> {
  /** Lists and claims need it, so an index keeps it of every task: the whole field or a part of it. */
  summary?: true | ((value: T) => unknown)
  /** What a client may submit under the same name. */
  submit?: z.ZodType
}
const field = <S extends z.ZodType, const U extends Uses<z.output<S>>>(type: FieldType<S>, uses: U) => ({
  ...type,
  ...uses,
})
const none = () => null
const zero = () => 0

/**
 * A new field is `optional`, since older records lack it. If clients submit it, its `submit` is `optional()` too: a
 * default would change what an old submission means, and its key would no longer match.
 */
export const TASK_FIELDS = {
  id: field(text, { given: true, summary: true }),
  version: field(literal(RECORD_VERSION), { first: () => RECORD_VERSION }),
  kind: field(text, {
    given: true,
    summary: true,
    submit: z.string().min(1).max(63).describe('the kind of task; GET /kinds lists them'),
  }),
  /** Who does it, where that is people and not a worker; as its kind said when it was created. */
  doneBy: field(optional(literal('people')), { given: true, summary: true }),
  params: field(json, {
    given: true,
    submit: jsonSchema.optional().describe('what the kind takes; its schema is in GET /kinds'),
  }),
  status: field(status, { first: () => 'PENDING' as const, summary: true }),
  /** The number of the last claim; each holder has a different one. */
  claim: field(intFrom(0), { first: zero, summary: true }),
  /** Goes up with every write. */
  rev: field(intFrom(0), { first: zero, summary: true }),
  attempt: field(intFrom(0), { first: zero }),
  maxAttempts: field(intFrom(1), {
    given: true,
    submit: z.int().min(1).max(1000).optional().describe('tries in all, lost workers included'),
  }),
  priority: field(intBetween(PRIORITY.lowest, PRIORITY.highest), {
    given: true,
    summary: true,
    submit: z
      .int()
      .min(PRIORITY.lowest)
      .max(PRIORITY.highest)
      .default(PRIORITY.default)
      .describe('9 runs first'),
  }),
  progress: field(orNull(object({ percent: anyNumber, note: orNull(text), etaSeconds: orNull(anyNumber) })), {
    first: none,
  }),
  result: field(json, { first: none }),
  resultBytes: field(orNull(intFrom(0)), { first: none }),
  /** How the result was computed; only if the kind said so. */
  resultInfo: field(optional(json), {}),
  error: field(orNull(taskError), {
    first: none,
    summary: error => error && { code: error.code },
  }),
  createdAt: field(time, { given: true, summary: true }),
  notBefore: field(orNull(time), {
    given: true,
    summary: true,
    submit: instant.nullable().default(null).describe('do not start before'),
  }),
  expiresAt: field(orNull(time), {
    given: true,
    summary: true,
    submit: instant.nullable().default(null).describe('fail with EXPIRED when not started before'),
  }),
  startedAt: field(orNull(time), { first: none }),
  finishedAt: field(orNull(time), { first: none, summary: true }),
  updatedAt: field(time, { first: ({ createdAt }) => createdAt }),
  worker: field(orNull(text), { first: none }),
  /**
   * Attempts that ended with the death of their worker, since the submit or the last retry by hand; missing when
   * none.
   */
  workersLost: field(optional(intFrom(1)), { summary: true }),
  owner: field(orNull(text), { given: true, summary: true }),
  /**
   * The key and the address that it was submitted with, each only where a quota counts by it; missing where none does.
   * Clients never see it: core/task-view.ts.
   */
  submittedBy: field(optional(object({ key: orNull(text), address: orNull(text) })), {
    given: true,
    summary: true,
  }),
  parentId: field(orNull(text), { given: true, summary: true }),
  title: field(orNull(text), {
    given: true,
    summary: true,
    submit: z.string().max(200).nullable().default(null),
  }),
  description: field(orNull(text), {
    given: true,
    summary: true,
    submit: z.string().max(2000).nullable().default(null),
  }),
  idempotencyKey: field(orNull(text), { given: true }),
  revokeRequestedAt: field(orNull(time), { first: none }),
  retry: field(orNull(retryPolicy), {
    given: true,
    submit: retryPolicySchema.nullable().optional().describe('try again when the kind throws'),
  }),
  limits: field(limits, {
    given: true,
    submit: limitsSchema.optional().describe('time limits of one attempt, in seconds'),
  }),
  history: field(array(historyEntry), {
    first: ({ createdAt }) => [{ status: 'PENDING' as const, at: createdAt, attempt: 0, worker: null }],
  }),
  /** The last attempts, numbered through a retry by hand; missing before the first. */
  attempts: field(optional(array(attemptEntry)), {}),
  /** Files that the attempts have made, by name; missing when there are none. */
  artifacts: field(optional(array(artifact)), {}),
} as const

type Fields = typeof TASK_FIELDS
export type FieldName = keyof Fields
/** The fields whose row has this property. */
export type FieldsWith<Use extends string> = {
  [K in FieldName]: Fields[K] extends Record<Use, unknown> ? K : never
}[FieldName]

export type FieldRow = FieldType & Uses<unknown>
/** The table as rows. */
export const FIELD_ROWS = Object.entries(TASK_FIELDS) as unknown as readonly [FieldName, FieldRow][]

/** A zod object's shape, from the given part of each row that has it. */
export const shapeOf = <K extends 'schema' | 'submit'>(
  part: K,
): { [F in FieldsWith<K>]: Fields[F] extends Record<K, infer S extends z.ZodType> ? S : never } =>
  Object.fromEntries(
    FIELD_ROWS.flatMap(([name, row]) => (row[part] === undefined ? [] : [[name, row[part]]])),
  ) as never
