// What a kind hands over as the content of an artifact, as bytes.
import { types } from 'node:util'
import { MadhavaError } from '../../core/errors.ts'
import type { ArtifactContent } from '../../core/kind.ts'
import { PIECE_BYTES } from '../pool/file-protocol.ts'

const CHARACTERS = 32 * 1024
const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff

const refused = (what: string): MadhavaError =>
  new MadhavaError(
    'ARTIFACT_REFUSED',
    `The content of an artifact is bytes, a text, or a stream of them: ${what}`,
  )

/** Texts as UTF-8, in short parts. Half a character at the end of one text waits for the next one. */
const createTextEncoder = () => {
  const encoder = new TextEncoder()
  let half = ''
  return {
    *encode(text: string): Generator<Uint8Array> {
      for (let at = 0; at < text.length; at += CHARACTERS) {
        const part = half + text.slice(at, at + CHARACTERS)
        const isCut = isHighSurrogate(part.charCodeAt(part.length - 1))
        half = isCut ? part.slice(-1) : ''
        yield encoder.encode(isCut ? part.slice(0, -1) : part)
      }
    },
    *rest(): Generator<Uint8Array> {
      const last = half
      half = ''
      if (last !== '') yield encoder.encode(last)
    },
  }
}

export interface ContentBytes {
  /** @throws what the content throws; ARTIFACT_REFUSED when a part is neither bytes nor a text */
  bytes: AsyncIterable<Uint8Array>
  /** No more is wanted: lets go of what the content has open. Never rejects and never throws. */
  close(): void
}

type Parts = AsyncIterator<unknown> | Iterator<unknown>

const iteratorOf = (content: unknown): Parts | null => {
  if (typeof content !== 'object' || content === null) return null
  const parts = content as Partial<AsyncIterable<unknown> & Iterable<unknown>>
  return parts[Symbol.asyncIterator]?.() ?? parts[Symbol.iterator]?.() ?? null
}

const closeParts = (content: unknown, parts: Parts): void => {
  const { destroy } = content as { destroy?: () => void }
  try {
    // the iterator of a stream would wait for the next piece first
    if (typeof destroy === 'function') destroy.call(content)
    else void Promise.resolve(parts.return?.()).catch(() => {})
  } catch {
    // nothing can be done for a content that cannot be closed
  }
}

/** @throws ARTIFACT_REFUSED when it is nothing of the kind */
export const bytesOfContent = (content: ArtifactContent): ContentBytes => {
  const text = createTextEncoder()
  async function* whole(): AsyncGenerator<Uint8Array> {
    if (typeof content === 'string') {
      yield* text.encode(content)
      yield* text.rest()
    } else yield own
  }
  const given: unknown = content
  // a small one is often a buffer that is used again at once
  const own = types.isUint8Array(given)
    ? given.length <= PIECE_BYTES
      ? new Uint8Array(given)
      : given
    : new Uint8Array()
  if (typeof given === 'string' || types.isUint8Array(given)) return { bytes: whole(), close() {} }
  const parts = iteratorOf(given)
  if (parts === null) throw refused('it is something else')
  async function* streamed(from: Parts): AsyncGenerator<Uint8Array> {
    for (;;) {
      const { done, value } = await from.next()
      if (done) break
      const part: unknown = await value
      if (typeof part === 'string') yield* text.encode(part)
      else if (types.isUint8Array(part)) {
        yield* text.rest()
        yield part
      } else throw refused('a part of it is something else')
    }
    yield* text.rest()
  }
  return { bytes: streamed(parts), close: () => closeParts(given, parts) }
}
