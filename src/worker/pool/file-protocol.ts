// The messages about files between a run in its thread and the worker process. Bytes go in pieces, in both directions
// alike, and only as many are on the way as the window of a stream holds.
import type { Artifact } from '../../core/kind.ts'

/** The most bytes of one piece. */
export const PIECE_BYTES = 128 * 1024
/** The most bytes of one stream that are sent and not yet taken. */
export const WINDOW_BYTES = 512 * 1024
/** How many artifacts of a run are written at a time; further ones wait. */
export const ARTIFACTS_AT_ONCE = 4

/** An error on its way to the thread. */
export interface CallError {
  code: string
  message: string
  detail: unknown
}

/** What the worker process knows of an upload. */
export interface UploadNote {
  name: string | null
  bytes: number
  type: string
  sha256: string
}

type BytesMessage =
  | { type: 'piece'; call: number; bytes: Uint8Array }
  /** From the receiver: so many bytes have left its buffer. */
  | { type: 'taken'; call: number; bytes: number }
  | { type: 'end'; call: number }
  /** From the sender: no more will come, and that was not all. From the receiver: it wants no more. */
  | { type: 'broken'; call: number; error: CallError | null }

export type FileFromThread =
  | BytesMessage
  | { type: 'keep'; call: number; name: string; mediaType: string | null }
  | { type: 'find'; call: number; id: string }
  | { type: 'read'; call: number; id: string; start: number; end: number }
  /** The folder of the attempt is about to be made. */
  | { type: 'scratch' }

export type FileToThread =
  | BytesMessage
  | { type: 'kept'; call: number; answer: Artifact | CallError }
  | { type: 'found'; call: number; answer: UploadNote | CallError }
