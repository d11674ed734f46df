// Cuts a byte stream into whole messages of Thrift's binary protocol and refuses what is malformed or too large.
// It reads lengths and types only, each byte once, and takes no memory for what is announced: what passes here
// can be handed to generated code, which has no limits of its own. It knows no methods.
import { MadhavaError } from '../core/errors.ts'
import type { RpcLimits } from './limits.ts'

export type ScanLimits = Pick<RpcLimits, 'messageBytes' | 'nameBytes' | 'depth' | 'elements'>

/** What a reply needs of a call. */
export interface MessageHeader {
  name: string
  seqid: number
}

export interface RpcMessage extends MessageHeader {
  /** The whole message, header included. Valid until the next push. */
  bytes: Buffer
}

export interface Scanner {
  /**
   * Takes bytes, and yields the messages that are whole now. Use it up before the next push.
   * @throws BAD_REQUEST, BODY_TOO_LARGE; the stream has no next message then
   */
  push(chunk: Buffer): Generator<RpcMessage, void, void>
  /** Whether a message has begun and is not whole. */
  partial(): boolean
  /** The header of the message that has begun, or was refused, when it is known. */
  header(): MessageHeader | null
}

const TYPE = { stop: 0, string: 11, struct: 12, map: 13, set: 14, list: 15 } as const
/** Bytes of the types that have one size: bool, i8, double, i16, i32, i64, uuid. */
const SIZES: Readonly<Record<number, number>> = { 2: 1, 3: 1, 4: 8, 6: 2, 8: 4, 10: 8, 16: 16 }
const CALL = 1
const VERSION_1 = 0x8001

/** What is open at one depth: a struct, or so many more values of a container, whose types alternate. */
type Frame = 'struct' | { types: readonly [number, number]; left: number }

/** One per connection. Memory: at most twice the limit of a message, and the chunk that was pushed. */
export const createScanner = (limits: ScanLimits): Scanner => {
  let buffer: Buffer = Buffer.alloc(0)
  let start = 0 // of the message
  let at = 0
  let end = 0
  let header: MessageHeader | null = null
  let open: Frame[] = []
  let value: number | null = null // type of a value that comes next
  let skip = 0

  const refuse = (reason: string): MadhavaError => new MadhavaError('BAD_REQUEST', reason)

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

  /** Whether the next bytes are here. @throws BODY_TOO_LARGE, before they are, when they cannot fit */
  const here = (bytes: number): boolean => {
    if (at - start + bytes > limits.messageBytes)
      throw new MadhavaError('BODY_TOO_LARGE', `A message may have at most ${limits.messageBytes} bytes`)
    return at + bytes <= end
  }

  const skipNext = (bytes: number): void => {
    here(bytes)
    skip = bytes
  }

  const readHeader = (): boolean => {
    if (end > at && buffer[at] !== VERSION_1 >> 8)
      throw refuse('This port speaks Thrift: binary protocol with strict headers, unframed')
    if (!here(8)) return false
    if (buffer.readUInt16BE(at) !== VERSION_1) throw refuse('The version of the binary protocol must be 1')
    const length = buffer.readInt32BE(at + 4)
    if (length < 0 || length > limits.nameBytes)
      throw refuse(`The name of a method has 0 to ${limits.nameBytes} bytes`)
    if (!here(8 + length + 4)) return false
    header = {
      name: buffer.toString('utf8', at + 8, at + 8 + length),
      seqid: buffer.readInt32BE(at + 8 + length),
    }
    if (buffer[at + 3] !== CALL) throw refuse('Only calls are taken; this message is of another type')
    at += 8 + length + 4
    return true
  }

  const enter = (frame: Frame): void => {
    if (open.length >= limits.depth) throw refuse(`Values may be nested ${limits.depth} deep`)
    open.push(frame)
  }

  const readCount = (offset: number): number => {
    const count = buffer.readInt32BE(offset)
    if (count >= 0 && count <= limits.elements) return count
    throw refuse(`A list, set or map has 0 to ${limits.elements} elements`)
  }

  /** The beginning of a value; false when more bytes are needed. */
  const readValue = (type: number): boolean => {
    const size = SIZES[type]
    if (size !== undefined) {
      skipNext(size)
    } else if (type === TYPE.string) {
      if (!here(4)) return false
      const length = buffer.readInt32BE(at)
      if (length < 0) throw refuse('A string has a negative length')
      at += 4
      skipNext(length)
    } else if (type === TYPE.struct) {
      enter('struct')
    } else if (type === TYPE.list || type === TYPE.set) {
      if (!here(5)) return false
      const element = buffer.readUInt8(at)
      const count = readCount(at + 1)
      at += 5
      const elementSize = SIZES[element]
      if (elementSize === undefined) enter({ types: [element, element], left: count })
      else skipNext(elementSize * count)
    } else if (type === TYPE.map) {
      if (!here(6)) return false
      const types = [buffer.readUInt8(at), buffer.readUInt8(at + 1)] as const
      const count = readCount(at + 2)
      at += 6
      // `left` counts keys and values: while it is even, a key comes next
      enter({ types, left: 2 * count })
    } else {
      throw refuse(`There is no type ${type}`)
    }
    return true
  }

  /** The next field or element of what is open; false when more bytes are needed. */
  const readNext = (frame: Frame): boolean => {
    if (frame !== 'struct') {
      if (frame.left === 0) open.pop()
      else {
        value = frame.types[frame.left % 2 === 0 ? 0 : 1]
        frame.left -= 1
      }
      return true
    }
    if (!here(1)) return false
    const type = buffer.readUInt8(at)
    if (type === TYPE.stop) {
      at += 1
      open.pop()
      return true
    }
    if (!here(3)) return false
    at += 3
    value = type
    return true
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
        if (!readHeader()) return false
        open = ['struct']
      } else if (value !== null) {
        const type = value
        value = null
        if (!readValue(type)) {
          value = type
          return false
        }
      } else {
        const frame = open.at(-1)
        if (!frame) return true
        if (!readNext(frame)) return false
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
        if (found) yield { ...found, bytes }
      }
    },
    partial: () => start < end,
    header: () => header,
  }
}
