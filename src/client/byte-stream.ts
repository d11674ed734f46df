// Answers that are bytes and no JSON: results, logs, files.

/** Options of every call. */
export interface CallOptions {
  signal?: AbortSignal
}

/** A result, a log or a file as a stream. `bytes` is its size; null if the server did not say. */
export interface ByteStream {
  contentType: string
  bytes: number | null
  /** Where the bytes begin in the whole. */
  start: number
  /** The ETag of the whole, for `ifRange`; null if the server did not say. */
  etag: string | null
  stream: ReadableStream<Uint8Array>
  text(): Promise<string>
}

/**
 * Bytes from `start` to `end` (exclusive). With `ifRange`, an ETag, the whole comes if another one has taken its place:
 * `start` of the answer tells.
 */
export type ResultOptions = CallOptions & { range?: { start: number; end?: number }; ifRange?: string }

export const bytesOf = (response: Response): ByteStream => ({
  contentType: response.headers.get('content-type') ?? 'application/octet-stream',
  bytes: response.headers.has('content-length') ? Number(response.headers.get('content-length')) : null,
  start: Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1] ?? 0),
  etag: response.headers.get('etag'),
  // an empty body may be null
  stream: response.body ?? new Response('').body ?? new ReadableStream(),
  text: () => response.text(),
})

/** The headers `Range` and `If-Range`; none when the whole is wanted. */
export const rangeHeaders = ({ range, ifRange }: ResultOptions): Record<string, string> =>
  range
    ? {
        range: `bytes=${range.start}-${range.end === undefined ? '' : range.end - 1}`,
        ...(ifRange === undefined ? {} : { 'if-range': ifRange }),
      }
    : {}
