// What clients send as arguments -> what the service takes. Arguments and fields that were left out are null.
import { z } from 'zod'
import type { SubmitOptions } from '../../gen/js/rpcinterface_types.js'
import { MadhavaError } from '../core/errors.ts'
import { askedFilters, CURSOR_LIMIT, PAGE_LIMIT, type TaskFilter, toFilter } from '../core/filter.ts'
import { type FieldProblem, formatProblems, problemsOf } from '../core/problems.ts'
import { SORT_NAMES, type Sort, USUAL_SORT } from '../core/sort.ts'
import { parseSoundJson } from '../core/sound-json.ts'
import { UPLOAD_NAME_MAX } from '../core/upload-forms.ts'

/** The longest wait: shorter than the time after which this server or a proxy closes an idle connection. */
export const WAIT_LIMIT_MS = 30_000
/** Of a result, a log or a file, bytes. */
export const PIECE_LIMIT = 512 * 1024

const refuse = (message: string, problems: FieldProblem[] = []): MadhavaError =>
  new MadhavaError('BAD_REQUEST', message, { detail: { problems } })

/** Generated structs with what is set in them, as plain objects. */
const whatIsSet = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(whatIsSet)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, field]) => (field === null ? [] : [[name, whatIsSet(field)]])),
  )
}

/** What is set in a struct or a list, by this schema. @throws BAD_REQUEST with one entry per problem */
export const parseStruct = <S extends z.ZodType>(schema: S, value: unknown, name: string): z.output<S> => {
  const parsed = schema.safeParse(whatIsSet(value) ?? {})
  if (parsed.success) return parsed.data
  const problems = problemsOf(parsed.error)
  throw refuse(`${name} is malformed: ${formatProblems(problems)}`, problems)
}

/** @throws BAD_REQUEST */
export const toText = (value: unknown, name: string): string => {
  if (typeof value === 'string') return value
  throw refuse(`The argument ${name} is missing`)
}

const toRetry = ({ retryPolicy, neverRetry }: Partial<SubmitOptions>): object => {
  if (neverRetry && retryPolicy) throw refuse('retryPolicy and neverRetry exclude each other')
  if (neverRetry) return { retry: null }
  return retryPolicy ? { retry: retryPolicy } : {}
}

/** A submission as the service takes it, which checks all of it. @throws BAD_REQUEST */
export const toSubmission = (
  kind: unknown,
  params: unknown,
  options: unknown,
): { submission: unknown; idempotencyKey: string | undefined } => {
  const text = params === null ? '' : toText(params, 'params')
  const set = (whatIsSet(options) ?? {}) as Partial<SubmitOptions>
  const { idempotencyKey, retryPolicy, neverRetry, ...rest } = set
  return {
    submission: {
      kind: toText(kind, 'kind'),
      ...(text === '' ? {} : { params: parseSoundJson(text, 'params') }),
      ...rest,
      ...toRetry({ ...(retryPolicy && { retryPolicy }), ...(neverRetry && { neverRetry }) }),
    },
    idempotencyKey,
  }
}

/** An item as POST /create_task takes it, which is checked there. @throws BAD_REQUEST */
export const toItem = (item: unknown): { item: unknown; idempotencyKey: string | undefined } => {
  const { idempotencyKey, ...rest } = (whatIsSet(item) ?? {}) as { idempotencyKey?: string }
  return { item: rest, idempotencyKey }
}

/** An edit as the service takes it, which checks it: empty texts take away what there was. */
export const toEdit = (edit: unknown): unknown => {
  const set = (whatIsSet(edit) ?? {}) as { assignee?: string }
  return set.assignee === '' ? { ...set, assignee: null } : set
}

/** The version that a change is for; null: any. */
export const toVersions = (version: unknown): string[] | null =>
  version === null || version === '' ? null : [toText(version, 'version')]

