// Messages come out whole and unchanged however the stream is cut; what is malformed or too large is refused early.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import thrift from 'thrift'
import { isMadhavaError } from '../../src/core/errors.ts'
import { createInput, type Protocol } from '../../src/rpc/dialect.ts'
import { RPC_LIMITS } from '../../src/rpc/limits.ts'
import { createScanner, type ScannedMessage } from '../../src/rpc/scanner.ts'
import { wire } from './fixture.ts'
import { anyMessage, cut, encode, type Message, mutated, sizes } from './messages.ts'

const LIMITS = { messageBytes: 4096, nameBytes: 16, depth: 8, elements: 1000 }

const NO_FIELDS: Message = { name: 'x', seqid: 1, fields: [] }
const FIVE_FIELDS: Message = {
  ...NO_FIELDS,
  fields: [1, 2, 3, 4, 5].map(id => ({ id, value: { type: 8, int: id } })),
}

const raw = (...bytes: number[]): Buffer => Buffer.from(bytes)

const copyAll = (scanned: Iterable<ScannedMessage>): ScannedMessage[] =>
  [...scanned].map(found => ({ ...found, bytes: Buffer.from(found.bytes) }))
const takesOrRefuses = (input: Buffer, protocol: Protocol): ScannedMessage[] => {
  try {
    return copyAll(createScanner(protocol, LIMITS).push(input))
  } catch (error) {
    assert.ok(isMadhavaError(error, 'BAD_REQUEST') || isMadhavaError(error, 'BODY_TOO_LARGE'), String(error))
    return []
  }
}

for (const protocol of ['binary', 'compact'] as const) {
  const scanned = (message: Message): ScannedMessage => ({
    name: message.name,
    seqid: message.seqid,
    bytes: encode(protocol, message),
  })
  const oneMessage = anyMessage.map(scanned)

  test(`${protocol}: any messages come out as they went in, however the stream is cut`, () => {
    fc.assert(
      fc.property(fc.array(oneMessage, { minLength: 1, maxLength: 5 }), sizes, (messages, pieces) => {
        const scanner = createScanner(protocol, RPC_LIMITS)
        const out: ScannedMessage[] = []
        for (const chunk of cut(Buffer.concat(messages.map(one => one.bytes)), pieces))
          out.push(...copyAll(scanner.push(chunk)))
        assert.deepEqual(out, messages)
        assert.equal(scanner.partial(), false)
      }),
      { numRuns: 300 },
    )
  })

  test(`${protocol}: a message is not given out before its last byte`, () => {
    fc.assert(
      fc.property(oneMessage, one => {
        const scanner = createScanner(protocol, RPC_LIMITS)
        assert.deepEqual(copyAll(scanner.push(one.bytes.subarray(0, -1))), [])
        assert.equal(scanner.partial(), true)
        assert.deepEqual(copyAll(scanner.push(one.bytes.subarray(-1))), [one])
      }),
    )
  })

  test(`${protocol}: any bytes are taken or refused with a typed error; what is taken, the library reads to its end`, () => {
    const bytes = oneMessage.map(one => one.bytes)
    const noise = fc.uint8Array({ maxLength: 200 }).map(array => Buffer.from(array))
    const behindHeader = noise.map(tail => Buffer.concat([encode(protocol, NO_FIELDS).subarray(0, -1), tail]))
    let taken = 0
    fc.assert(
      fc.property(fc.oneof(noise, behindHeader, mutated(bytes), mutated(bytes)), input => {
        for (const message of takesOrRefuses(input, protocol)) {
          taken += 1
          const { protocol: reader, begin } = createInput(protocol)
          begin(message.bytes)
          try {
            reader.readMessageBegin()
            reader.skip(thrift.Thrift.Type.STRUCT)
          } catch (error) {
            assert.match(String(error), /not UTF-8/)
            continue
          }
          assert.throws(() => reader.readByte(), /beyond the message/)
        }
      }),
      { numRuns: 3000 },
    )
    assert.ok(taken > 100, `${taken} messages were taken`)
  })
}

const refused: [string, Buffer, RegExp][] = [
  ['another message than of the binary protocol', encode('compact', FIVE_FIELDS), /version/],
  ['a header without a version', Buffer.concat([wire.string('x'), raw(1), wire.i32(1)]), /version/],
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
    assert.throws(() => copyAll(createScanner('binary', LIMITS).push(input)), {
      code: 'BAD_REQUEST',
      message: reason,
    })
  })

const compact = (...fields: Buffer[]): Buffer =>
  Buffer.concat([raw(0x82, 0x21, 1, 1), Buffer.from('x'), ...fields, raw(0)])
const refusedCompact: [string, Buffer, RegExp][] = [
  ['another version', raw(0x82, 0x22, 1, 1, 0x78), /version/],
  ['a number of a call over 32 bits', raw(0x82, 0x21, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 0x78), /32 bits/],
  ['a varint that does not end', raw(0x82, 0x21, ...Array<number>(6).fill(0xff)), /more than 5 bytes/],
  ['a name of 17 bytes', raw(0x82, 0x21, 1, 17), /name of a method/],
  ['a reply', encode('compact', NO_FIELDS, 2), /Only calls/],
  ['a oneway call', encode('compact', NO_FIELDS, 4), /Only calls/],
  ['a type that does not exist', compact(raw(0x1e)), /no type 14/],
  ['a list of a type that does not exist', compact(raw(0x19, 0x1f)), /no type 15/],
  ['a list of nothing', compact(raw(0x19, 0x10)), /no type 0/],
  ['an i64 of eleven bytes', compact(raw(0x16, ...Array<number>(10).fill(0x80), 1)), /more than 10 bytes/],
  ['an i32 of six bytes', compact(raw(0x15, ...Array<number>(5).fill(0x80), 1)), /more than 5 bytes/],
  ['a list of 2^31 bools', compact(raw(0x19, 0xf1, 0x80, 0x80, 0x80, 0x80, 8)), /elements/],
  ['a map of 2^31', compact(raw(0x1b, 0x80, 0x80, 0x80, 0x80, 8, 0x33)), /elements/],
  ['60,000 nested structs', compact(Buffer.alloc(60_000, 0x1c)), /nested/],
  ['60,000 nested lists', compact(raw(0x19), Buffer.alloc(60_000, 0x19)), /nested/],
]
for (const [what, input, reason] of refusedCompact)
  test(`refused in the compact protocol: ${what}`, () => {
    assert.throws(() => copyAll(createScanner('compact', LIMITS).push(input)), {
      code: 'BAD_REQUEST',
      message: reason,
    })
  })

