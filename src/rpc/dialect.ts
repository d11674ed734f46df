// The four ways of speaking Thrift that are accepted, and the library's reading and writing sides for them: over bytes
// that are there already, into bytes that are handed on when they are whole. No sockets.
import { isUtf8 } from 'node:buffer'
import thrift from 'thrift'
import { MadhavaError } from '../core/errors.ts'

export type Protocol = 'binary' | 'compact'

export interface Dialect {
  protocol: Protocol
  /** Whether each message is in a frame: four bytes with its length go before it. */
  framed: boolean
}

export const FRAME_HEADER_BYTES = 4

/** The first byte of a message. */
export const FIRST_BYTE = { binary: 0x80, compact: 0x82 } as const

const over = (transport: object, protocol: Protocol): thrift.TProtocol =>
  protocol === 'compact'
    ? new thrift.TCompactProtocol(transport as thrift.TTransport)
    : new thrift.TBinaryProtocol(transport as thrift.TTransport, true, true)

/** Gets the bytes of a message. `whole`: false when a second message was begun behind a part of the first. */
export type OnMessage = (bytes: Buffer, whole: boolean) => void

const NOTHING: Buffer = Buffer.alloc(0)
const FIRST_BYTES = 512

/**
 * A buffer that grows. The library makes one for every number, which is most of the cost of a small reply. `beginning`:
 * bytes that are left free for a header.
 */
const createBytes = (beginning: number) => {
  let bytes: Buffer = Buffer.allocUnsafe(FIRST_BYTES)
  let at = beginning
  /** Makes room for `length` bytes at the end and returns its offset. Call it before `bytes` is read. */
  const reserve = (length: number): number => {
    const begin = at
    at += length
    if (at > bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * bytes.length, at))
      bytes.copy(larger, 0, 0, begin)
      bytes = larger
    }
    return begin
  }
  return {
    /** All that was written; it is not held any longer. */
    take(): Buffer {
      const taken = bytes.subarray(0, at)
      bytes = NOTHING
      at = 0
      return taken
    },
    piece(piece: Uint8Array) {
      const begin = reserve(piece.length)
      bytes.set(piece, begin)
    },
    i8(value: number) {
      const begin = reserve(1)
      bytes[begin] = value & 0xff
    },
    i16(value: number) {
      const begin = reserve(2)
      bytes.writeInt16BE(value, begin)
    },
    i32(value: number) {
      const begin = reserve(4)
      bytes.writeInt32BE(value, begin)
    },
    text(value: string, length: number) {
      const begin = reserve(length)
      bytes.write(value, begin, 'utf8')
    },
  }
}

/** The writing side of one message. */
export const createOutput = ({ protocol: name, framed }: Dialect, onMessage: OnMessage): thrift.TProtocol => {
  const written = createBytes(framed ? FRAME_HEADER_BYTES : 0)
  let begun = 0
  const protocol = over(
    {
      write: written.piece,
      setCurrSeqId: () => undefined,
      flush() {
        const bytes = written.take()
        if (framed) bytes.writeUInt32BE(bytes.length - FRAME_HEADER_BYTES)
        onMessage(bytes, begun === 1)
      },
    },
    name,
  )
  const writeMessageBegin = protocol.writeMessageBegin.bind(protocol)
  return Object.assign(protocol, {
    writeByte: written.i8,
    writeMessageBegin(method: string, type: number, seqid: number) {
      begun += 1
      if (begun === 1) writeMessageBegin(method, type, seqid)
    },
    ...(name === 'binary' && {
      writeI16: written.i16,
      writeI32: written.i32,
      writeString(value: unknown) {
        if (typeof value !== 'string') throw new TypeError('a text is wanted')
        const length = Buffer.byteLength(value)
        written.i32(length)
        written.text(value, length)
      },
    }),
  })
}

/** The reading side of one message after another. */
export interface Input {
  protocol: thrift.TProtocol
  /** Reads from these bytes from now on: a whole message that the scanner has passed. */
  begin(bytes: Buffer): void
}

/** Texts are never altered: bytes that are not UTF-8 are refused, not replaced. */
export const createInput = (name: Protocol): Input => {
  let bytes = NOTHING
  let at = 0
  /** Where a value begins; moves the cursor behind it. */
  const take = (length: number): number => {
    const begin = at
    at += length
    if (at > bytes.length) throw new Error('generated code reads beyond the message')
    return begin
  }
  const transport = {
    read: (length: number) => Buffer.from(bytes.subarray(take(length), at)),
    readByte: () => bytes.readInt8(take(1)),
    readI16: () => bytes.readInt16BE(take(2)),
    readI32: () => bytes.readInt32BE(take(4)),
    readDouble: () => bytes.readDoubleBE(take(8)),
    readString(length: number) {
      const text = bytes.subarray(take(length), at)
      if (!isUtf8(text)) throw new MadhavaError('BAD_REQUEST', 'A text is not UTF-8')
      return text.toString('utf8')
    },
  }
  const protocol = Object.assign(over(transport, name), {
    // the library refuses bytes that are not a UUID of a known version, even in a field that it only skips
    readUuid: () => transport.read(16).toString('hex'),
  })
  return {
    protocol,
    begin(message) {
      // a message that was refused in the middle leaves something behind
      if (name === 'compact')
        Object.assign(protocol, { lastField_: [], lastFieldId_: 0, boolValue_: { hasBoolValue: false } })
      bytes = message
      at = 0
    },
  }
}
