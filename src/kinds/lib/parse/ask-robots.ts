// Asks the robots.txt of each origin once whether a page may be fetched, through the same guard as the page.
import { type FetchOptions, fetchPage } from './fetch-page.ts'
import { ParseError } from './parse-error.ts'
import { AGENT } from './request.ts'
import { readRobots } from './robots.ts'

/** RFC 9309 asks for at least these. */
const MAX_BYTES = 500 * 1024
const MAX_REDIRECTS = 5

/**
 * A check for `onHop`: a file that is missing (4xx) allows all; one that cannot be read (5xx, no connection) nothing.
 * @throws PARSE_ROBOTS, PARSE_ROBOTS_UNKNOWN, PARSE_REFUSED; the signal's reason
 */
export const askRobots = (
  options: Pick<FetchOptions, 'guard' | 'resolve' | 'signal'>,
): ((url: URL) => Promise<void>) => {
  const known = new Map<string, (path: string) => boolean>()
  const read = async (origin: string): Promise<(path: string) => boolean> => {
    const { status, body } = await fetchPage(new URL('/robots.txt', origin), {
      ...options,
      maxBytes: MAX_BYTES,
      maxRedirects: MAX_REDIRECTS,
      wantsBody: ({ statusCode = 0 }) => statusCode >= 200 && statusCode < 300,
    })
    if (status >= 400 && status < 500) return () => true
    if (body === null) throw new ParseError('PARSE_ROBOTS_UNKNOWN', `robots.txt answered with ${status}`)
    return readRobots(new TextDecoder().decode(body.bytes), AGENT)
  }
  return async url => {
    let allows = known.get(url.origin)
    if (allows === undefined) {
      try {
        allows = await read(url.origin)
      } catch (error) {
        options.signal.throwIfAborted()
        if (!(error instanceof ParseError) || ['PARSE_REFUSED', 'PARSE_ROBOTS_UNKNOWN'].includes(error.code))
          throw error
        throw new ParseError('PARSE_ROBOTS_UNKNOWN', `robots.txt could not be read: ${error.message}`)
      }
      known.set(url.origin, allows)
    }
    if (!allows(`${url.pathname}${url.search}`))
      throw new ParseError('PARSE_ROBOTS', 'robots.txt disallows the page')
  }
}
