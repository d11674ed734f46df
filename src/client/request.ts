// Sends one request over fetch: addresses, time limits, typed errors, and retries where they are safe.
import { ApiError, ConnectionError, type Problem, reasonOf, UNEXPECTED_ANSWER } from './errors.ts'
import { type KeySource, readKey } from './key.ts'
import { createPatience } from './patience.ts'

export interface ClientOptions {
  /**
   * The address of the REST API: `http://127.0.0.1:8000`, with a path if a proxy adds one. In a page `''`: its own
   * origin.
   */
  baseUrl: string
  /**
   * A key, or the token of a session, which says who asks; a function is asked before every request. Sent as
   * `Authorization: Bearer`.
   */
  key?: KeySource
  /** Sent with every request. */
  headers?: Readonly<Record<string, string>>
  /** For tests, proxies and old platforms. */
  fetch?: typeof fetch
  /**
   * How long an answer may take, or the head of a stream, milliseconds; long polls add their wait. 30 s by default.
   */
  timeoutMs?: number
  /**
   * How long reads, submits, waits and watches keep trying while the server cannot be reached, milliseconds, at
   * growing intervals. 60 s by default; 0: one try.
   */
  patienceMs?: number
}

export interface RequestOptions {
  method?: string
  query?: string
  headers?: Readonly<Record<string, string>>
  body?: unknown
  /** Instead of JSON: bytes, made for one try. Each call of `moved` begins the time limit anew. */
  content?: (moved: () => void) => {
    body: Uint8Array | Blob | string | ReadableStream<Uint8Array>
    length?: number
  }
  signal?: AbortSignal | undefined
  /** Safe to repeat, so it is retried while that can help. */
  repeatable?: boolean
  /** Added to the time limit. */
  waitMs?: number
  /** The body is read here to its end, within the same time limit. */
  whole?: boolean
  /** Accepted statuses besides 2xx. */
  answers?: readonly number[]
}

export interface Requests {
  /** @throws ApiError, ConnectionError, the reason of the signal */
  send(path: string, options?: RequestOptions): Promise<Response>
  readonly patienceMs: number
}

/** Longer than this a timer cannot be. */
const LONGEST_MS = 2 ** 31 - 1

/** The header has seconds, or a date. */
const retryAfterMs = (header: string | null): number | null => {
  if (header === null) return null
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : null
}

const problemOf = async (response: Response): Promise<Problem> => {
  const { status, headers } = response
  const text = await response.text().catch(() => '')
  if (headers.get('content-type')?.startsWith('application/problem+json'))
    try {
      return JSON.parse(text) as Problem
    } catch {
      // cut off: treated as no problem document
    }
  return {
    type: 'about:blank',
    title: 'An answer that is not from the task server',
    status,
    detail: `${status} ${response.statusText}`.trim(),
    code: UNEXPECTED_ANSWER,
  }
}

/** What went wrong was the caller's own: no answer is missing, and another try does not help. */
class KeyError extends Error {}

/** @throws KeyError; the reason of the signal */
const keyInTime = (source: KeySource, signal: AbortSignal): Promise<string> =>
  new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason)
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
    readKey(source)
      .then(resolve, (cause: unknown) => reject(new KeyError('There is no key', { cause })))
      .finally(() => signal.removeEventListener('abort', stop))
  })

export const createRequests = ({
  baseUrl,
  key,
  headers: common = {},
  fetch: fetchOf = globalThis.fetch.bind(globalThis),
  timeoutMs = 30_000,
  patienceMs = 60_000,
}: ClientOptions): Requests => {
  const base = baseUrl.replace(/\/+$/, '')

  const once = async (path: string, options: RequestOptions): Promise<Response> => {
    const { method = 'GET', query = '', headers = {}, body, signal, waitMs = 0, answers = [] } = options
    const { whole = false, content } = options
    const late = new AbortController()
    const begin = () => setTimeout(() => late.abort(), Math.min(timeoutMs + waitMs, LONGEST_MS))
    let isOver = false
    let timer = begin()
    const sent = content?.(() => {
      clearTimeout(timer)
      if (!isOver) timer = begin()
    })
    // the time limit does not cover the body
    const ending = signal ? AbortSignal.any([signal, late.signal]) : late.signal
    try {
      const bearer = key === undefined ? null : await keyInTime(key, ending)
      const response = await fetchOf(`${base}${path}${query === '' ? '' : `?${query}`}`, {
        method,
        headers: {
          ...common,
          ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(sent === undefined ? {} : { 'content-type': 'application/octet-stream' }),
          ...(sent?.length === undefined ? {} : { 'content-length': String(sent.length) }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(sent && { body: sent.body }),
        ...(sent?.body instanceof ReadableStream && { duplex: 'half' as const }),
        signal: ending,
      })
      if (response.ok || answers.includes(response.status))
        return whole && response.body
          ? new Response(await response.arrayBuffer(), { status: response.status, headers: response.headers })
          : response
      throw new ApiError(await problemOf(response), {
        requestId: response.headers.get('x-request-id'),
        retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
      })
    } catch (error) {
      if (error instanceof ApiError) throw error
      if (error instanceof KeyError) throw error.cause
      if (signal?.aborted) throw signal.reason
      const why = late.signal.aborted ? `no answer within ${timeoutMs + waitMs} ms` : reasonOf(error)
      throw new ConnectionError(`${method} ${base}${path}: ${why}`, { cause: error })
    } finally {
      isOver = true
      clearTimeout(timer)
    }
  }

  return {
    patienceMs,
    async send(path, options = {}) {
      const patience = createPatience(options.repeatable ? patienceMs : 0)
      for (;;)
        try {
          return await once(path, options)
        } catch (error) {
          await patience.waitBeforeRetry(error, options.signal)
        }
    },
  }
}
