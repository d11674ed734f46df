// What a connection sends, as whole messages. Its first bytes decide the protocol of the whole connection. Frames are
// opened here; the scanner reads what is in them.
import { MadhavaError } from '../core/errors.ts'
import { type Dialect, FIRST_BYTE, FRAME_HEADER_BYTES, type Protocol } from './dialect.ts'
import type { MessageHeader } from './grammar.ts'
import { createScanner, type ScanLimits, type ScannedMessage, type Scanner } from './scanner.ts'

export interface RpcMessage extends ScannedMessage {
  dialect: Dialect
}

export interface Receiver {
  /**
   * Takes bytes, and yields the messages that are whole now. Use it up before the next push.
   * @throws BAD_REQUEST, BODY_TOO_LARGE; the stream has no next message then
   */
  push(chunk: Buffer): Generator<RpcMessage, void, void>
  /** Whether a message has begun and is not whole. */
  partial(): boolean
  /** Bytes that have come of it. */
  held(): number
  /** What a reply needs of the message that has begun, or was refused, when it is known. */
  begun(): (MessageHeader & { dialect: Dialect }) | null
}

const protocolOf = (firstByte: number): Protocol | null => {
  if (firstByte === FIRST_BYTE.binary) return 'binary'
  return firstByte === FIRST_BYTE.compact ? 'compact' : null
}

const refuse = (reason: string): MadhavaError => new MadhavaError('BAD_REQUEST', reason)

/**
 * The protocol of a stream with this beginning; null when it takes more bytes to tell. A frame's length begins with a
 * zero byte, since no message is longer than that. @throws BAD_REQUEST
 */
export const detectDialect = (beginning: Buffer): Dialect | null => {
  const first = beginning[0]
  if (first === undefined) return null
  if (first !== 0) {
    const protocol = protocolOf(first)
    if (protocol) return { protocol, framed: false }
  } else {
    const inside = beginning[FRAME_HEADER_BYTES]
    if (inside === undefined) return null
    const protocol = protocolOf(inside)
    if (protocol) return { protocol, framed: true }
  }
  throw refuse(
    'This port speaks Thrift: binary protocol with strict headers, or compact; buffered or framed transport',
  )
}

/** Opens frames; each holds one message, whole and nothing else. */
const openFrames = (scanner: Scanner, limits: ScanLimits) => {
  const header = Buffer.alloc(FRAME_HEADER_BYTES)
  let headerBytes = 0
  /** Bytes of the frame that have not come. */
  let left = 0

  const readHeader = (chunk: Buffer): number => {
    const taken = chunk.copy(header, headerBytes)
    headerBytes += taken
    if (headerBytes < FRAME_HEADER_BYTES) return taken
    left = header.readUInt32BE()
    if (left === 0) throw refuse('A frame is empty')
    if (left > limits.messageBytes)
      throw new MadhavaError('BODY_TOO_LARGE', `A frame may have at most ${limits.messageBytes} bytes`)
    return taken
  }

  return {
    *push(chunk: Buffer): Generator<ScannedMessage, void, void> {
      for (let at = 0; at < chunk.length; ) {
        if (headerBytes < FRAME_HEADER_BYTES) {
          at += readHeader(chunk.subarray(at))
          continue
        }
        const piece = chunk.subarray(at, at + left)
        at += piece.length
        left -= piece.length
        let whole: ScannedMessage | null = null
        for (const message of scanner.push(piece)) {
          whole = message
          break
        }
        if (whole ? left > 0 || scanner.partial() : left === 0)
          throw refuse('A frame holds one message, whole and nothing else')
        if (!whole) continue
        headerBytes = 0
        yield whole
      }
    },
    partial: () => headerBytes > 0 || scanner.partial(),
  }
}

/** One per connection. */
export const createReceiver = (limits: ScanLimits): Receiver => {
  let beginning: Buffer = Buffer.alloc(0)
  let speaking: { dialect: Dialect; scanner: Scanner; source: Pick<Scanner, 'push' | 'partial'> } | null =
    null

  const listen = (chunk: Buffer): Buffer => {
    beginning = beginning.length === 0 ? chunk : Buffer.concat([beginning, chunk])
    const dialect = detectDialect(beginning)
    if (dialect) {
      const scanner = createScanner(dialect.protocol, limits)
      speaking = { dialect, scanner, source: dialect.framed ? openFrames(scanner, limits) : scanner }
    }
    return beginning
  }

  return {
    *push(chunk) {
      const piece = speaking ? chunk : listen(chunk)
      if (!speaking) return
      const { dialect, source } = speaking
      for (const { name, seqid, bytes } of source.push(piece)) yield { name, seqid, bytes, dialect }
    },
    partial: () => (speaking ? speaking.source.partial() : beginning.length > 0),
    held: () => (speaking ? speaking.scanner.held() : beginning.length),
    begun() {
      const header = speaking?.scanner.header()
      return speaking && header ? { ...header, dialect: speaking.dialect } : null
    },
  }
}
