// The memory store's bytes of uploads.
import { Readable } from 'node:stream'
import type { UploadBytes } from '../../core/upload-bytes.ts'
import { parseUploadCursor, refuseGap, uploadGone } from '../shared/upload-calls.ts'

interface Stored {
  pieces: Buffer[]
  bytes: number
}
export type StoredUploads = Map<string, Stored>

interface UploadBytesDeps {
  stored: StoredUploads
  /** The id in its one form. @throws BAD_ID */
  parseId: (id: string) => string
  /** @throws STORE_UNAVAILABLE once the store is closed */
  open: () => void
}

const partOf = ({ pieces }: Stored, start: number, end: number): Buffer[] => {
  let at = 0
  return pieces.flatMap(piece => {
    const part = piece.subarray(Math.max(0, start - at), Math.max(0, end - at))
    at += piece.length
    // the reader may write over what it is given
    return part.length > 0 ? [Buffer.from(part)] : []
  })
}

export const createUploadBytes = ({ stored, parseId, open }: UploadBytesDeps): UploadBytes => {
  const find = (given: string): Stored | undefined => {
    open()
    return stored.get(parseId(given))
  }
  return {
    async write(given, offset, bytes) {
      const before = find(given)
      const id = parseId(given)
      refuseGap(before?.bytes ?? null, offset)
      const made: Stored = { pieces: before ? partOf(before, 0, offset) : [], bytes: offset }
      stored.set(id, made)
      for await (const piece of bytes) {
        const copy = Buffer.from(piece as Uint8Array)
        made.pieces.push(copy)
        made.bytes += copy.length
      }
      if (stored.get(id) !== made) throw uploadGone()
      return made.bytes
    },
    async read(given, range) {
      const whole = find(given)
      if (!whole) return null
      const parts = partOf(whole, range?.start ?? 0, range?.end ?? whole.bytes)
      return { bytes: whole.bytes, stream: Readable.from(parts, { objectMode: false }) }
    },
    size: async given => find(given)?.bytes ?? null,
    async remove(given) {
      open()
      stored.delete(parseId(given))
    },
    async list({ limit, cursor }) {
      open()
      const after = parseUploadCursor(cursor, parseId)
      const ids = [...stored.keys()].sort().filter(id => after === null || id > after)
      const page = ids.slice(0, limit)
      return {
        uploads: page.map(id => ({ id, bytes: stored.get(id)?.bytes ?? 0 })),
        next: ids.length > limit ? (page.at(-1) ?? null) : null,
      }
    },
  }
}
