// Sends a file that somebody has made, so that it can do no harm in a browser: as a download, of exactly the type that
// it is said to have, and without any rights where it is opened all the same.
import type { StoredContent } from '../core/content.ts'
import type { Log } from '../platform/log.ts'
import { sendContent } from './content.ts'
import type { ApiContext } from './context.ts'
import type { Operation } from './operation.ts'
import { PART } from './task.ts'

/** Of the same bytes, always the same one. */
const ETAG = { ETag: 'the SHA-256 of the bytes' }

export const FILE_ANSWERS: Operation['answers'] = {
  200: {
    description: 'The bytes.',
    headers: {
      ...ETAG,
      'Accept-Ranges': 'bytes',
      'Content-Disposition': 'that it is to be saved, and under which name',
    },
    content: { '*/*': null },
  },
  206: {
    description: 'The range that was asked for.',
    headers: { ...ETAG, ...PART },
    content: { '*/*': null },
  },
  304: { description: 'Not changed.', headers: ETAG },
}
export const FILE_HEADERS = {
  Range: 'a range of bytes',
  'If-Range': 'serve the range only while this ETag is the current one',
  'If-None-Match': 'ETags that are known: 304 when the bytes have not changed',
}

/** Nothing may be loaded, run or sent by it, and it is of no origin. */
const POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"

const ASCII = /[^A-Za-z0-9._ -]/g
/** RFC 5987: what is no plain character as %XX. */
const encoded = (name: string): string =>
  encodeURIComponent(name).replace(
    /['()*]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )

/** `attachment` with the name, for old clients in ASCII, as RFC 6266 has it. A path is cut to its last part. */
export const dispositionOf = (given: string): string => {
  const name = given.split(/[/\\]/).at(-1)?.replace(/^\.+/, '').trim() || 'file'
  const plain = name.replace(ASCII, '_')
  return `attachment; filename="${plain}"${plain === name ? '' : `; filename*=UTF-8''${encoded(name)}`}`
}

/** @throws RANGE_NOT_SATISFIABLE */
export const sendFile = async (
  c: ApiContext,
  content: StoredContent & { sha256: string },
  name: string,
  log: Log,
): Promise<Response> => {
  c.header('Content-Disposition', dispositionOf(name))
  c.header('Content-Security-Policy', POLICY)
  c.header('X-Content-Type-Options', 'nosniff')
  c.header('Cross-Origin-Resource-Policy', 'same-origin')
  return sendContent(c, content, `"${content.sha256}"`, log)
}
