// One upload in many calls: pieces in order, each until it has come, over breaks of the connection. What the calls are
// is for the door to know, so that REST and Thrift share this.
import { type FileSource, nameOf, piecesOf, sizeOf } from './file-source.ts'
import { createDigest } from './node-parts.ts'
import { createPatience } from './patience.ts'
import type { Upload, UploadOptions } from './upload-types.ts'

export interface ResumableOptions extends UploadOptions {
  /** Bytes of one piece, which is in memory while it is sent. */
  pieceBytes?: number
  /** Goes on with an open upload, such as one of an earlier run; the source is read from its beginning all the same. */
  id?: string
}

/** Calls of one try each. */
export interface UploadDoor {
  begin(wish: { name: string | undefined; length: number | null }): Promise<Upload>
  get(id: string): Promise<Upload>
  append(id: string, offset: number, bytes: Uint8Array): Promise<Upload>
  finish(whole: { id: string; bytes: number }, sha256: string | null): Promise<Upload>
  /** How long the server may be away, milliseconds; each piece that comes begins a new count. */
  patienceMs: number
  /** Whether the same call may succeed a little later. */
  isTemporary(error: unknown): boolean
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : null)
/** Where the upload ends, if the error says so. */
const offsetIn = (error: unknown): number | null => {
  const { offset } = ((error as { problem?: unknown }).problem ?? {}) as { offset?: unknown }
  return typeof offset === 'number' ? offset : null
}

/** @throws what the calls and the source throw; the reason of the signal */
export const uploadInPieces = async (
  door: UploadDoor,
  source: FileSource,
  {
    name = nameOf(source),
    id,
    sha256,
    signal,
    onProgress,
    pieceBytes,
  }: ResumableOptions & { pieceBytes: number },
): Promise<Upload> => {
  const mayPass = (error: unknown): boolean =>
    door.isTemporary(error) || ['UPLOAD_BUSY', 'UPLOAD_OFFSET'].includes(String(codeOf(error)))
  const persist = async <T>(call: () => Promise<T>): Promise<T> => {
    const patience = createPatience(door.patienceMs, mayPass)
    for (;;)
      try {
        signal?.throwIfAborted()
        return await call()
      } catch (error) {
        await patience.waitBeforeRetry(error, signal)
      }
  }

  const total = sizeOf(source)
  // a begin whose answer is lost leaves an upload of no bytes, which goes by itself
  const upload = await persist(() => (id === undefined ? door.begin({ name, length: total }) : door.get(id)))
  if (upload.state === 'whole') return upload
  let ends = upload.bytes
  const tell = (): void => onProgress?.({ id: upload.id, bytes: ends, total })

  /** From where the upload ends to the end of the piece. */
  const send = async (start: number, piece: Uint8Array): Promise<void> => {
    const end = start + piece.length
    const patience = createPatience(door.patienceMs, mayPass)
    while (ends < end)
      try {
        signal?.throwIfAborted()
        const { bytes } = await door.append(upload.id, ends, piece.subarray(ends - start))
        if (bytes !== end) throw new Error(`The server says ${bytes} where the upload ends at ${end}`)
        ends = bytes
      } catch (error) {
        // the answer was lost, or a part has come
        let now = offsetIn(error)
        if (now === null || now <= ends) {
          await patience.waitBeforeRetry(error, signal)
          now ??= (await persist(() => door.get(upload.id))).bytes
        }
        // somebody else writes it
        if (now < start || now > end) throw error
        if (now > ends) patience.reset()
        ends = now
      }
  }

  const digest = sha256 === undefined ? createDigest() : null
  let at = 0
  tell()
  for await (const piece of piecesOf(source, pieceBytes)) {
    digest?.update(piece)
    if (ends < at + piece.length) {
      await send(at, piece)
      tell()
    }
    at += piece.length
  }
  if (ends > at) throw new RangeError(`The upload has ${ends} bytes, and the source has ${at}`)
  const expected = sha256 ?? digest?.hex() ?? null
  return persist(() => door.finish({ id: upload.id, bytes: at }, expected))
}
