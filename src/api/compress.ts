// Packs answers with gzip for clients that ask for it, where it pays: texts of a kilobyte and more, whole ones. Event
// streams are never packed, since a packer keeps back what should arrive at once; nor is what can be asked for by
// ranges, whose length and places are those of the bytes as they are.
import { pipeline, Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import type { MiddlewareHandler } from 'hono'
import type { Log } from '../platform/log.ts'
import type { ApiEnv } from './context.ts'
import { weightOf } from './request-headers.ts'
import { streamOf } from './streamed-body.ts'

const PACKED = /^(?:application\/(?:json|x-ndjson)|text\/(?:plain|html|css|javascript))(?:;|$)/
/** Below, the head of a packed answer and the time cost more than the bytes that are saved. */
const LEAST_BYTES = 1024

const takesGzip = (header: string | undefined): boolean => {
  const bounded = (header ?? '').slice(0, 2048)
  return (weightOf(bounded, 'gzip') ?? weightOf(bounded, '*') ?? 0) > 0
}

/** The bytes packed. When the reader leaves, what they come from is left at once: web streams of Node 20 read on. */
const gzipped = async function* (body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = Readable.fromWeb(body as never)
  // the quickest: most of what there is to gain, for a third of the time
  const gzip = createGzip({ level: 1 })
  // what fails on the way fails in the loop
  pipeline(source, gzip, () => undefined)
  try {
    for await (const part of gzip) yield part as Uint8Array
  } finally {
    source.destroy()
    gzip.destroy()
  }
}

export const compress =
  (log: Log): MiddlewareHandler<ApiEnv> =>
  async (c, next) => {
    await next()
    const { status, body, headers } = c.res
    const packable = PACKED.test(headers.get('content-type') ?? '')
    // also where it is sent as it is, so that a cache keeps the two apart
    if (packable || status === 304) c.header('Vary', 'Accept-Encoding', { append: true })
    const length = headers.get('content-length')
    if (!packable || status !== 200 || body === null || c.req.method === 'HEAD') return
    if (
      headers.has('content-encoding') ||
      headers.has('accept-ranges') ||
      (length !== null && Number(length) < LEAST_BYTES)
    )
      return
    if (!takesGzip(c.req.header('accept-encoding'))) return
    const packed = new Headers(headers)
    packed.delete('content-length')
    packed.set('content-encoding', 'gzip')
    packed.set('vary', c.res.headers.get('vary') ?? 'Accept-Encoding')
    // the same task in other bytes
    const etag = headers.get('etag')
    if (etag !== null && !etag.startsWith('W/')) packed.set('etag', `W/${etag}`)
    const text = await streamOf(gzipped(body), log, c.get('requestId'))
    c.res = undefined
    c.res = new Response(text, { status, headers: packed })
  }
