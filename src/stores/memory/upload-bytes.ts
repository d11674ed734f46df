// The memory store's bytes of uploads.
import { Readable } from 'node:stream'
import { MadhavaError } from '../../core/errors.ts'
import type { UploadBytes } from '../../core/upload-bytes.ts'

export type StoredUploads = Map<string, Buffer>

/** `parseId` gives the id in its one form. @throws BAD_ID */
export const createUploadBytes = (byId: StoredUploads, parseId: (id: string) => string): UploadBytes => {
  return {
    async write(given, offset, bytes) {
      const id = parseId(given)
      let whole: Buffer = byId.get(id) ?? Buffer.alloc(0)
      if (offset > whole.length)
        throw new MadhavaError('BAD_REQUEST', `The upload ends at ${whole.length}, before ${offset}`)
      whole = whole.subarray(0, offset)
      byId.set(id, whole)
      for await (const piece of bytes) {
        whole = Buffer.concat([whole, Buffer.from(piece as Uint8Array)])
        byId.set(id, whole)
      }
      return whole.length
    },
    async read(given, range) {
      const whole = byId.get(parseId(given))
      if (!whole) return null
      const part = Buffer.from(range ? whole.subarray(range.start, range.end) : whole)
      return { bytes: whole.length, stream: Readable.from([part], { objectMode: false }) }
    },
    size: async given => byId.get(parseId(given))?.length ?? null,
    remove: async given => void byId.delete(parseId(given)),
    async list({ limit, cursor }) {
      const ids = [...byId.keys()].sort().filter(id => cursor === null || id > cursor)
      const page = ids.slice(0, limit)
      return {
        uploads: page.map(id => ({ id, bytes: byId.get(id)?.length ?? 0 })),
        next: ids.length > limit ? (page.at(-1) ?? null) : null,
      }
    },
  }
}
