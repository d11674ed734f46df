// A part of an open file as a stream that closes the file, read or not. A file that has become shorter is an error, and
// never a shorter stream.
import type { FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { MadhavaError } from '../../../core/errors.ts'

const PIECE_BYTES = 256 * 1024

/** Bytes `start` to `end` (exclusive). The stream fails with STORE_UNAVAILABLE, and with what the file system says. */
export const readRange = (handle: FileHandle, start: number, end: number): Readable => {
  let at = start
  const next = async (): Promise<Buffer | null> => {
    if (at >= end) return null
    const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, end - at))
    const { bytesRead } = await handle.read(piece, 0, piece.length, at)
    if (bytesRead === 0)
      throw new MadhavaError('STORE_UNAVAILABLE', 'The bytes have become fewer while they were read')
    at += bytesRead
    return piece.subarray(0, bytesRead)
  }
  return new Readable({
    highWaterMark: PIECE_BYTES,
    read() {
      next().then(
        piece => this.push(piece),
        (error: Error) => this.destroy(error),
      )
    },
    destroy(error, done) {
      handle.close().then(
        () => done(error),
        (failed: Error) => done(error ?? failed),
      )
    },
  })
}