/** By the fields of the struct TaskFilter. */
const filterSchema = z
  .object({
    ...Object.fromEntries(askedFilters('rpc').map(({ name, row }) => [name, row.schema])),
    sort: z.enum(SORT_NAMES, `must be one of ${SORT_NAMES.join(', ')}`),
  })
  .partial()

/** @throws BAD_REQUEST with one entry per problem */
export const parseFilter = (filter: unknown): { filter: TaskFilter; sort: Sort } => {
  const parsed = parseStruct(filterSchema, filter, 'The filter')
  return { filter: toFilter('rpc', parsed), sort: parsed.sort ?? USUAL_SORT }
}

/** @throws BAD_REQUEST */
export const toPage = (limit: unknown, cursor: unknown): { limit: number; cursor: string | null } => {
  const wanted = limit === null || limit === 0 ? PAGE_LIMIT.default : limit
  if (typeof wanted !== 'number' || wanted < 1 || wanted > PAGE_LIMIT.highest)
    throw refuse(`limit is 1 to ${PAGE_LIMIT.highest}, or 0 for ${PAGE_LIMIT.default}`)
  const text = cursor === null ? '' : toText(cursor, 'cursor')
  if (text.length > CURSOR_LIMIT) throw new MadhavaError('BAD_CURSOR')
  return { limit: wanted, cursor: text === '' ? null : text }
}

/** An i64 as a number; null, and what a double does not hold exactly, is refused. @throws BAD_REQUEST */
export const toWholeNumber = (value: unknown, name: string): number => {
  const number = Number(value ?? 0)
  if (Number.isSafeInteger(number) && number >= 0) return number
  throw refuse(`${name} is a whole number, 0 or more`)
}

/** How long a call may wait, milliseconds. @throws BAD_REQUEST */
export const toTimeout = (value: unknown): number => {
  const wanted = toWholeNumber(value, 'timeoutMs')
  if (wanted <= WAIT_LIMIT_MS) return wanted
  throw refuse(`timeoutMs is 0 to ${WAIT_LIMIT_MS}`)
}

/** The number of a line of a log; 0: before the first. @throws BAD_REQUEST */
export const toLine = (after: unknown): number => toWholeNumber(after, 'after')

/** The bytes [start, end) of content with so many. @throws BAD_REQUEST, RANGE_NOT_SATISFIABLE */
export const toRange = (offset: unknown, length: unknown, bytes: number): { start: number; end: number } => {
  const start = toWholeNumber(offset, 'offset')
  const wanted = toWholeNumber(length, 'length')
  if (start > bytes) throw new MadhavaError('RANGE_NOT_SATISFIABLE', `There are ${bytes} bytes`)
  return { start, end: Math.min(bytes, start + Math.min(PIECE_LIMIT, wanted === 0 ? PIECE_LIMIT : wanted)) }
}

/** How many bytes will come; 0 or left out: that is not known. @throws BAD_REQUEST */
export const toLength = (length: unknown): number | null => toWholeNumber(length, 'length') || null

/** What a file is called; empty or left out: nothing. @throws BAD_REQUEST */
export const toUploadName = (name: unknown): string | null => {
  const text = name === null ? '' : toText(name, 'name')
  if (text.length > UPLOAD_NAME_MAX) throw refuse(`name has at most ${UPLOAD_NAME_MAX} characters`)
  return text === '' ? null : text
}

/** In hex; empty or left out: not known. @throws BAD_REQUEST */
export const toSha256 = (sha256: unknown): string | null => {
  const text = sha256 === null ? '' : toText(sha256, 'sha256')
  if (!/^([0-9a-fA-F]{64})?$/.test(text)) throw refuse('sha256 is a SHA-256 in hex, or empty')
  return text === '' ? null : text
}

/** @throws BAD_REQUEST */
export const toBytes = (value: unknown, name: string): Uint8Array => {
  if (value instanceof Uint8Array) return value
  throw refuse(`The argument ${name} is missing`)
}
