// Where the bytes of an upload come from, read piece by piece.

/** In Node, `openAsBlob` of node:fs makes a Blob of a file without reading it; a stream of node:fs will do as well. */
export type FileSource =
  | Blob
  | Uint8Array
  | string
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>

const encoder = new TextEncoder()
const toBytes = (piece: Uint8Array | string): Uint8Array =>
  typeof piece === 'string' ? encoder.encode(piece) : piece

const isBlob = (source: FileSource): source is Blob => typeof Blob !== 'undefined' && source instanceof Blob

/** Bytes; null where only the end tells. */
export const sizeOf = (source: FileSource): number | null => {
  if (typeof source === 'string') return encoder.encode(source).length
  if (source instanceof Uint8Array) return source.length
  return isBlob(source) ? source.size : null
}

/** What a file of a page is called. */
export const nameOf = (source: FileSource): string | undefined =>
  isBlob(source) && 'name' in source && typeof source.name === 'string' ? source.name : undefined

/** Not every browser iterates over a stream. */
async function* readThrough(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader()
  let isOver = false
  try {
    for (;;) {
      const { done, value } = await reader.read()
      isOver = done
      if (done) return
      yield value
    }
  } finally {
    // who stops early wants no more of it
    if (!isOver) await reader.cancel().catch(() => {})
    reader.releaseLock()
  }
}

const asItComes = (source: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string>) =>
  'getReader' in source ? readThrough(source) : source

/** What comes is gathered, and cut into pieces of this size. */
async function* regrouped(
  source: AsyncIterable<Uint8Array | string>,
  pieceBytes: number,
): AsyncGenerator<Uint8Array> {
  let piece = new Uint8Array(pieceBytes)
  let held = 0
  for await (const given of source) {
    const bytes = toBytes(given)
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + pieceBytes - held)
      piece.set(part, held)
      held += part.length
      at += part.length
      if (held < pieceBytes) continue
      yield piece
      piece = new Uint8Array(pieceBytes)
      held = 0
    }
  }
  if (held > 0) yield piece.subarray(0, held)
}

/** The same bytes in pieces of `pieceBytes`, of which only the last may be shorter. One is in memory at a time. */
export async function* piecesOf(source: FileSource, pieceBytes: number): AsyncGenerator<Uint8Array> {
  if (!Number.isSafeInteger(pieceBytes) || pieceBytes < 1)
    throw new RangeError('A piece has a whole number of bytes, 1 or more')
  if (typeof source === 'string' || source instanceof Uint8Array) {
    const bytes = toBytes(source)
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
  } else if (isBlob(source))
    for (let at = 0; at < source.size; at += pieceBytes)
      yield new Uint8Array(await source.slice(at, at + pieceBytes).arrayBuffer())
  else yield* regrouped(asItComes(source), pieceBytes)
}
