// A child process that writes an upload in requests of its own size, from wherever it ends, until it is killed.
import { Readable } from 'node:stream'
import type { RoleContext } from './store-roles.ts'

export interface UploadLine {
  /** So many bytes were acknowledged. */
  durable?: number
}

/** The byte at a place of the upload: a mixture of places shows. */
export const uploadByte = (at: number): number => (at * 31 + Math.floor(at / 251)) % 256
export const uploadBytes = (start: number, end: number): Buffer => {
  const bytes = Buffer.allocUnsafe(end - start)
  for (let at = start; at < end; at += 1) bytes[at - start] = uploadByte(at)
  return bytes
}

const PIECE = 40_000
const REQUEST = 8 * PIECE

export const uploadsRole = async (
  { store, tell, signal }: RoleContext,
  { id }: { id: string },
): Promise<void> => {
  while (!signal.aborted) {
    const start = (await store.uploads.size(id)) ?? 0
    const pieces = function* () {
      for (let at = start; at < start + REQUEST; at += PIECE) yield uploadBytes(at, at + PIECE)
    }
    tell({ durable: await store.uploads.write(id, start, Readable.from(pieces())) } satisfies UploadLine)
  }
}
