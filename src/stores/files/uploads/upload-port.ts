// Uploads as the port has them: errors of the disk become fit for clients, those of the stream stay as they are.
import type { Readable } from 'node:stream'
import type { UploadBytes } from '../../../core/upload-bytes.ts'

type Pieces = AsyncIterable<Uint8Array | string>
export interface FileUploads extends Omit<UploadBytes, 'write'> {
  write(id: string, offset: number, bytes: Pieces): Promise<number>
}

const noting = (bytes: Readable) => {
  let failure: { error: unknown } | null = null
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* bytes
    } catch (error) {
      failure = { error }
      throw error
    }
  }
  return { pieces, failure: () => failure }
}

/** `run`: wraps every call of the store, and changes errors with the code of a system call. */
export const uploadPort = (
  uploads: FileUploads,
  run: <T>(work: () => Promise<T>) => Promise<T>,
): UploadBytes => ({
  async write(id, offset, bytes) {
    const { pieces, failure } = noting(bytes)
    try {
      return await run(() => uploads.write(id, offset, pieces()))
    } catch (error) {
      // a client that went away says ECONNRESET, which is nothing of the disk's
      throw failure() ? failure()?.error : error
    }
  },
  read: (...asked) => run(() => uploads.read(...asked)),
  size: id => run(() => uploads.size(id)),
  remove: id => run(() => uploads.remove(id)),
  list: page => run(() => uploads.list(page)),
})
