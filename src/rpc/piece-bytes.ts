// Bytes of a result, a log or a file, as many as one reply may have.
import type { StoredContent } from '../core/content.ts'
import { toRange } from './arguments.ts'

/** At most `length` bytes from the byte `offset`; none at the end. @throws BAD_REQUEST, RANGE_NOT_SATISFIABLE */
export const pieceOf = async (content: StoredContent, offset: unknown, length: unknown): Promise<Buffer> => {
  const range = toRange(offset, length, content.bytes)
  if (range.start === range.end) return Buffer.alloc(0)
  const pieces: Buffer[] = []
  for await (const piece of await content.open(range)) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}
