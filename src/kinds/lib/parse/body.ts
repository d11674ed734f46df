// Reads the body of an answer, decompressed, up to a limit: neither an endless body nor a bomb gets further.
import type { IncomingMessage } from 'node:http'
import { Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import zlib from 'node:zlib'
import { ParseError } from './parse-error.ts'

export interface Body {
  bytes: Buffer
  /** The body goes on, here or where it was compressed. */
  truncated: boolean
}

const { BROTLI_OPERATION_FLUSH, Z_SYNC_FLUSH } = zlib.constants
/** What there is at the end is given, also when the compressed bytes were cut. */
const GZIP = { finishFlush: Z_SYNC_FLUSH }
/** Node has it from 22.15 on. */
const zstd = (zlib as { createZstdDecompress?: () => Transform }).createZstdDecompress

/** For Accept-Encoding. */
export const codings = (): string[] => ['gzip', 'deflate', 'br', ...(zstd === undefined ? [] : ['zstd'])]

/** Some servers send deflate without the header of zlib (RFC 1950). */
const isZlib = (first: Buffer): boolean =>
  ((first[0] ?? 0) & 0x0f) === 8 && (((first[0] ?? 0) << 8) | (first[1] ?? 0)) % 31 === 0

const decoderOf = (coding: string, first: Buffer): Transform => {
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return zlib.createGunzip(GZIP)
    case 'deflate':
      return isZlib(first) ? zlib.createInflate(GZIP) : zlib.createInflateRaw(GZIP)
    case 'br':
      return zlib.createBrotliDecompress({ finishFlush: BROTLI_OPERATION_FLUSH })
    case 'zstd':
      if (zstd !== undefined) return zstd()
  }
  throw new ParseError('PARSE_ENCODING', 'the body has a content-encoding that is not known')
}

/** At most one: several, one in another, only serve to unpack without end. */
const codingOf = (response: IncomingMessage): string | null => {
  const [coding, ...more] = (response.headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map(text => text.trim())
    .filter(text => text !== '' && text !== 'identity')
  if (more.length > 0) throw new ParseError('PARSE_ENCODING', 'the body is compressed more than once')
  return coding ?? null
}

/**
 * @param maxBytes of the body, both as it comes and decompressed
 * @param onBytes hears how many bytes have come
 * @throws PARSE_ENCODING; what the connection throws
 */
export const readBody = async (
  response: IncomingMessage,
  { maxBytes, onBytes, signal }: { maxBytes: number; onBytes: (bytes: number) => void; signal: AbortSignal },
): Promise<Body> => {
  const coding = codingOf(response)
  const kept: Buffer[] = []
  let keptBytes = 0
  let came = 0
  let truncated = false
  /** Whether there is room for more. */
  const keep = (chunk: Buffer): boolean => {
    const room = maxBytes - keptBytes
    truncated ||= chunk.length > room
    kept.push(chunk.subarray(0, room))
    keptBytes += Math.min(room, chunk.length)
    return !truncated
  }
  const arriving = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      const room = maxBytes - came
      came += chunk.length
      onBytes(came)
      if (room > 0) yield chunk.subarray(0, room)
      if (chunk.length > room) {
        truncated = true
        return
      }
    }
  }
  const source = arriving()
  try {
    const first = await source.next()
    if (first.done) return { bytes: Buffer.alloc(0), truncated }
    const all = async function* (): AsyncGenerator<Buffer> {
      yield first.value
      yield* source
    }
    const store = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
      for await (const chunk of chunks) if (!keep(chunk)) return
    }
    if (coding === null) await store(all())
    else
      await pipeline(Readable.from(all()), decoderOf(coding, first.value), store, { signal }).catch(
        (error: unknown) => {
          // it was left in the middle
          if (!truncated || signal.aborted) throw error
        },
      )
    return { bytes: Buffer.concat(kept), truncated }
  } finally {
    response.destroy()
  }
}
