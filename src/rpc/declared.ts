// Our errors as the exceptions that the IDL declares, by the table of core/errors.ts. Of an error only its code, its
// public message and its problems reach a client.
import types from '../../gen/js/rpcinterface_types.js'
import { ERRORS, type ErrorMeaning, isMadhavaError, type MadhavaError } from '../core/errors.ts'
import { build } from './build.ts'
import { shortText } from './exception.ts'

/** Problems that one exception names. */
const PROBLEMS = 50

export const EXCEPTIONS = ['refused', 'notFound', 'conflict', 'unavailable'] as const
export type ExceptionName = (typeof EXCEPTIONS)[number]

const isProblem = (value: unknown): value is { path: string; problem: string } =>
  typeof value === 'object' &&
  value !== null &&
  'path' in value &&
  typeof value.path === 'string' &&
  'problem' in value &&
  typeof value.problem === 'string'

const problemsOf = (detail: unknown) => {
  const problems =
    typeof detail === 'object' && detail !== null && 'problems' in detail ? detail.problems : []
  return (Array.isArray(problems) ? problems : [])
    .filter(isProblem)
    .slice(0, PROBLEMS)
    .map(({ path, problem }) => build(types.Problem, { path: shortText(path), problem: shortText(problem) }))
}

const retryAfterOf = (detail: unknown): number | null =>
  typeof detail === 'object' &&
  detail !== null &&
  'retryAfterSeconds' in detail &&
  typeof detail.retryAfterSeconds === 'number'
    ? Math.ceil(detail.retryAfterSeconds)
    : null

/** Which exception a status belongs to; null for faults of the server, which no method declares. */
export const exceptionName = ({ status }: Pick<ErrorMeaning, 'status'>): ExceptionName | null => {
  if (status === 404) return 'notFound'
  if (status === 409 || status === 412) return 'conflict'
  if (status < 500) return 'refused'
  return status === 503 || status === 507 ? 'unavailable' : null
}

const struct = (name: ExceptionName, { code, message, detail }: MadhavaError): Error => {
  const fields = { code, message: shortText(message), status: ERRORS[code].status }
  if (name === 'notFound') return build(types.NotFound, fields)
  if (name === 'conflict') return build(types.Conflict, fields)
  if (name === 'unavailable') return build(types.Unavailable, fields)
  return build(types.Refused, {
    ...fields,
    problems: problemsOf(detail),
    retryAfterSeconds: retryAfterOf(detail),
  })
}

/** For a method that declares these: the exception for an error, or null. */
export const declares =
  (...declared: readonly ExceptionName[]) =>
  (error: unknown): Error | null => {
    if (!isMadhavaError(error)) return null
    const name = exceptionName(ERRORS[error.code])
    return name !== null && declared.includes(name) ? struct(name, error) : null
  }
