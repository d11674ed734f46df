// The memory store's blobs: bytes in a map beside each task. Knows nothing of records or claims.
import { Readable } from 'node:stream'
import { MadhavaError } from '../../core/errors.ts'
import type { TaskStore } from '../../core/store.ts'
import { parseBlobName } from '../shared/blob-name.ts'

export type TaskBlobs = Map<string, Buffer>
export type BlobCalls = Pick<TaskStore, 'putBlob' | 'getBlob' | 'removeBlob' | 'listBlobs'>

const collect = async (bytes: Uint8Array | Readable): Promise<Buffer> => {
  if (bytes instanceof Uint8Array) return Buffer.from(bytes)
  const parts: Buffer[] = []
  for await (const part of bytes) parts.push(Buffer.from(part as Uint8Array | string))
  return Buffer.concat(parts)
}

/** `blobsOf` gives a task's blobs, undefined when there is no such task. @throws BAD_ID, STORE_UNAVAILABLE */
export const createBlobCalls = (blobsOf: (id: string) => TaskBlobs | undefined): BlobCalls => {
  const mustHave = (id: string): TaskBlobs => {
    const blobs = blobsOf(id)
    if (blobs) return blobs
    throw new MadhavaError('TASK_NOT_FOUND')
  }
  return {
    async putBlob(id, name, bytes) {
      parseBlobName(name)
      mustHave(id)
      const whole = await collect(bytes)
      // anew: the task may have gone while the bytes came
      mustHave(id).set(name, whole)
      return { name, bytes: whole.length }
    },
    async getBlob(id, name, range) {
      parseBlobName(name)
      const blob = blobsOf(id)?.get(name)
      if (!blob) return null
      // a copy: what the reader does with its bytes is its own business
      const part = Buffer.from(range ? blob.subarray(range.start, range.end) : blob)
      return { bytes: blob.length, stream: Readable.from([part], { objectMode: false }) }
    },
    async removeBlob(id, name) {
      parseBlobName(name)
      blobsOf(id)?.delete(name)
    },
    async listBlobs(id) {
      return [...(blobsOf(id) ?? [])].map(([name, { length }]) => ({ name, bytes: length }))
    },
  }
}
