// Why a page could not be fetched: a code for programs, a sentence for people. No address is in it: a client must not
// learn from it what a name means inside this network.

/** Every code, and what it says. docs/parse.md has the same list. */
export const PARSE_CODES = {
  PARSE_URL: 'the URL, or one that a redirect names, is not one that may be fetched',
  PARSE_REFUSED: 'the host has an address that is not public, and PARSE_ALLOW does not name it',
  PARSE_NO_HOST: 'there is no host of this name',
  PARSE_UNREACHABLE: 'the host does not take a connection',
  PARSE_TLS: 'TLS failed, for instance for a certificate that is not valid',
  PARSE_REDIRECTS: 'there are more than 10 redirects, or they go round in a circle',
  PARSE_RESPONSE: 'what came is not HTTP, or its headers are too large',
  PARSE_ENCODING: 'the body is compressed in a way that is not known, or is broken',
  PARSE_CUT: 'the connection ended before the answer did',
  PARSE_TIMEOUT: 'it took longer than timeoutSeconds',
  PARSE_ROBOTS: 'robots.txt disallows the page',
  PARSE_ROBOTS_UNKNOWN: 'robots.txt could not be read',
} as const
export type ParseCode = keyof typeof PARSE_CODES

/** What may go well at another time. */
export const RETRYABLE: readonly ParseCode[] = [
  'PARSE_UNREACHABLE',
  'PARSE_CUT',
  'PARSE_TIMEOUT',
  'PARSE_ROBOTS_UNKNOWN',
]

/** `code` is for `retryOn`. */
export class ParseError extends Error {
  readonly code: ParseCode
  constructor(code: ParseCode, message: string) {
    super(message)
    this.name = 'ParseError'
    this.code = code
  }
}

/** The code of an error of Node, in brackets, or nothing. */
export const codeText = (error: unknown): string => {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? ` (${code})` : ''
}
