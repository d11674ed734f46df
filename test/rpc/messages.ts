// Any message at all, as a tree, and the library's own writers that put it into bytes: so the tests do not trust the
// code under test.
import fc from 'fast-check'
import thrift from 'thrift'
import type { Protocol } from '../../src/rpc/dialect.ts'

export type Value =
  | { type: 2; bool: boolean }
  | { type: 3; int: number }
  | { type: 6; int: number }
  | { type: 8; int: number }
  | { type: 10; long: bigint }
  | { type: 4; double: number }
  | { type: 11; text: string }
  | { type: 12; fields: { id: number; value: Value }[] }
  | { type: 14 | 15; element: Value; count: number }
  | { type: 13; key: Value; value: Value; count: number }

export interface Message {
  name: string
  seqid: number
  fields: { id: number; value: Value }[]
}

/** A value of any type, nested at most so deep. */
const value = (depth: number): fc.Arbitrary<Value> => {
  const flat: fc.Arbitrary<Value>[] = [
    fc.boolean().map(bool => ({ type: 2, bool }) as const),
    fc.integer({ min: -128, max: 127 }).map(int => ({ type: 3, int }) as const),
    fc.integer({ min: -32_768, max: 32_767 }).map(int => ({ type: 6, int }) as const),
    fc.integer().map(int => ({ type: 8, int }) as const),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(long => ({ type: 10, long }) as const),
    fc.double().map(double => ({ type: 4, double }) as const),
    fc.string({ maxLength: 20, unit: 'binary' }).map(text => ({ type: 11, text }) as const),
  ]
  if (depth === 0) return fc.oneof(...flat)
  const inner = value(depth - 1)
  const list = fc
    .tuple(inner, fc.nat(20), fc.constantFrom(14 as const, 15 as const))
    .map(([element, count, type]) => ({ type, element, count }))
  const map = fc
    .tuple(inner, inner, fc.nat(3))
    .map(([key, content, count]) => ({ type: 13, key, value: content, count }) as const)
  return fc.oneof(
    ...flat,
    fields(inner).map(list => ({ type: 12, fields: list }) as const),
    list,
    map,
  )
}
const fields = (inner: fc.Arbitrary<Value>) =>
  fc.array(fc.record({ id: fc.integer({ min: 0, max: 32_767 }), value: inner }), { maxLength: 3 })

export const anyMessage: fc.Arbitrary<Message> = fc.record({
  name: fc.string({ maxLength: 4 }),
  seqid: fc.integer(),
  fields: fields(value(3)),
})

const long = (number: bigint): thrift.Int64 => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(number)
  return new thrift.Int64(bytes)
}

const write = (output: thrift.TProtocol, one: Value): void => {
  if (one.type === 2) output.writeBool(one.bool)
  else if (one.type === 3) output.writeByte(one.int)
  else if (one.type === 6) output.writeI16(one.int)
  else if (one.type === 8) output.writeI32(one.int)
  else if (one.type === 10) output.writeI64(long(one.long))
  else if (one.type === 4) output.writeDouble(one.double)
  else if (one.type === 11) output.writeString(one.text)
  else if (one.type === 12) writeStruct(output, one.fields)
  else writeContainer(output, one)
}

const writeContainer = (output: thrift.TProtocol, one: Extract<Value, { count: number }>): void => {
  if (one.type === 13) output.writeMapBegin(one.key.type, one.value.type, one.count)
  else if (one.type === 15) output.writeListBegin(one.element.type, one.count)
  else output.writeSetBegin(one.element.type, one.count)
  for (let i = 0; i < one.count; i += 1)
    for (const inner of one.type === 13 ? [one.key, one.value] : [one.element]) write(output, inner)
}

const writeStruct = (output: thrift.TProtocol, list: Message['fields']): void => {
  output.writeStructBegin('s')
  for (const field of list) {
    output.writeFieldBegin('f', field.value.type, field.id)
    write(output, field.value)
    output.writeFieldEnd()
  }
  output.writeFieldStop()
  output.writeStructEnd()
}

/** The bytes of a call with these fields as its arguments. */
export const encode = (protocol: Protocol, { name, seqid, fields: list }: Message, type = 1): Buffer => {
  let bytes: Buffer = Buffer.alloc(0)
  const transport = new thrift.TBufferedTransport(undefined, written => {
    if (written) bytes = written
  })
  const output =
    protocol === 'compact' ? new thrift.TCompactProtocol(transport) : new thrift.TBinaryProtocol(transport)
  output.writeMessageBegin(name, type, seqid)
  writeStruct(output, list)
  output.writeMessageEnd()
  output.flush()
  return bytes
}

/** The stream in pieces of these sizes, in turn; each a buffer of its own. */
export const cut = (stream: Buffer, sizes: number[]): Buffer[] => {
  const chunks: Buffer[] = []
  for (let at = 0, i = 0; at < stream.length; i += 1) {
    const size = sizes[i % sizes.length] ?? 1
    chunks.push(Buffer.from(stream.subarray(at, at + size)))
    at += size
  }
  return chunks
}

export const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 6 })

/** One change: bytes overwritten, cut out, or put in. */
const change = fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 5 }), fc.constantFrom('over', 'out', 'in'))

/** These bytes with some changes. */
export const mutated = (messages: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> =>
  fc.tuple(messages, fc.array(change, { minLength: 1, maxLength: 4 })).map(([message, changes]) => {
    let bytes = message
    for (const [where, noise, how] of changes) {
      const at = where % (bytes.length + 1)
      const rest = bytes.subarray(how === 'in' ? at : at + noise.length)
      bytes = Buffer.concat([bytes.subarray(0, at), how === 'out' ? Buffer.alloc(0) : noise, rest])
    }
    return bytes
  })
