// The bytes of an upload on their way into the store: counted, hashed, and bounded, in constant memory.
import { createHash } from 'node:crypto'
import { MadhavaError } from './errors.ts'

/** The type is found in so many bytes. */
export const FIRST_BYTES = 4_100

export interface Intake {
  /** The same bytes. @throws UPLOAD_TOO_LARGE; what `took` and the source throw */
  bytes(): AsyncGenerator<Uint8Array>
  /** The first ones that have passed. */
  first(): Uint8Array
  /** In hex, of what has passed; to be called once, at the end. */
  sha256(): string
}

/**
 * @param limit bytes that may pass
 * @param took called with the length of each piece before it passes; it throws when there is no room
 */
export const createIntake = (
  source: AsyncIterable<Uint8Array | string>,
  limit: number,
  took: (bytes: number) => void = () => {},
): Intake => {
  const hash = createHash('sha256')
  const first: Uint8Array[] = []
  let seen = 0
  return {
    async *bytes() {
      for await (const piece of source) {
        const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece
        if (bytes.length === 0) continue
        if (seen + bytes.length > limit) throw new MadhavaError('UPLOAD_TOO_LARGE', tooLarge(limit))
        took(bytes.length)
        if (seen < FIRST_BYTES) first.push(bytes.slice(0, FIRST_BYTES - seen))
        seen += bytes.length
        hash.update(bytes)
        yield bytes
      }
    },
    first: () => Buffer.concat(first),
    sha256: () => hash.digest('hex'),
  }
}

export const tooLarge = (limit: number): string => `One upload may have ${limit} bytes`
