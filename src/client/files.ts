// Files over REST: uploads, in one request or in several, and what tasks have made.
import type { ByteStream, CallOptions, ResultOptions } from './byte-stream.ts'
import { isTemporary } from './errors.ts'
import { type FileSource, nameOf, piecesOf, sizeOf } from './file-source.ts'
import { isNode } from './node-parts.ts'
import type { RequestOptions, Requests } from './request.ts'
import { type ResumableOptions, uploadInPieces } from './resumable.ts'
import type { Upload, UploadOptions, UploadPage } from './upload-types.ts'

export interface FileCalls {
  /**
   * Sends a file in one request, which is not repeated: of one that fails nothing stays. `onProgress` counts what the
   * connection has taken; a page is told of the end alone, and can send a stream only where its browser can.
   */
  upload(source: FileSource, options?: UploadOptions): Promise<Upload>
  /**
   * Sends a file in many requests, each of `pieceBytes` (8 MiB by default), and goes on where the upload ends after the
   * server was away. In Node the SHA-256 of what is sent is compared at the end. An upload that fails stays open for a
   * while: with its `id`, which `onProgress` tells, another call goes on with it.
   * @throws RangeError when the upload with that id is longer than the source
   */
  uploadResumable(source: FileSource, options?: ResumableOptions): Promise<Upload>
  readonly uploads: {
    get(id: string, options?: CallOptions): Promise<Upload>
    /** By id. `limit` is 1 to 1000. */
    list(options?: CallOptions & { limit?: number; cursor?: string }): Promise<UploadPage>
    content(id: string, options?: ResultOptions): Promise<ByteStream>
    /** Removes an upload that no task names. */
    remove(id: string, options?: CallOptions): Promise<void>
  }
  /** A file that the task has made, by its name in the record. */
  artifact(task: string, name: string, options?: ResultOptions): Promise<ByteStream>
}

const PIECE_BYTES = 8 * 1024 * 1024
/** Of one request: so much is handed to the connection at a time. */
const CHUNK_BYTES = 256 * 1024
/** What a connection may hold back, and how slow it may be then, bytes a millisecond. */
const HELD_BYTES = 8 * 1024 * 1024
const SLOWEST = 64
/** The same of a page's request, of which nobody says how far it is. */
const SLOWEST_PAGE = 8
/** At the end the server reads all of it once more; so much of it in a millisecond at least. */
const READ_AGAIN = 16 * 1024

const pathOf = (id: string): string => `/uploads/${encodeURIComponent(id)}`
const queryOf = (values: Readonly<Record<string, string | number | null | undefined>>): string =>
  new URLSearchParams(
    Object.entries(values).flatMap(([name, value]): [string, string][] =>
      value === undefined || value === null ? [] : [[name, String(value)]],
    ),
  ).toString()

/** What the connection takes, chunk by chunk. */
const streamOf = (
  chunks: AsyncGenerator<Uint8Array>,
  took: (bytes: number) => void,
): ReadableStream<Uint8Array> =>
  new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next()
        if (done) {
          controller.close()
          return
        }
        controller.enqueue(value)
        took(value.length)
      },
      async cancel() {
        await chunks.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )

/** What the browser sends by itself; null: it has to be a stream. A browser streams over HTTP/2 alone. */
const wholeBody = (source: FileSource): Blob | Uint8Array | string | null =>
  !isNode() && sizeOf(source) !== null ? (source as Blob | Uint8Array | string) : null

export const createFileCalls = (
  requests: Requests,
  json: <T>(path: string, options: RequestOptions) => Promise<T>,
  bytesAt: (path: string, options?: ResultOptions) => Promise<ByteStream>,
): FileCalls => {
  const read = { repeatable: true } as const
  /** Sends the bytes of a source as the body of a request. */
  const sendBody = async (
    path: string,
    {
      source,
      onTook = () => {},
      ...options
    }: RequestOptions & { source: FileSource; onTook?: (bytes: number) => void },
  ): Promise<Upload> => {
    const size = sizeOf(source)
    const whole = wholeBody(source)
    let thrown: { error: unknown } | null = null
    let chunks: AsyncGenerator<Uint8Array> | null = null
    async function* noting(): AsyncGenerator<Uint8Array> {
      try {
        yield* piecesOf(source, CHUNK_BYTES)
      } catch (error) {
        thrown = { error }
        throw error
      }
    }
    try {
      return await json(path, {
        ...options,
        waitMs: Math.ceil(
          whole === null ? Math.min(size ?? HELD_BYTES, HELD_BYTES) / SLOWEST : (size ?? 0) / SLOWEST_PAGE,
        ),
        content: moved => {
          if (whole !== null) return { body: whole }
          const took = (bytes: number): void => {
            moved()
            onTook(bytes)
          }
          chunks = noting()
          return { body: streamOf(chunks, took), ...(size === null ? {} : { length: size }) }
        },
      })
    } catch (error) {
      // of fetch it would be that the request has failed
      if (thrown !== null) throw (thrown as { error: unknown }).error
      throw error
    } finally {
      // fetch does not always tell a stream that it wants no more; a source that is silent answers when it pleases
      void (chunks as AsyncGenerator<Uint8Array> | null)?.return(undefined).catch(() => {})
    }
  }

  return {
    async upload(source, { name = nameOf(source), sha256, signal, onProgress } = {}) {
      const total = sizeOf(source)
      let bytes = 0
      const upload = await sendBody('/uploads', {
        ...{ method: 'POST', query: queryOf({ name, sha256 }), signal, source },
        onTook(more) {
          bytes += more
          onProgress?.({ id: null, bytes, total })
        },
      })
      if (bytes !== upload.bytes) onProgress?.({ id: upload.id, bytes: upload.bytes, total })
      return upload
    },

    uploadResumable: (source, { pieceBytes = PIECE_BYTES, ...options } = {}) => {
      const { signal } = options
      return uploadInPieces(
        {
          ...{ patienceMs: requests.patienceMs, isTemporary },
          begin: ({ name, length }) =>
            json('/uploads', { method: 'POST', query: queryOf({ resumable: 1, name, length }), signal }),
          get: id => json(pathOf(id), { signal }),
          append: (id, offset, bytes) =>
            sendBody(pathOf(id), { method: 'PATCH', query: queryOf({ offset }), signal, source: bytes }),
          finish: ({ id, bytes }, sha256) =>
            json(`${pathOf(id)}/finish`, {
              ...{ method: 'POST', query: queryOf({ sha256 }), signal },
              waitMs: Math.ceil(bytes / READ_AGAIN),
            }),
        },
        source,
        { ...options, pieceBytes },
      )
    },

    uploads: {
      get: (id, { signal } = {}) => json(pathOf(id), { ...read, signal }),
      list: ({ limit, cursor, signal } = {}) =>
        json('/uploads', { ...read, query: queryOf({ limit, cursor }), signal }),
      content: (id, options) => bytesAt(`${pathOf(id)}/content`, options),
      async remove(id, { signal } = {}) {
        await requests.send(pathOf(id), { method: 'DELETE', signal })
      },
    },

    artifact: (task, name, options) =>
      bytesAt(`/task/${encodeURIComponent(task)}/artifacts/${encodeURIComponent(name)}`, options),
  }
}