test('a text of 2 GiB is refused in the compact protocol where it is announced', () => {
  const announced = compact(raw(0x18, 0xff, 0xff, 0xff, 0xff, 7))
  assert.throws(() => copyAll(createScanner('compact', LIMITS).push(announced)), { code: 'BODY_TOO_LARGE' })
})

test('a size over the limit is refused where it is announced, before a byte of it has come', () => {
  const announced: [string, Buffer][] = [
    ['a string of 2 GiB', wire.field(11, 1, wire.i32(0x7fffffff))],
    ['a string one byte too long', wire.field(11, 1, wire.i32(LIMITS.messageBytes))],
    ['doubles', wire.field(15, 1, raw(4, 0, 0, 3, 0xe8))],
  ]
  for (const [what, field] of announced) {
    const scanner = createScanner('binary', LIMITS)
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
    const scanner = createScanner('binary', LIMITS)
    const scan = () => cut(input, [7]).flatMap(chunk => copyAll(scanner.push(chunk)))
    if (extra === 0) assert.equal(scan().length, 1)
    else assert.throws(scan, { code: 'BODY_TOO_LARGE' })
  }
})

test('the limit is one of each message: many that fit pass, one after another, however the bytes come', () => {
  const limits = { ...LIMITS, messageBytes: 100 }
  const frame = wire.call('x', 1, wire.field(11, 1, wire.string(''))).length
  const one = wire.call('x', 1, wire.field(11, 1, wire.string('a'.repeat(60 - frame))))
  assert.equal(one.length, 60)
  const many = Buffer.concat(Array<Buffer>(10).fill(one))
  // in one piece, and so that the next one has always begun
  for (const pieces of [[600], [90, 60], [61, 59, 1], [7]]) {
    const scanner = createScanner('binary', limits)
    const out = cut(many, pieces).flatMap(chunk => copyAll(scanner.push(chunk)))
    assert.deepEqual(
      out.map(({ bytes }) => bytes.equals(one)),
      Array<boolean>(10).fill(true),
      `${pieces}`,
    )
    assert.equal(scanner.partial(), false)
  }
})

test('values nest as deep as they may, and not one deeper', () => {
  // the message itself is the first struct
  const structs = (depth: number): Buffer =>
    Buffer.concat([wire.header('x', 1), ...Array<Buffer>(depth - 1).fill(raw(12, 0, 1)), Buffer.alloc(depth)])
  const lists = (depth: number): Buffer =>
    wire.call(
      'x',
      1,
      wire.field(
        15,
        1,
        Buffer.concat([...Array<Buffer>(depth - 2).fill(raw(15, 0, 0, 0, 1)), raw(11, 0, 0, 0, 0)]),
      ),
    )
  for (const nested of [structs, lists]) {
    assert.equal(copyAll(createScanner('binary', LIMITS).push(nested(LIMITS.depth))).length, 1)
    assert.throws(() => copyAll(createScanner('binary', LIMITS).push(nested(LIMITS.depth + 1))), {
      code: 'BAD_REQUEST',
      message: /nested 8 deep/,
    })
  }
})

test('a list has as many elements as it may, and not one more; so has a name its bytes', () => {
  const list = (count: number): Buffer =>
    wire.call('x', 1, wire.field(15, 1, Buffer.concat([raw(3), wire.i32(count), Buffer.alloc(count)])))
  const scan = (input: Buffer): number => copyAll(createScanner('binary', LIMITS).push(input)).length
  assert.equal(scan(list(LIMITS.elements)), 1)
  assert.throws(() => scan(list(LIMITS.elements + 1)), { code: 'BAD_REQUEST', message: /elements/ })
  assert.equal(scan(wire.call('n'.repeat(LIMITS.nameBytes), 1, Buffer.alloc(0))), 1)
  assert.throws(() => scan(wire.call('n'.repeat(LIMITS.nameBytes + 1), 1, Buffer.alloc(0))), {
    code: 'BAD_REQUEST',
    message: /name of a method/,
  })
})

test('a message of many small values in many small pieces costs time in proportion', () => {
  const text = wire.field(11, 1, wire.string(''))
  const count = Math.floor((RPC_LIMITS.messageBytes - 100) / text.length)
  const input = wire.call('x', 1, Buffer.concat(Array<Buffer>(count).fill(text)))
  const timeFor = (stream: Buffer): number => {
    const scanner = createScanner('binary', RPC_LIMITS)
    const begin = process.cpuUsage()
    for (const chunk of cut(stream, [64])) for (const _ of scanner.push(chunk));
    const { user, system } = process.cpuUsage(begin)
    return (user + system) / 1000
  }
  timeFor(input)
  // 16,000 pieces of a message parsed anew each time would take minutes
  assert.ok(timeFor(input) < 5_000)
})
