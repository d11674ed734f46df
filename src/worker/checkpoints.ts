// Checkpoints of one task, kept beside its record: a hash, then the kind's data. A damaged one counts as none.
import { createHash } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { BLOBS } from '../core/content.ts'
import type { TaskStore } from '../core/store.ts'
import { createThrottledWriter } from './throttled-writer.ts'

const EVERY_MS = 2_000
const HASH_BYTES = 32
const MAX_BYTES = 64 * 1024 * 1024 + HASH_BYTES

const hashOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

export interface Checkpoints {
  /** The last checkpoint; null if there is none or it is damaged. @throws when the store cannot be read */
  read(): Promise<Uint8Array | null>
  save(bytes: Uint8Array): void
  /** Writes what is still pending. Never rejects. */
  flush(): Promise<void>
  /** Removes the stored checkpoint. @throws when the store cannot be written */
  remove(): Promise<void>
}

export const createCheckpoints = (deps: {
  store: TaskStore
  id: string
  failed: (error: unknown) => void
}): Checkpoints => {
  const { store, id } = deps
  let exists = false
  const writer = createThrottledWriter<Uint8Array>({
    everyMs: EVERY_MS,
    failed: deps.failed,
    async write(bytes) {
      exists = true
      await store.putBlob(id, BLOBS.checkpoint, Buffer.concat([hashOf(bytes), bytes]))
    },
  })
  return {
    async read() {
      const blob = await store.getBlob(id, BLOBS.checkpoint)
      if (!blob) return null
      exists = true
      if (blob.bytes <= HASH_BYTES || blob.bytes > MAX_BYTES) {
        blob.stream.destroy()
        return null
      }
      const whole = await buffer(blob.stream)
      const bytes = whole.subarray(HASH_BYTES)
      return hashOf(bytes).equals(whole.subarray(0, HASH_BYTES)) ? new Uint8Array(bytes) : null
    },
    save: bytes => writer.offer(bytes),
    flush: () => writer.flush(),
    async remove() {
      await writer.stop()
      if (exists) await store.removeBlob(id, BLOBS.checkpoint)
    },
  }
}
