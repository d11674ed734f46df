// JSON in and out. In: bounded in size and depth before it is parsed. Out: with its length, so that HEAD has it too.
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { MadhavaError } from '../core/errors.ts'
import { parseSoundJson, SUBMIT_LIMIT_BYTES } from '../core/sound-json.ts'
import { turns } from '../core/turns.ts'
import type { ApiContext } from './context.ts'

export const JSON_TYPE = 'application/json'
export const BODY_LIMIT_BYTES = SUBMIT_LIMIT_BYTES

/** Sends text that is JSON already. */
export const sendJsonText = (c: ApiContext, text: string, status: ContentfulStatusCode = 200): Response =>
  c.body(text, status, {
    'Content-Type': JSON_TYPE,
    'Content-Length': String(Buffer.byteLength(text)),
  })

export const sendJson = (c: ApiContext, value: unknown, status: ContentfulStatusCode = 200): Response =>
  sendJsonText(c, JSON.stringify(value), status)

/** The JSON text of a list, a value at a time, so that a long one does not hold up everybody. */
export const listText = async (values: readonly unknown[]): Promise<string> => {
  const texts: string[] = []
  for (const value of values) {
    const text = JSON.stringify(value)
    texts.push(text)
    const pause = turns.spend(1, text.length)
    if (pause) await pause
  }
  return `[${texts.join(',')}]`
}

/** @throws BAD_REQUEST */
export const parseJson = (bytes: Uint8Array): unknown => {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new MadhavaError('BAD_REQUEST', 'The request body is not UTF-8')
  }
  return parseSoundJson(text, 'The request body')
}

const tooLarge = () =>
  new MadhavaError('BODY_TOO_LARGE', `The request body may have at most ${BODY_LIMIT_BYTES} bytes`)

/** JSON in UTF-8, said or left out: JSON has no other encoding between programs, and the bytes are read as it. */
const isJsonType = (header: string): boolean => {
  const [type = '', ...parameters] = header.split(';').map(part => part.trim().toLowerCase())
  const charsets = parameters.filter(parameter => /^charset\s*=/.test(parameter))
  return type === JSON_TYPE && charsets.every(charset => /=\s*("?)utf-?8\1$/.test(charset))
}

/**
 * The bytes of a body, read no further than the limit. Hono's own body limit does not count what all requests together
 * hold, and reads a body before a route has looked at its type.
 * @throws BODY_TOO_LARGE, OVERLOADED */
export const readBody = async (c: ApiContext): Promise<Uint8Array> => {
  const request = c.req.raw
  if (Number(request.headers.get('content-length') ?? 0) > BODY_LIMIT_BYTES) throw tooLarge()
  const parts: Uint8Array[] = []
  let size = 0
  const reader = request.body?.getReader()
  for (;;) {
    const part = await reader?.read()
    if (part === undefined || part.done) return Buffer.concat(parts)
    size += part.value.byteLength
    // the rest is read and dropped by the server: a cancel would end the connection before the answer
    if (size > BODY_LIMIT_BYTES) throw tooLarge()
    if (!c.get('hold').grow(part.value.byteLength))
      throw new MadhavaError(
        'OVERLOADED',
        'The bodies of requests that are under way take as much memory as they may; try again',
      )
    parts.push(part.value)
  }
}

/** The body of a request as JSON. @throws UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE, OVERLOADED, BAD_REQUEST */
export const readJson = async (c: ApiContext): Promise<unknown> => {
  const type = c.req.header('content-type') ?? ''
  if (!isJsonType(type))
    throw new MadhavaError(
      'UNSUPPORTED_MEDIA_TYPE',
      `The body has ${type === '' ? 'no Content-Type' : `the Content-Type ${type.slice(0, 100)}`}: add the header Content-Type: application/json (with curl: -H 'Content-Type: application/json'), and send the body in UTF-8`,
    )
  if (c.req.header('content-encoding') !== undefined)
    throw new MadhavaError(
      'UNSUPPORTED_MEDIA_TYPE',
      'The body has a Content-Encoding: send it as it is, without that header',
    )
  return parseJson(await readBody(c))
}
