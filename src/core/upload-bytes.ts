// Port, a part of the store: the bytes of uploads. Who may have them, and how long, is decided above (core/uploads.ts).
// test/suites/upload-bytes.ts defines its meaning and runs on every adapter.
import type { Readable } from 'node:stream'

export interface StoredUpload {
  id: string
  bytes: number
}

export interface UploadBytes {
  /**
   * Writes what the stream brings from `offset` on, in constant memory; what stood there and behind it is gone.
   * Resolves with the size when all of it is durable. If the stream fails, what had come before may stay, as `size`
   * tells. One writer of an upload at a time: the caller sees to it.
   * @throws BAD_ID, BAD_REQUEST when `offset` is behind the end, UPLOAD_NOT_FOUND when it is removed meanwhile,
   * STORE_FULL, STORE_UNAVAILABLE; what the stream throws
   */
  write(id: string, offset: number, bytes: Readable): Promise<number>
  /** Bytes `start` to `end` (exclusive), or all of them; null when there are none. @throws BAD_ID */
  read(
    id: string,
    range?: { start: number; end: number },
  ): Promise<{ bytes: number; stream: Readable } | null>
  /** Null when there is nothing. @throws BAD_ID */
  size(id: string): Promise<number | null>
  /** All of it. Nothing happens when there is nothing. @throws BAD_ID */
  remove(id: string): Promise<void>
  /**
   * One page, in an order of the adapter's. What is written or removed between two pages may be in them or not.
   * @throws BAD_CURSOR
   */
  list(page: {
    limit: number
    cursor: string | null
  }): Promise<{ uploads: StoredUpload[]; next: string | null }>
}
