// The bytes of an upload on their way into the store: counted, hashed, and bounded, in constant memory.
import { createByteDigest } from './byte-digest.ts'
import { MadhavaError } from './errors.ts'

export interface Intake {
  /** The same bytes. @throws UPLOAD_TOO_LARGE; what `took` and the source throw */
  bytes(): AsyncGenerator<Uint8Array>
  /** Of what has passed, `sha256` in hex; to be called once, at the end. */
  end(): { bytes: number; sha256: string; first: Uint8Array }
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
  const digest = createByteDigest()
  return {
    async *bytes() {
      for await (const piece of source) {
        const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece
        if (bytes.length === 0) continue
        if (digest.bytes() + bytes.length > limit) throw new MadhavaError('UPLOAD_TOO_LARGE', tooLarge(limit))
        took(bytes.length)
        digest.add(bytes)
        yield bytes
      }
    },
    end: digest.end,
  }
}

export const tooLarge = (limit: number): string => `One upload may have ${limit} bytes`
