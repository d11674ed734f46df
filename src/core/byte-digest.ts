// What is to be known of bytes that pass by: how many, their SHA-256, and the first of them, in which their type is found.
import { createHash } from 'node:crypto'

/** As many as the type is found in. */
export const FIRST_BYTES = 4_100

export interface ByteDigest {
  add(piece: Uint8Array): void
  /** So far. */
  bytes(): number
  /** To be called once. `sha256` in hex. */
  end(): { bytes: number; sha256: string; first: Uint8Array }
}

export const createByteDigest = (): ByteDigest => {
  const hash = createHash('sha256')
  const first: Uint8Array[] = []
  let bytes = 0
  return {
    add(piece) {
      // a copy: a part of a Buffer would share, and keep, the memory of the whole
      if (bytes < FIRST_BYTES) first.push(new Uint8Array(piece.subarray(0, FIRST_BYTES - bytes)))
      bytes += piece.length
      hash.update(piece)
    },
    bytes: () => bytes,
    end: () => ({ bytes, sha256: hash.digest('hex'), first: Buffer.concat(first) }),
  }
}
