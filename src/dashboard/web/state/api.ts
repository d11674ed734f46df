// Asks the server: the task API under /api, and the dashboard's own addresses. Errors come as `ProblemError`.
import { navigateToLogin } from './login.ts'

/** An answer that is an error, or none at all (`code` is AWAY). */
export class ProblemError extends Error {
  readonly code: string
  readonly status: number
  /** Faults of single fields, as the server names them. */
  readonly problems: readonly { path: string; problem: string }[]
  constructor({
    code,
    status,
    detail,
    problems = [],
  }: {
    code: string
    status: number
    detail: string
    problems?: readonly { path: string; problem: string }[]
  }) {
    super(detail)
    this.name = 'ProblemError'
    this.code = code
    this.status = status
    this.problems = problems
  }
}

export type Query = Readonly<Record<string, string | number | readonly string[] | null | undefined>>

export interface Asking {
  query?: Query | URLSearchParams
  /** Sent as JSON; a text is JSON already. */
  body?: unknown
  headers?: Readonly<Record<string, string>>
  signal?: AbortSignal
}

const TIMEOUT_MS = 30_000
let token = ''

/** Changes carry it, so that no page of another site can make them. */
export const setPageToken = (value: string): void => {
  token = value
}

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

const problemOf = async (answer: Response): Promise<ProblemError> => {
  const body = (await answer.json().catch(() => ({}))) as {
    code?: string
    detail?: string
    title?: string
    problems?: { path: string; problem: string }[]
  }
  return new ProblemError({
    code: body.code ?? 'INTERNAL',
    status: answer.status,
    detail: body.detail ?? body.title ?? answer.statusText,
    ...(body.problems ? { problems: body.problems } : {}),
  })
}

/** The answer, if it is none of an error. @throws ProblemError, and AbortError when the signal fired */
export const ask = async (method: string, path: string, asking: Asking = {}): Promise<Response> => {
  const { query, body, signal } = asking
  const headers: Record<string, string> = { Accept: 'application/json', ...asking.headers }
  if (method !== 'GET') headers['X-CSRF-Token'] = token
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  const limit = AbortSignal.timeout(TIMEOUT_MS)
  const answer = await fetch(withQuery(path, query), {
    method,
    headers,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error
    throw new ProblemError({ code: 'AWAY', status: 0, detail: 'The dashboard does not answer' })
  })
  if (answer.ok) return answer
  const problem = await problemOf(answer)
  // a wrong password is 401 too, and no end of the login
  if (problem.code === 'UNAUTHORIZED') navigateToLogin()
  throw problem
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
