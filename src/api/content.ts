// Sends the bytes of a result or a log: streamed, with ranges, at the pace of the client.
import type { Readable } from 'node:stream'
import type { StoredContent } from '../core/content.ts'
import { MadhavaError } from '../core/errors.ts'
import type { Log } from '../platform/log.ts'
import type { ApiContext } from './context.ts'
import { matchesEtag, parseRange } from './request-headers.ts'
import { streamOf } from './streamed-body.ts'

/** Exactly `length` bytes, as announced: a log may have grown meanwhile, or been replaced by a shorter one. */
const chunksOf = async function* (readable: Readable, length: number): AsyncGenerator<Uint8Array> {
  let left = length
  try {
    for await (const chunk of readable) {
      const bytes = Buffer.from(chunk as Uint8Array).subarray(0, left)
      left -= bytes.length
      yield bytes
      if (left === 0) break
    }
  } finally {
    readable.destroy()
  }
  if (left > 0) throw new Error(`${left} of ${length} bytes are missing`)
}

/**
 * @param etag of the task, where a range may be bound to it (If-Range); null for bytes that still grow
 * @throws RANGE_NOT_SATISFIABLE
 */
export const sendContent = async (
  c: ApiContext,
  content: StoredContent,
  etag: string | null,
  log: Log,
): Promise<Response> => {
  c.header('Accept-Ranges', 'bytes')
  if (etag !== null) {
    c.header('ETag', etag)
    if (matchesEtag(c.req.header('if-none-match'), etag)) return c.body(null, 304)
  }
  const ifRange = c.req.header('if-range')
  const asked = c.req.method === 'GET' && (ifRange === undefined || ifRange === etag)
  const range = asked ? parseRange(c.req.header('range'), content.bytes) : null
  if (range === 'unsatisfiable') {
    c.header('Content-Range', `bytes */${content.bytes}`)
    throw new MadhavaError('RANGE_NOT_SATISFIABLE', `The result has ${content.bytes} bytes`)
  }
  const length = range ? range.end - range.start : content.bytes
  const headers: Record<string, string> = {
    'Content-Type': content.contentType,
    'Content-Length': String(length),
  }
  if (range) headers['Content-Range'] = `bytes ${range.start}-${range.end - 1}/${content.bytes}`
  // HEAD has no body to close what would be opened
  if (c.req.method === 'HEAD' || length === 0) return c.body(null, 200, headers)
  const chunks = chunksOf(await content.open(range ?? undefined), length)
  return c.body(await streamOf(chunks, log, c.get('requestId')), range ? 206 : 200, headers)
}
