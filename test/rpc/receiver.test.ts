// The first bytes say how a client speaks; frames are opened, and hold one message each.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Dialect } from '../../src/rpc/dialect.ts'
import { RPC_LIMITS } from '../../src/rpc/limits.ts'
import { createReceiver, type Receiver } from '../../src/rpc/receiver.ts'
import { wire } from './fixture.ts'
import { anyMessage, cut, encode, type Message, sizes } from './messages.ts'

const LIMITS = { messageBytes: 4096, nameBytes: 16, depth: 8, elements: 1000 }
const DIALECTS: Dialect[] = (['binary', 'compact'] as const).flatMap(protocol => [
  { protocol, framed: false },
  { protocol, framed: true },
])
const raw = (...bytes: number[]): Buffer => Buffer.from(bytes)
const framed = (bytes: Buffer): Buffer => Buffer.concat([wire.i32(bytes.length), bytes])
const received = (receiver: Receiver, chunk: Buffer) =>
  [...receiver.push(chunk)].map(found => ({ ...found, bytes: Buffer.from(found.bytes) }))
const NOTHING: Message = { name: 'x', seqid: 7, fields: [] }

describe('the receiver', () => {
  for (const dialect of DIALECTS) {
    const { protocol } = dialect
    const spoken = `${dialect.framed ? 'framed' : 'buffered'} ${protocol}`

    test(`${spoken}: any messages come out as they went in, however the stream is cut`, () => {
      fc.assert(
        fc.property(fc.array(anyMessage, { minLength: 1, maxLength: 4 }), sizes, (messages, pieces) => {
          const receiver = createReceiver(RPC_LIMITS)
          const encoded = messages.map(message => encode(protocol, message))
          const stream = Buffer.concat(dialect.framed ? encoded.map(framed) : encoded)
          assert.deepEqual(
            cut(stream, pieces).flatMap(chunk => received(receiver, chunk)),
            messages.map(({ name, seqid }, i) => ({ name, seqid, bytes: encoded[i], dialect })),
          )
          assert.equal(receiver.partial(), false)
        }),
        { numRuns: 200 },
      )
    })

    test(`${spoken}: a message that has begun is partial at every byte`, () => {
      const bytes = encode(protocol, NOTHING)
      const stream = dialect.framed ? framed(bytes) : bytes
      const receiver = createReceiver(LIMITS)
      assert.equal(receiver.partial(), false)
      for (const byte of stream.subarray(0, -1)) {
        assert.deepEqual(received(receiver, raw(byte)), [])
        assert.equal(receiver.partial(), true)
      }
      assert.equal(received(receiver, stream.subarray(-1)).length, 1)
      assert.equal(receiver.partial(), false)
    })

    test(`${spoken}: of a message that is refused behind its header, a reply can be made`, () => {
      const bytes = Buffer.concat([encode(protocol, NOTHING).subarray(0, -1), raw(0xff, 0xff, 0xff, 0xff)])
      const receiver = createReceiver(LIMITS)
      assert.throws(() => received(receiver, dialect.framed ? framed(bytes) : bytes), { code: 'BAD_REQUEST' })
      assert.deepEqual(receiver.begun(), { name: 'x', seqid: 7, dialect })
    })
  }

  const call = encode('binary', NOTHING)
  const refused: [string, Buffer, string, RegExp][] = [
    ['an HTTP request, at its first byte', Buffer.from('G'), 'BAD_REQUEST', /speaks Thrift/],
    ['a TLS hello', raw(0x16), 'BAD_REQUEST', /speaks Thrift/],
    ['a header without a version', framed(Buffer.from('x')), 'BAD_REQUEST', /speaks Thrift/],
    ['the header transport', framed(raw(0x0f, 0xff, 0, 0)), 'BAD_REQUEST', /speaks Thrift/],
    ['a frame of 2 GiB', Buffer.concat([raw(0x7f, 0xff, 0xff, 0xff), call]), 'BAD_REQUEST', /speaks Thrift/],
    [
      'a frame over the limit, before it has come',
      raw(0, 0, 0x10, 1, 0x80),
      'BODY_TOO_LARGE',
      /at most 4096/,
    ],
    ['an empty frame behind a good one', Buffer.concat([framed(call), wire.i32(0)]), 'BAD_REQUEST', /empty/],
    ['a frame of two messages', framed(Buffer.concat([call, call])), 'BAD_REQUEST', /one message/],
    ['a frame with a byte too many', framed(Buffer.concat([call, raw(0)])), 'BAD_REQUEST', /one message/],
    ['a frame that ends too early', framed(call.subarray(0, -1)), 'BAD_REQUEST', /one message/],
    [
      'another protocol in the second frame',
      Buffer.concat([framed(call), framed(encode('compact', { ...NOTHING, name: 'abcdef' }))]),
      'BAD_REQUEST',
      /version/,
    ],
  ]
  for (const [what, bytes, code, message] of refused)
    test(`refused: ${what}`, () => {
      for (const pieces of [[bytes.length], [1]]) {
        const receiver = createReceiver(LIMITS)
        assert.throws(() => cut(bytes, pieces).flatMap(chunk => received(receiver, chunk)), { code, message })
      }
    })
})
