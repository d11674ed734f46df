// Messages come out whole and unchanged however the stream is cut; what is malformed or too large is refused early.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isMadhavaError } from '../../src/core/errors.ts'
import { RPC_LIMITS } from '../../src/rpc/limits.ts'
import { createScanner, type RpcMessage } from '../../src/rpc/scanner.ts'
import { wire } from './fixture.ts'

const LIMITS = { messageBytes: 4096, nameBytes: 16, depth: 8, elements: 1000 }

const raw = (...bytes: number[]): Buffer => Buffer.from(bytes)
const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map(array => Buffer.from(array))

/** A value of any type, as its type and its bytes, nested at most so deep. */
const value = (depth: number): fc.Arbitrary<{ type: number; bytes: Buffer }> => {
  const flat: fc.Arbitrary<{ type: number; bytes: Buffer }>[] = [
    ...([2, 3, 4, 6, 8, 10, 16] as const).map(type =>
      bytes({ 2: 1, 3: 1, 4: 8, 6: 2, 8: 4, 10: 8, 16: 16 }[type]).map(content => ({ type, bytes: content })),
    ),
    fc.string({ maxLength: 20, unit: 'binary' }).map(text => ({ type: 11, bytes: wire.string(text) })),
  ]
  if (depth === 0) return fc.oneof(...flat)
  const inner = value(depth - 1)
  const struct = fc.array(inner, { maxLength: 3 }).map(fields => ({
    type: 12,
    bytes: Buffer.concat([...fields.map((field, i) => wire.field(field.type, i, field.bytes)), raw(0)]),
  }))
  const list = fc.tuple(inner, fc.nat(3), fc.constantFrom(14, 15)).map(([element, count, type]) => ({
    type,
    bytes: Buffer.concat([raw(element.type), wire.i32(count), ...Array<Buffer>(count).fill(element.bytes)]),
  }))
  const map = fc.tuple(inner, inner, fc.nat(3)).map(([key, content, count]) => ({
    type: 13,
    bytes: Buffer.concat([
      raw(key.type, content.type),
      wire.i32(count),
      ...Array<Buffer>(count).fill(Buffer.concat([key.bytes, content.bytes])),
    ]),
  }))
  return fc.oneof(...flat, struct, list, map)
}

const message = fc
  .tuple(fc.string({ maxLength: 4 }), fc.integer(), fc.array(value(3), { maxLength: 3 }))
  .map(([name, seqid, fields]) => ({
    name,
    seqid,
    bytes: wire.call(name, seqid, ...fields.map((field, i) => wire.field(field.type, i + 1, field.bytes))),
  }))

const copyAll = (scanned: Iterable<RpcMessage>): RpcMessage[] =>
  [...scanned].map(found => ({ ...found, bytes: Buffer.from(found.bytes) }))

const cut = (stream: Buffer, sizes: number[]): Buffer[] => {
  const chunks: Buffer[] = []
  for (let at = 0, i = 0; at < stream.length; i += 1) {
    const size = sizes[i % sizes.length] ?? 1
    chunks.push(Buffer.from(stream.subarray(at, at + size)))
    at += size
  }
  return chunks
}

test('any messages come out as they went in, however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 6 }),
      (messages, sizes) => {
        const scanner = createScanner(RPC_LIMITS)
        const out: RpcMessage[] = []
        for (const chunk of cut(Buffer.concat(messages.map(one => one.bytes)), sizes))
          out.push(...copyAll(scanner.push(chunk)))
        assert.deepEqual(out, messages)
        assert.equal(scanner.partial(), false)
      },
    ),
    { numRuns: 300 },
  )
})

test('a message is not given out before its last byte', () => {
  fc.assert(
    fc.property(message, one => {
      const scanner = createScanner(RPC_LIMITS)
      assert.deepEqual(copyAll(scanner.push(one.bytes.subarray(0, -1))), [])
      assert.equal(scanner.partial(), true)
      assert.deepEqual(copyAll(scanner.push(one.bytes.subarray(-1))), [one])
    }),
  )
})

test('any bytes at all are taken or refused with a typed error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), message, fc.nat(), (noise, one, at) => {
      const mutated = Buffer.from(one.bytes)
      for (const [i, byte] of noise.entries()) mutated.writeUInt8(byte, (at + i * i) % mutated.length)
      for (const input of [Buffer.from(noise), mutated, Buffer.concat([wire.header('x', 1), noise])])
        try {
          copyAll(createScanner(LIMITS).push(input))
        } catch (error) {
          assert.ok(
            isMadhavaError(error, 'BAD_REQUEST') || isMadhavaError(error, 'BODY_TOO_LARGE'),
            String(error),
          )
        }
    }),
    { numRuns: 500 },
  )
})

