// The types of uploads, for both clients.

/** A file that somebody has sent, for tasks to read: params name it as `{ $upload: id }`. Times are ISO-8601. */
export interface Upload {
  id: string
  /** As the client called it. */
  name: string | null
  /** So far, while it is open. */
  bytes: number
  /** A media type, found in the bytes; null while it is open, as is the SHA-256. */
  type: string | null
  /** In hex. */
  sha256: string | null
  /** `open`: bytes still come; `whole`: tasks may name it. */
  state: 'open' | 'whole'
  /** How many bytes were announced; null: that is not known. */
  length: number | null
  /** The id of the account that made it. */
  owner: string | null
  createdAt: string
  /** When it goes if no task names it until then; null: tasks name it, and it goes with the last one. */
  expiresAt: string | null
}

export interface UploadPage {
  uploads: Upload[]
  /** Continues after this page; null at the end. A page may be short and not the last. */
  next: string | null
}

/** How far an upload is. */
export interface UploadProgress {
  /** Null in an upload of one request, which has none before it ends. */
  id: string | null
  bytes: number
  /** Null: only the end of the source tells. */
  total: number | null
}

export interface UploadOptions {
  /** What the file is called, for people; that of a `File` by default. */
  name?: string
  /** SHA-256 of all bytes, in hex, if it is known: other bytes are refused. */
  sha256?: string
  signal?: AbortSignal
  onProgress?: (progress: UploadProgress) => void
}
