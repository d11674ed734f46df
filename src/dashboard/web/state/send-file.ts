// Sends a file of the reader's to POST /uploads, in pieces. When the connection breaks, or the server restarts, it asks
// how far it had come and goes on from there, for as long as the reader has patience.
import { passes, patience, waitAfter } from './again-later.ts'
import { get, ProblemError, post, problemIn, remove } from './api.ts'
import { sendPiece } from './send-piece.ts'

/** What the server knows of an upload. */
export interface UploadNote {
  id: string
  name: string | null
  /** So far, while it is open. */
  bytes: number
  /** Found in the bytes; null while it is open. */
  type: string | null
  state: 'open' | 'whole'
  length: number | null
}

export interface SendingState {
  /** Bytes that have gone. */
  sent: number
  /** Why the last try broke off, while the next one is awaited; null: it goes on. */
  broken: ProblemError | null
}

export interface SendOptions {
  /** An upload that was begun with the same file, to go on with. */
  known?: string | null
  /** The upload is there: its id, before any bytes. */
  begun?: (id: string) => void
  told: (state: SendingState) => void
  signal: AbortSignal
  /** Fires `now` to try again without waiting. */
  now?: EventTarget
}

/** What breaks is sent again from its beginning at most: the server keeps what has come. */
const PIECE_BYTES = 8 * 1024 ** 2
/** The server reads all of it to make the digest. */
const FINISH_MS = 600_000
/** The server may still hold what a broken request began, or may have got more than it could tell. */
const UNSETTLED: readonly string[] = ['UPLOAD_BUSY', 'UPLOAD_OFFSET', 'UPLOAD_OPEN']

const addressOf = (id: string): string => `/api/uploads/${encodeURIComponent(id)}`

/** A folder, a file that is gone, or one that was changed since it was chosen, cannot be read. @throws FILE_UNREADABLE */
const demandReadable = async (file: File): Promise<void> => {
  try {
    await file.slice(0, 1).arrayBuffer()
  } catch {
    throw new ProblemError({ code: 'FILE_UNREADABLE', status: 0, detail: file.name })
  }
}

/** @returns the note of the whole upload @throws ProblemError, and the signal's reason */
export const sendFile = async (file: File, options: SendOptions): Promise<UploadNote> => {
  const { begun, told, signal, now } = options
  let id = options.known ?? null
  let sent = 0
  let isSure = id === null
  let fails = 0

  const begin = async (): Promise<string> => {
    const query = { resumable: '1', length: file.size, name: file.name.slice(0, 255) }
    const made = await post<UploadNote>('/api/uploads', { query, signal })
    begun?.(made.id)
    return made.id
  }
  /** Null: bytes are missing. */
  const findOut = async (known: string): Promise<UploadNote | null> => {
    const note = await get<UploadNote>(addressOf(known), { signal })
    sent = note.bytes
    isSure = true
    return note.state === 'whole' ? note : null
  }
  const goOn = async (): Promise<UploadNote> => {
    id ??= await begin()
    const whole = isSure ? null : await findOut(id)
    if (whole) return whole
    const path = addressOf(id)
    while (sent < file.size) {
      const from = sent
      const piece = file.slice(from, from + PIECE_BYTES)
      const answer = await sendPiece(
        `${path}?offset=${from}`,
        piece,
        bytes => told({ sent: from + Math.min(bytes, piece.size), broken: null }),
        signal,
      )
      sent = (JSON.parse(answer) as UploadNote).bytes
      fails = 0
      told({ sent, broken: null })
    }
    return post<UploadNote>(`${path}/finish`, { signal, timeoutMs: FINISH_MS })
  }

  await demandReadable(file)
  for (;;) {
    try {
      return await goOn()
    } catch (error) {
      signal.throwIfAborted()
      const problem = problemIn(error)
      if (!passes(problem) && !UNSETTLED.includes(problem.code)) throw problem
      await demandReadable(file)
      fails += 1
      isSure = id === null
      if (problem.offset !== null) [sent, isSure] = [problem.offset, problem.offset < file.size]
      told({ sent, broken: problem })
      await patience(waitAfter(fails), signal, now)
    }
  }
}

/** Nobody needs it any more. What cannot be removed now, the server removes by itself later. */
export const dropUpload = (id: string): void => void remove(addressOf(id)).catch(() => undefined)

/** @throws ProblemError */
export const getUpload = (id: string, signal: AbortSignal): Promise<UploadNote> =>
  get<UploadNote>(addressOf(id), { signal })
