// Cuts a byte stream into whole messages of one protocol and refuses what is malformed or too large.
// It reads lengths and types only, each byte once, and allocates nothing for announced lengths. What passes here can
// be given to generated code, which has no limits of its own. It knows no methods.
import { MadhavaError } from '../core/errors.ts'
import { binaryGrammar } from './binary-grammar.ts'
import { compactGrammar } from './compact-grammar.ts'
import type { Protocol } from './dialect.ts'
import { CALL, type Cursor, type MessageHeader, type Open } from './grammar.ts'
import type { RpcLimits } from './limits.ts'

export type ScanLimits = Pick<RpcLimits, 'messageBytes' | 'nameBytes' | 'depth' | 'elements'>

export interface ScannedMessage extends MessageHeader {
  /** The whole message, header included. Valid until the next push. */
  bytes: Buffer
}

export interface Scanner {
  /**
   * Takes bytes, and yields the messages that are whole now. Use it up before the next push.
   * @throws BAD_REQUEST, BODY_TOO_LARGE; the stream has no next message then
   */
  push(chunk: Buffer): Generator<ScannedMessage, void, void>
  /** Whether a message has begun and is not whole. */
  partial(): boolean
  /** Bytes of the message that has begun. */
  held(): number
  /** The header of the message that has begun, or was refused, when it is known. */
  header(): MessageHeader | null
}

const GRAMMARS = { binary: binaryGrammar, compact: compactGrammar } as const

/** Memory: at most twice the limit of a message, and the chunk that was pushed. */
export const createScanner = (protocol: Protocol, limits: ScanLimits): Scanner => {
  const grammar = GRAMMARS[protocol]
  let buffer: Buffer = Buffer.alloc(0)
  let start = 0 // of the message
  let at = 0
  let end = 0
  let header: MessageHeader | null = null
  let open: Open[] = []
  let value: number | null = null // type of a value that comes next
  let skip = 0

  const append = (chunk: Buffer): void => {
    if (start === end) {
      buffer = chunk
      start = 0
      at = 0
      end = chunk.length
      return
    }
    if (end + chunk.length > buffer.length) {
      const held = end - start
      const size = held + chunk.length
      const target =
        size > buffer.length
          ? Buffer.allocUnsafe(Math.max(1024, size, Math.min(2 * held, limits.messageBytes)))
          : buffer
      buffer.copy(target, 0, start, end)
      buffer = target
      at -= start
      start = 0
      end = held
    }
    chunk.copy(buffer, end)
    end += chunk.length
  }

  const refuse = (reason: string): MadhavaError => new MadhavaError('BAD_REQUEST', reason)
  const here = (bytes: number): boolean => {
    if (at - start + bytes > limits.messageBytes)
      throw new MadhavaError('BODY_TOO_LARGE', `A message may have at most ${limits.messageBytes} bytes`)
    return at + bytes <= end
  }
  const cursor: Cursor = {
    here,
    refuse,
    byte: offset => buffer.readUInt8(at + offset),
    i32: offset => buffer.readInt32BE(at + offset),
    text: (offset, length) => buffer.toString('utf8', at + offset, at + offset + length),
    pass(bytes) {
      at += bytes
    },
    skip(bytes) {
      here(bytes)
      skip = bytes
    },
    enter(opened) {
      if (open.length >= limits.depth) throw refuse(`Values may be nested ${limits.depth} deep`)
      open.push(opened)
    },
    leave() {
      open.pop()
    },
    expect(type) {
      value = type
    },
    count(found) {
      if (found >= 0 && found <= limits.elements) return found
      throw refuse(`A list, set or map has 0 to ${limits.elements} elements`)
    },
  }

  /** The next value of a container. */
  const nextOf = (container: Exclude<Open, 'struct'>): void => {
    if (container.left === 0) open.pop()
    else {
      value = container.types[container.left % 2 === 0 ? 0 : 1]
      container.left -= 1
    }
  }

  /** Goes as far as the bytes reach; true when a message is whole. */
  const advance = (): boolean => {
    for (;;) {
      if (skip > 0) {
        const step = Math.min(skip, end - at)
        at += step
        skip -= step
        if (skip > 0) return false
      }
      if (header === null) {
        const found = grammar.header(cursor, limits.nameBytes)
        if (found === null) return false
        header = { name: found.name, seqid: found.seqid }
        if (found.type !== CALL) throw refuse('Only calls are taken; this message is of another type')
        open = ['struct']
      } else if (value !== null) {
        if (!grammar.value(cursor, value)) return false
        // an empty container or a struct expects nothing yet
        value = null
      } else {
        const innermost = open.at(-1)
        if (!innermost) return true
        if (innermost !== 'struct') nextOf(innermost)
        else if (!grammar.field(cursor)) return false
      }
    }
  }

  return {
    *push(chunk) {
      append(chunk)
      while (start < end && advance()) {
        const bytes = buffer.subarray(start, at)
        const found = header
        start = at
        header = null
        if (found) yield { name: found.name, seqid: found.seqid, bytes }
      }
    },
    partial: () => start < end,
    held: () => end - start,
    header: () => header,
  }
}
