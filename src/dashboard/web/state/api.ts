// Asks the server: the task API under /api, and the dashboard's own addresses. Errors come as `ProblemError`.
import { navigateToLogin } from './login.ts'

/** An answer that is an error, or none at all (`code` is AWAY). */
export class ProblemError extends Error {
  readonly code: string
  readonly status: number
  /** Faults of single fields, as the server names them. */
  readonly problems: readonly { path: string; problem: string }[]
  /** Of UPLOAD_OFFSET: where the upload ends. */
  readonly offset: number | null
  constructor({
    code,
    status,
    detail,
    problems = [],
    offset = null,
  }: {
    code: string
    status: number
    detail: string
    problems?: readonly { path: string; problem: string }[]
    offset?: number | null
  }) {
    super(detail)
    this.name = 'ProblemError'
    this.code = code
    this.status = status
    this.problems = problems
    this.offset = offset
  }
}

/** Nobody answers: the server is away, or the network is. */
export const away = (): ProblemError =>
  new ProblemError({ code: 'AWAY', status: 0, detail: 'The dashboard does not answer' })

/** What went wrong, whatever was thrown. */
export const problemIn = (error: unknown): ProblemError =>
  error instanceof ProblemError
    ? error
    : new ProblemError({ code: 'INTERNAL', status: 0, detail: String(error) })

export type Query = Readonly<Record<string, string | number | readonly string[] | null | undefined>>

export interface Asking {
  query?: Query | URLSearchParams
  /** Sent as JSON; a text is JSON already. */
  body?: unknown
  headers?: Readonly<Record<string, string>>
  signal?: AbortSignal
  /** How long an answer may take; left out: half a minute. */
  timeoutMs?: number
}

const TIMEOUT_MS = 30_000
let token = ''

/** Changes carry it, so that no page of another site can make them. */
export const setPageToken = (value: string): void => {
  token = value
}
/** For requests that are not made here. */
export const pageToken = (): string => token

export const withQuery = (path: string, query: Asking['query']): string => {
  if (!query) return path
  const text =
    query instanceof URLSearchParams
      ? query.toString()
      : new URLSearchParams(
          Object.entries(query).flatMap(([name, value]) =>
            value === null || value === undefined
              ? []
              : [value].flat().map((each): [string, string] => [name, String(each)]),
          ),
        ).toString()
  return text === '' ? path : `${path}?${text}`
}

/** The error that an answer is. A login that has ended leads to the form. @param text the body */
export const problemOf = (status: number, text: string): ProblemError => {
  let body: {
    code?: string
    detail?: string
    title?: string
    problems?: { path: string; problem: string }[]
    offset?: number
  } = {}
  try {
    body = (JSON.parse(text) ?? {}) as typeof body
  } catch {
    // a proxy in between has answered
  }
  const problem = new ProblemError({
    code: body.code ?? 'INTERNAL',
    status,
    detail: body.detail ?? body.title ?? `HTTP ${status}`,
    ...(body.problems ? { problems: body.problems } : {}),
    ...(body.offset === undefined ? {} : { offset: body.offset }),
  })
  // a wrong password is 401 too, and no end of the login
  if (problem.code === 'UNAUTHORIZED') navigateToLogin()
  return problem
}

/** The answer, if it is none of an error. @throws ProblemError, and AbortError when the signal fired */
export const ask = async (method: string, path: string, asking: Asking = {}): Promise<Response> => {
  const { query, body, signal } = asking
  const headers: Record<string, string> = { Accept: 'application/json', ...asking.headers }
  if (method !== 'GET') headers['X-CSRF-Token'] = token
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  const limit = AbortSignal.timeout(asking.timeoutMs ?? TIMEOUT_MS)
  const answer = await fetch(withQuery(path, query), {
    method,
    headers,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error
    throw away()
  })
  if (answer.ok) return answer
  throw problemOf(answer.status, await answer.text().catch(() => ''))
}

/** @throws ProblemError */
export const get = async <T>(path: string, asking?: Asking): Promise<T> =>
  (await (await ask('GET', path, asking)).json()) as T

/** The answer as text, for JSON whose digits must stay. @throws ProblemError */
export const getText = async (path: string, asking?: Asking): Promise<string> =>
  (await ask('GET', path, asking)).text()

/** @throws ProblemError */
export const post = async <T>(path: string, asking?: Asking): Promise<T> => {
  const text = await (await ask('POST', path, asking)).text()
  return (text === '' ? null : JSON.parse(text)) as T
}

/** PUT or PATCH, whose answer nobody needs. @throws ProblemError */
export const change = async (method: 'PUT' | 'PATCH', path: string, body: object): Promise<void> => {
  await ask(method, path, { body })
}

/** DELETE. @throws ProblemError */
export const remove = async (path: string, asking?: Asking): Promise<void> => {
  await ask('DELETE', path, asking)
}
