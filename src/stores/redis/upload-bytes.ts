// The bytes of uploads in Redis, in chunks: no call has more than one of them, so that nobody else waits for an upload.
import { Readable } from 'node:stream'
import { MadhavaError } from '../../core/errors.ts'
import type { UploadBytes } from '../../core/upload-bytes.ts'
import { parseUploadCursor, refuseGap, uploadGone } from '../shared/upload-calls.ts'
import type { Scripts } from './scripts.ts'

const CHUNK_BYTES = 256 * 1024

interface UploadBytesDeps {
  scripts: Scripts
  /** The id in its one form. @throws BAD_ID */
  parseId: (id: string) => string
  /** `uploads`: how many bytes an upload has; null where there is none. */
  sizeOf: (id: string) => Promise<number | null>
  chunkOf: (id: string, number: number) => Promise<Buffer | null>
  /** @throws STORE_FULL, STORE_UNAVAILABLE when Redis has room for running tasks alone */
  forUpload: () => void
}

export const createUploadBytes = (deps: UploadBytesDeps): UploadBytes => {
  const { scripts, parseId, sizeOf, chunkOf, forUpload } = deps

  /** Cuts it off at the offset; the bytes of the last chunk, when that is not full. */
  const cutAt = async (id: string, offset: number): Promise<Buffer> => {
    for (;;) {
      const [found, bytes] = await scripts.runBuffer<[Buffer, Buffer]>('cutUpload', id, offset, CHUNK_BYTES)
      switch (found.toString()) {
        case 'ready':
          return bytes
        case 'behind':
          refuseGap(Number(bytes.toString()), offset)
          break
        case 'broken':
          throw new MadhavaError(
            'STORE_UNAVAILABLE',
            'A part of the upload is lost: write it from its beginning',
          )
      }
    }
  }

  return {
    async write(given, offset, bytes) {
      const id = parseId(given)
      refuseGap(offset, offset)
      forUpload()
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
      let held = (await cutAt(id, offset)).copy(chunk)
      /** What Redis has. */
      let size = offset

      const append = async (): Promise<void> => {
        forUpload()
        const number = Math.floor(size / CHUNK_BYTES)
        const after = number * CHUNK_BYTES + held
        const there = chunk.subarray(0, held)
        if ((await scripts.run<number>('appendUpload', id, number, there, size, after)) === 0)
          throw uploadGone()
        size = after
        if (held === CHUNK_BYTES) held = 0
      }
      const appendRest = async (): Promise<void> => {
        if (held > size % CHUNK_BYTES) await append()
      }
      let appending = false
      try {
        for await (const piece of bytes) {
          const whole = typeof piece === 'string' ? Buffer.from(piece) : (piece as Uint8Array)
          appending = true
          for (let at = 0; at < whole.length; ) {
            const part = whole.subarray(at, at + CHUNK_BYTES - held)
            chunk.set(part, held)
            held += part.length
            at += part.length
            if (held === CHUNK_BYTES) await append()
          }
          appending = false
        }
      } catch (error) {
        // the stream broke off: what has come stays, and whoever writes on need not send it again
        if (!appending) await appendRest().catch(() => {})
        throw error
      }
      await appendRest()
      if ((await sizeOf(id)) !== size) throw uploadGone()
      return size
    },

    async read(given, range) {
      const id = parseId(given)
      const size = await sizeOf(id)
      if (size === null) return null
      const till = Math.min(range?.end ?? size, size)
      const pieces = async function* (): AsyncGenerator<Buffer> {
        for (let at = range?.start ?? 0; at < till; ) {
          const number = Math.floor(at / CHUNK_BYTES)
          const from = at - number * CHUNK_BYTES
          const chunk = await chunkOf(id, number)
          const piece = chunk?.subarray(from, Math.min(CHUNK_BYTES, from + till - at))
          if (!piece || piece.length < Math.min(CHUNK_BYTES - from, till - at))
            throw new MadhavaError('STORE_UNAVAILABLE', 'The bytes have become fewer while they were read')
          yield piece
          at += piece.length
        }
      }
      return {
        bytes: size,
        stream: Readable.from(pieces(), { objectMode: false, highWaterMark: CHUNK_BYTES }),
      }
    },

    size: given => sizeOf(parseId(given)),
    async remove(given) {
      await scripts.run('removeUpload', parseId(given))
    },

    async list({ limit, cursor }) {
      const after = parseUploadCursor(cursor, parseId) ?? ''
      const [ids, sizes] = await scripts.run<[string[], string[]]>('pageUploads', after, limit + 1)
      const taken = ids.slice(0, limit)
      return {
        uploads: taken.map((id, n) => ({ id, bytes: Number(sizes[n]) })),
        next: ids.length > limit ? (taken.at(-1) ?? null) : null,
      }
    },
  }
}
