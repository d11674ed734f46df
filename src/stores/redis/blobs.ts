// Bytes beside a record, in chunks: a version is written under a name of its own, and then takes the place of the one
// before. What a process writes of a task that it holds is refused once another process has taken the task over.
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { MadhavaError } from '../../core/errors.ts'
import type { TaskStore } from '../../core/store.ts'
import { parseBlobName } from '../shared/blob-name.ts'
import { UNFINISHED_MS } from './lua/blobs.ts'
import type { Scripts } from './scripts.ts'

type Range = { start: number; end: number }
export type Blobs = Pick<TaskStore, 'putBlob' | 'getBlob' | 'removeBlob' | 'listBlobs'>

const CHUNK_BYTES = 256 * 1024
/** A source may be slow: what has come of it is kept as long as its writer lives. */
const KEEP_EVERY_MS = UNFINISHED_MS / 4

interface BlobsDeps {
  scripts: Scripts
  instance: string
  /** `blobs:<id>`: version and bytes of each. */
  listed: (id: string) => Promise<Record<string, string>>
  /** A version that is being written stays so long from now on; one that is whole stays anyway. */
  keep: (key: string, ms: number) => Promise<unknown>
  /** Removes a version that will not be finished. */
  unlink: (key: string) => Promise<unknown>
  claimOf: (id: string) => number | null
}

/** Pieces of any size -> pieces of one size, and a rest. */
async function* chunksOf(source: AsyncIterable<Uint8Array | string>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = []
  let size = 0
  for await (const piece of source) {
    const part = Buffer.from(piece as Uint8Array)
    parts.push(part)
    size += part.length
    if (size < CHUNK_BYTES) continue
    const whole = Buffer.concat(parts)
    let start = 0
    for (; whole.length - start >= CHUNK_BYTES; start += CHUNK_BYTES)
      yield whole.subarray(start, start + CHUNK_BYTES)
    const rest = whole.subarray(start)
    parts = rest.length > 0 ? [rest] : []
    size = rest.length
  }
  if (size > 0) yield Buffer.concat(parts)
}

export const createBlobs = ({ scripts, instance, listed, keep, unlink, claimOf }: BlobsDeps): Blobs => {
  /** Chunks go one after another: the source waits for Redis, and Redis is not held up by one blob. */
  const putChunks = async (key: string, source: AsyncIterable<Uint8Array | string>) => {
    let [chunks, bytes] = [0, 0]
    let first: Buffer | null = null
    for await (const chunk of chunksOf(source)) {
      if (chunks === 0) first = chunk
      else {
        if (chunks === 1 && first) await scripts.run('chunk', key, 0, first)
        first = null
        await scripts.run('chunk', key, chunks, chunk)
      }
      chunks += 1
      bytes += chunk.length
    }
    return { chunks, bytes, only: first }
  }

  return {
    async putBlob(id, name, bytes) {
      parseBlobName(name)
      const version = randomBytes(9).toString('base64url')
      const key = `bytes:${id}:${name}:${version}`
      const source =
        bytes instanceof Readable ? bytes : Readable.from([Buffer.from(bytes)], { objectMode: false })
      let written = false
      const keeping = setInterval(() => void keep(key, UNFINISHED_MS).catch(() => {}), KEEP_EVERY_MS)
      keeping.unref()
      try {
        const put = await putChunks(key, source)
        clearInterval(keeping)
        const claim = claimOf(id)
        const outcome = await scripts.run<string>(
          'put',
          id,
          name,
          version,
          put.bytes,
          put.chunks,
          claim ?? '',
          instance,
          ...(put.only ? [put.only] : []),
        )
        if (outcome === 'gone') throw new MadhavaError('TASK_NOT_FOUND')
        if (outcome === 'lost') throw new MadhavaError('CLAIM_LOST')
        if (outcome === 'broken')
          throw new MadhavaError('STORE_UNAVAILABLE', 'A part of the bytes was lost on the way')
        written = true
        return { name, bytes: put.bytes }
      } finally {
        clearInterval(keeping)
        if (!written) unlink(key).catch(() => {})
      }
    },

    async getBlob(id, name, range?: Range) {
      parseBlobName(name)
      const start = range?.start ?? 0
      const end = range?.end ?? Number.MAX_SAFE_INTEGER
      const found = await scripts.runBuffer<[Buffer, Buffer, Buffer] | null>(
        'fetch',
        id,
        name,
        start,
        end,
        CHUNK_BYTES,
      )
      if (found === null) return null
      const [version, size, head] = found
      const bytes = Number(size.toString())
      const till = Math.min(end, bytes)
      const pieces = async function* (): AsyncGenerator<Buffer> {
        for (let at = start; at < till; ) {
          const number = Math.floor(at / CHUNK_BYTES)
          const chunk =
            at === start
              ? head
              : await scripts.runBuffer<Buffer | null>('nextChunk', id, name, version.toString(), number)
          if (!chunk)
            throw new MadhavaError('STORE_UNAVAILABLE', 'The bytes were replaced while they were read')
          const from = at - number * CHUNK_BYTES
          const piece = chunk.subarray(from, Math.min(chunk.length, from + till - at))
          yield piece
          at += piece.length
        }
      }
      return { bytes, stream: Readable.from(pieces(), { objectMode: false }) }
    },

    async removeBlob(id, name) {
      parseBlobName(name)
      const outcome = await scripts.run<string>('drop', id, name, claimOf(id) ?? '', instance)
      if (outcome === 'lost') throw new MadhavaError('CLAIM_LOST')
    },

    async listBlobs(id) {
      return Object.entries(await listed(id)).map(([name, text]) => ({
        name,
        bytes: Number(text.slice(text.lastIndexOf(' ') + 1)),
      }))
    },
  }
}
