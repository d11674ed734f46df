// Fetches one URL over its redirects. Each hop is a connection of its own, checked anew.
import type { IncomingMessage } from 'node:http'
import { type Body, readBody } from './body.ts'
import { connect } from './connect.ts'
import type { Guard } from './guard.ts'
import { ParseError } from './parse-error.ts'
import { asParseError, get } from './request.ts'
import { addressesOf, type Resolve } from './resolve.ts'

export interface Redirect {
  url: string
  status: number
}

export interface Fetched {
  url: URL
  status: number
  headers: IncomingMessage['headers']
  /** Hops before the last, in order. */
  redirects: Redirect[]
  /** Null: it was not wanted. */
  body: Body | null
  /** Milliseconds of the last hop. */
  timing: { dnsMs: number; connectMs: number; firstByteMs: number; downloadMs: number }
}

export type Stage = 'resolving' | 'connecting' | 'waiting' | 'receiving'

export interface FetchOptions {
  guard: Guard
  resolve: Resolve
  signal: AbortSignal
  /** Of the body. */
  maxBytes: number
  maxRedirects: number
  /** Whether to read the body of this answer. */
  wantsBody(response: IncomingMessage): boolean
  /** Before each hop. What it throws ends the fetch. */
  onHop?(url: URL): Promise<void>
  /** `share` of 0 to 1 while it receives and the size is known. */
  onStage?(stage: Stage, url: URL, share?: number): void
}

const REDIRECTS = [301, 302, 303, 307, 308]

/** Node reads headers as Latin-1; what servers write there is UTF-8 if it can be. */
const headerText = (value: string): string => {
  const bytes = Buffer.from(value, 'latin1')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return value
  }
}

/** Null: no redirect. @throws PARSE_URL for a Location that is no URL */
const redirectOf = (response: IncomingMessage, from: URL): URL | null => {
  const { location } = response.headers
  if (!REDIRECTS.includes(response.statusCode ?? 0) || location === undefined || location === '') return null
  const text = headerText(location)
  if (!URL.canParse(text, from.href)) throw new ParseError('PARSE_URL', 'a redirect names no URL')
  const target = new URL(text, from)
  // the part of the page is inherited (RFC 9110, 10.2.2)
  if (target.hash === '') target.hash = from.hash
  return target
}

const lengthOf = (response: IncomingMessage): number | null => {
  const length = Number(response.headers['content-length'] ?? Number.NaN)
  return Number.isSafeInteger(length) && length > 0 ? length : null
}

type Hop = Omit<Fetched, 'redirects' | 'body'> & { next: URL | null; body: Body | null }

const hop = async (url: URL, options: FetchOptions): Promise<Hop> => {
  const { guard, signal, maxBytes, onStage } = options
  const begun = performance.now()
  onStage?.('resolving', url)
  const addresses = await addressesOf(url, options)
  const resolved = performance.now()
  onStage?.('connecting', url)
  const { socket, end } = await connect(url, { addresses, guard, signal })
  const stop = (): void => void socket.destroy()
  signal.addEventListener('abort', stop)
  try {
    const connected = performance.now()
    onStage?.('waiting', url)
    const { response, failure } = await get(url, socket, signal)
    const answered = performance.now()
    const next = redirectOf(response, url)
    const wanted = next === null && options.wantsBody(response)
    const length = lengthOf(response)
    const onBytes = (bytes: number): void =>
      onStage?.(
        'receiving',
        url,
        length === null ? undefined : Math.min(1, bytes / Math.min(length, maxBytes)),
      )
    const body = wanted
      ? await readBody(response, { maxBytes, onBytes, signal }).catch((error: unknown) => {
          throw asParseError(error instanceof ParseError ? error : (failure() ?? error))
        })
      : null
    return {
      url,
      status: response.statusCode ?? 0,
      headers: response.headers,
      next,
      body,
      timing: {
        dnsMs: resolved - begun,
        connectMs: connected - resolved,
        firstByteMs: answered - connected,
        downloadMs: performance.now() - answered,
      },
    }
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
    await end()
  }
}

/**
 * @throws PARSE_URL, PARSE_REFUSED, PARSE_NO_HOST, PARSE_UNREACHABLE, PARSE_TLS, PARSE_REDIRECTS, PARSE_RESPONSE,
 * PARSE_ENCODING, PARSE_CUT; what `onHop` throws; the signal's reason
 */
export const fetchPage = async (start: URL, options: FetchOptions): Promise<Fetched> => {
  const redirects: Redirect[] = []
  const seen = new Set<string>()
  for (let url = start; ; ) {
    options.guard.checkUrl(url)
    const asked = new URL(url)
    asked.hash = ''
    if (seen.has(asked.href)) throw new ParseError('PARSE_REDIRECTS', 'the redirects go round in a circle')
    seen.add(asked.href)
    await options.onHop?.(url)
    const { next, ...rest } = await hop(url, options)
    if (next === null) return { ...rest, redirects }
    if (redirects.length === options.maxRedirects)
      throw new ParseError('PARSE_REDIRECTS', `there are more than ${options.maxRedirects} redirects`)
    redirects.push({ url: url.href, status: rest.status })
    url = next
  }
}