const refused: [string, Buffer, RegExp][] = [
  ['an HTTP request, at its first byte', Buffer.from('G'), /speaks Thrift/],
  ['a TLS hello', raw(0x16, 0x03, 0x01), /speaks Thrift/],
  ['a framed message', Buffer.concat([wire.i32(40), wire.call('x', 1)]), /speaks Thrift/],
  ['a message of the compact protocol', raw(0x82, 0x21, 0x01, 0x01), /speaks Thrift/],
  ['a header without a version', Buffer.concat([wire.string('x'), raw(1), wire.i32(1)]), /speaks Thrift/],
  ['another version', raw(0x80, 0x02, 0, 1, 0, 0, 0, 1), /version/],
  ['a name of negative length', Buffer.concat([raw(0x80, 1, 0, 1), wire.i32(-1)]), /name of a method/],
  ['a name of 17 bytes', Buffer.concat([raw(0x80, 1, 0, 1), wire.i32(17)]), /name of a method/],
  ['a reply', wire.header('x', 1, 2), /Only calls/],
  ['a oneway call', wire.header('x', 1, 4), /Only calls/],
  ['a string of negative length', wire.call('x', 1, wire.field(11, 1, wire.i32(-5))), /negative length/],
  ['a type that does not exist', wire.call('x', 1, wire.field(5, 1, raw(0))), /no type 5/],
  [
    'a list of a type that does not exist',
    wire.call('x', 1, wire.field(15, 1, raw(9, 0, 0, 0, 1))),
    /no type 9/,
  ],
  ['a list of 2^31 - 1 bools', wire.call('x', 1, wire.field(15, 1, raw(2, 127, 255, 255, 255))), /elements/],
  ['a set of -1 structs', wire.call('x', 1, wire.field(14, 1, raw(12, 255, 255, 255, 255))), /elements/],
  ['a map of 2^31 - 1', wire.call('x', 1, wire.field(13, 1, raw(2, 2, 127, 255, 255, 255))), /elements/],
  [
    '60,000 nested structs',
    Buffer.concat([wire.header('x', 1), ...Array<Buffer>(60_000).fill(raw(12, 0, 1))]),
    /nested/,
  ],
  [
    '60,000 nested lists',
    Buffer.concat([wire.header('x', 1), raw(15, 0, 1), ...Array<Buffer>(60_000).fill(raw(15, 0, 0, 0, 1))]),
    /nested/,
  ],
]
for (const [what, input, reason] of refused)
  test(`refused: ${what}`, () => {
    assert.throws(() => copyAll(createScanner(LIMITS).push(input)), { code: 'BAD_REQUEST', message: reason })
  })

test('a size over the limit is refused where it is announced, before a byte of it has come', () => {
  const announced: [string, Buffer][] = [
    ['a string of 2 GiB', wire.field(11, 1, wire.i32(0x7fffffff))],
    ['a string one byte too long', wire.field(11, 1, wire.i32(LIMITS.messageBytes))],
    ['doubles', wire.field(15, 1, raw(4, 0, 0, 3, 0xe8))],
  ]
  for (const [what, field] of announced) {
    const scanner = createScanner(LIMITS)
    const input = Buffer.concat([wire.header('x', 7), field])
    assert.throws(() => copyAll(scanner.push(input)), { code: 'BODY_TOO_LARGE' }, what)
    assert.deepEqual(scanner.header(), { name: 'x', seqid: 7 })
  }
})

test('a message of exactly the limit passes, one byte more does not, also in small pieces', () => {
  const frame = wire.call('x', 1, wire.field(11, 1, wire.string(''))).length
  for (const extra of [0, 1]) {
    const text = 'a'.repeat(LIMITS.messageBytes - frame + extra)
    const input = wire.call('x', 1, wire.field(11, 1, wire.string(text)))
    const scanner = createScanner(LIMITS)
    const scan = () => cut(input, [7]).flatMap(chunk => copyAll(scanner.push(chunk)))
    if (extra === 0) assert.equal(scan().length, 1)
    else assert.throws(scan, { code: 'BODY_TOO_LARGE' })
  }
})

test('a message of many small values in many small pieces costs time in proportion', () => {
  const text = wire.field(11, 1, wire.string(''))
  const count = Math.floor((RPC_LIMITS.messageBytes - 100) / text.length)
  const input = wire.call('x', 1, Buffer.concat(Array<Buffer>(count).fill(text)))
  const timeFor = (stream: Buffer): number => {
    const scanner = createScanner(RPC_LIMITS)
    const begin = process.cpuUsage()
    for (const chunk of cut(stream, [64])) for (const _ of scanner.push(chunk));
    const { user, system } = process.cpuUsage(begin)
    return (user + system) / 1000
  }
  timeFor(input)
  // 16,000 pieces of a message parsed anew each time would take minutes
  assert.ok(timeFor(input) < 5_000)
})
