// Sends one GET over a connection that is there, and gives the answer once its headers are.
import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { codings } from './body.ts'
import { codeText, ParseError } from './parse-error.ts'
import { withSignal } from './with-signal.ts'

/** The name that robots.txt calls us by, and our version of the request. */
export const AGENT = 'Madhava'
export const USER_AGENT = `${AGENT}/0`

const MAX_HEADER_BYTES = 32 * 1024
/** Answers before the answer, such as 103 Early Hints. */
const MAX_INFORMATIONAL = 10

/** An error of Node's while a request or an answer is on its way. */
export const asParseError = (error: unknown): ParseError => {
  if (error instanceof ParseError) return error
  const text = codeText(error)
  if (text.startsWith(' (HPE_HEADER_OVERFLOW'))
    return new ParseError(
      'PARSE_RESPONSE',
      `the headers of the answer are larger than ${MAX_HEADER_BYTES} bytes`,
    )
  if (text.startsWith(' (HPE_') && !text.includes('EOF'))
    return new ParseError('PARSE_RESPONSE', `the answer is not HTTP${text}`)
  if (text.startsWith(' (Z_') || text.startsWith(' (ERR__ERROR') || text.startsWith(' (ERR_BROTLI'))
    return new ParseError('PARSE_ENCODING', `the compressed body is broken${text}`)
  return new ParseError('PARSE_CUT', `the connection ended before the answer did${text}`)
}

export interface Answer {
  response: IncomingMessage
  /** What the connection has failed with so far, or null. */
  failure(): unknown
}

/**
 * No cookie, no authorization and no referrer is ever sent.
 * @throws PARSE_RESPONSE, PARSE_CUT; the signal's reason
 */
export const get = async (url: URL, socket: Socket, signal: AbortSignal): Promise<Answer> => {
  let failure: unknown = null
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    let informational = 0
    const request = httpRequest({
      // over TLS too: the socket is ready
      createConnection: () => socket,
      method: 'GET',
      path: `${url.pathname}${url.search}`,
      setHost: false,
      headers: {
        host: url.host,
        'user-agent': USER_AGENT,
        accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.1',
        'accept-encoding': codings().join(', '),
        connection: 'close',
      },
      maxHeaderSize: MAX_HEADER_BYTES,
      insecureHTTPParser: false,
    })
    const refuse = (message: string): void => {
      // before it is destroyed: its end would say less
      reject(new ParseError('PARSE_RESPONSE', message))
      socket.destroy()
    }
    request.on('information', () => {
      informational += 1
      if (informational > MAX_INFORMATIONAL) refuse('there are too many answers before the answer')
    })
    request.on('upgrade', () => refuse('the host changed to another protocol'))
    // also after the answer: what is wrong in the body is said here, and the body only breaks off
    request.on('error', error => {
      failure ??= error
      reject(error)
    })
    request.on('close', () => reject(new ParseError('PARSE_CUT', 'the connection ended without an answer')))
    request.on('response', resolve)
    request.end()
  })
  try {
    return { response: await withSignal(answer, signal), failure: () => failure }
  } catch (error) {
    signal.throwIfAborted()
    throw asParseError(error)
  }
}
