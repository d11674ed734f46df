// Errors as answers: RFC 9457 problem details, by the table of core/errors.ts. The only place that makes them.
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { cutText } from '../core/cut-text.ts'
import { ERRORS, type ErrorCode, type MadhavaError } from '../core/errors.ts'
import type { RefusedStatus } from '../platform/serve.ts'
import type { ApiContext } from './context.ts'
import { challengeFor } from './identify.ts'
import { quotasOf, sayQuotas } from './rate-limit.ts'

export const PROBLEM_TYPE = 'application/problem+json'

export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  code: ErrorCode
  instance?: string
  problems?: { path: string; problem: string }[]
  /** Where an upload ends. */
  offset?: number
}

/** A problem's document, for any server. */
export const toProblem = (code: ErrorCode, detail: string, instance?: string): Problem => {
  const { status, title } = ERRORS[code]
  return {
    type: `urn:madhava:error:${code}`,
    title,
    status,
    detail,
    code,
    ...(instance === undefined ? {} : { instance }),
  }
}

const problemsOf = (detail: unknown): Problem['problems'] => {
  if (typeof detail !== 'object' || detail === null || !('problems' in detail)) return undefined
  return Array.isArray(detail.problems) ? (detail.problems as Problem['problems']) : undefined
}

const offsetOf = (detail: unknown): number | undefined => {
  const { offset } = (detail ?? {}) as { offset?: unknown }
  return typeof offset === 'number' ? offset : undefined
}

/** Of VERSION_CHANGED: the tag of the task as it is now. */
const presentEtag = ({ code, detail }: MadhavaError): string | null => {
  const { version } = (detail ?? {}) as { version?: unknown }
  return code === 'VERSION_CHANGED' && typeof version === 'string' ? `"${version}"` : null
}

const REFUSALS = {
  400: 'BAD_REQUEST',
  408: 'REQUEST_TIMEOUT',
  431: 'HEADERS_TOO_LARGE',
  500: 'INTERNAL',
  503: 'OVERLOADED',
} as const satisfies Record<RefusedStatus, ErrorCode>

/** The answer to a request that never became one: too large a header, too slow, or no HTTP. For serveHttp. */
export const refuseRequest = (status: RefusedStatus): { contentType: string; body: string } => {
  const code = REFUSALS[status]
  return { contentType: PROBLEM_TYPE, body: JSON.stringify(toProblem(code, ERRORS[code].title)) }
}

/** What somebody has put into an address in place of an id: a key, or the token of a session. */
const TOKEN = /\b(md[a-z]_[a-z0-9]{16}_)[A-Za-z0-9]+/g

/** An address as it is echoed and logged: bounded, without the query, and without the secret half of a token. */
export const shownPath = (path: string): string => cutText(path.replace(TOKEN, '$1…'), 512)

/** Seconds to wait, of the error for too many tries; null for any other error. */
const waitOf = ({ detail }: MadhavaError): number | null => {
  const { retryAfterSeconds } = (detail ?? {}) as { retryAfterSeconds?: unknown }
  return typeof retryAfterSeconds === 'number' ? retryAfterSeconds : null
}

const LEAVE_BODY: readonly ErrorCode[] = [
  'TOO_MANY_STREAMS',
  'OVERLOADED',
  'UPLOADS_FULL',
  'UPLOAD_TYPE_REFUSED',
  'STORE_FULL',
]

/** The answer for an error. Its message and `detail.problems` reach the client, its cause never does. */
export const sendProblem = (c: ApiContext, error: MadhavaError): Response => {
  const problem = toProblem(error.code, error.message, shownPath(c.req.path))
  const problems = problemsOf(error.detail)
  if (problems) problem.problems = problems
  const etag = presentEtag(error)
  if (etag !== null) c.header('ETag', etag)
  const offset = offsetOf(error.detail)
  if (offset !== undefined) problem.offset = offset
  // 429: what has to go away first is work, not a moment
  if (problem.status === 503 || problem.status === 429)
    c.header('Retry-After', problem.status === 429 ? String(waitOf(error) ?? 5) : '1')
  if (problem.code === 'QUOTA_EXCEEDED') sayQuotas(c, quotasOf(error.detail))
  if (problem.status === 401) c.header('WWW-Authenticate', challengeFor(c))
  // the rest of a body that was not read is not worth a connection, and who has its share of streams holds none idle
  // beside
  if (problem.status === 413 || LEAVE_BODY.includes(problem.code)) c.header('Connection', 'close')
  const text = JSON.stringify(problem)
  return c.body(text, problem.status as ContentfulStatusCode, {
    'Content-Type': PROBLEM_TYPE,
    'Content-Length': String(Buffer.byteLength(text)),
  })
}
