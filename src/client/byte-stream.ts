// Answers that are bytes and no JSON: results, logs, files.

/** Options of every call. */
export interface CallOptions {
  signal?: AbortSignal
}

/** A result, a log or a file as a stream. `bytes` is its size; null if the server did not say. */
export interface ByteStream {
  contentType: string
  bytes: number | null
  stream: ReadableStream<Uint8Array>
  text(): Promise<string>
}

/** Bytes from `start` to `end` (exclusive). */
export type ResultOptions = CallOptions & { range?: { start: number; end?: number } }

export const bytesOf = (response: Response): ByteStream => ({
  contentType: response.headers.get('content-type') ?? 'application/octet-stream',
  bytes: response.headers.has('content-length') ? Number(response.headers.get('content-length')) : null,
  // an empty body may be null
  stream: response.body ?? new Response('').body ?? new ReadableStream(),
  text: () => response.text(),
})

/** The header `Range`; none when the whole is wanted. */
export const rangeHeader = (range: ResultOptions['range']): { range?: string } =>
  range ? { range: `bytes=${range.start}-${range.end === undefined ? '' : range.end - 1}` } : {}
