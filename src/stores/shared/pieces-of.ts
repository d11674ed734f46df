// A stream of bytes in the pieces of an export. No I/O of its own.
import type { Readable } from 'node:stream'
import { CHUNK_BYTES } from './export-format.ts'

/**
 * Pieces of `CHUNK_BYTES` and a rest, one piece at least. `what` names it to people.
 * @throws Error when the stream has another size
 */
export async function* piecesOf(
  what: string,
  size: number,
  stream: Readable,
): AsyncGenerator<{ offset: number; bytes: Buffer }> {
  let offset = 0
  let pending = Buffer.alloc(0)
  for await (const chunk of stream) {
    pending = Buffer.concat([pending, chunk as Uint8Array])
    while (pending.length >= CHUNK_BYTES) {
      yield { offset, bytes: pending.subarray(0, CHUNK_BYTES) }
      pending = pending.subarray(CHUNK_BYTES)
      offset += CHUNK_BYTES
    }
  }
  if (offset + pending.length !== size) throw new Error(`${what} changed while it was read`)
  if (pending.length > 0 || size === 0) yield { offset, bytes: pending }
}
