// Bytes between a thread and the worker process: all of them, in order, and never more on the way than the window.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createByteReceiver, createByteSender } from '../../src/worker/pool/byte-channel.ts'
import { PIECE_BYTES, WINDOW_BYTES } from '../../src/worker/pool/file-protocol.ts'
import { bytesOfContent } from '../../src/worker/thread/content-bytes.ts'

const connect = () => {
  let onTheWay = 0
  let most = 0
  let stops = 0
  const receiver = createByteReceiver(
    bytes => {
      onTheWay -= bytes
      setImmediate(() => sender.taken(bytes))
    },
    () => {
      stops += 1
    },
  )
  const sender = createByteSender(piece => {
    assert.ok(piece.length <= PIECE_BYTES)
    onTheWay += piece.length
    most = Math.max(most, onTheWay)
    setImmediate(() => receiver.add(piece))
  })
  const read = async (): Promise<Buffer> => {
    const pieces: Uint8Array[] = []
    for (let piece = await receiver.next(); piece; piece = await receiver.next()) pieces.push(piece)
    return Buffer.concat(pieces)
  }
  return { sender, receiver, read, most: () => most, stops: () => stops }
}

describe('a channel of bytes', () => {
  it('brings all of them, in order, within its window', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 300_000 }), { maxLength: 12 }), async sizes => {
        const { sender, receiver, read, most } = connect()
        const sent = sizes.map((size, at) => Buffer.alloc(size, at + 1))
        const reading = read()
        for (const bytes of sent) await sender.send(bytes)
        setImmediate(() => receiver.end())
        assert.ok((await reading).equals(Buffer.concat(sent)))
        assert.ok(most() <= WINDOW_BYTES, `${most()} bytes on the way`)
      }),
      { numRuns: 50 },
    ))

  it('stops a sender that waits, with the reason', async () => {
    const { sender } = connect()
    const sending = sender.send(Buffer.alloc(2 * WINDOW_BYTES))
    sender.stop(new Error('enough'))
    await assert.rejects(sending, /enough/)
    await assert.rejects(sender.send(Buffer.alloc(1)), /enough/)
  })

  it('gives a reader that waits the error, and what has not been read is gone', async () => {
    const { receiver } = connect()
    const waiting = receiver.next()
    receiver.fail(new Error('broken'))
    await assert.rejects(waiting, /broken/)
    const other = connect()
    other.receiver.add(Buffer.from('a'))
    other.receiver.fail(new Error('broken'))
    await assert.rejects(other.receiver.next(), /broken/)
  })

  it('tells the sender once that nobody reads any more, unless all had come', async () => {
    const { receiver, stops } = connect()
    receiver.add(Buffer.from('a'))
    receiver.stop()
    receiver.stop()
    assert.equal(await receiver.next(), null)
    assert.equal(stops(), 1)
    const whole = connect()
    whole.receiver.end()
    whole.receiver.stop()
    assert.equal(whole.stops(), 0)
  })
})

describe('the content of an artifact', () => {
  const all = async (bytes: AsyncIterable<Uint8Array>): Promise<Buffer> => {
    const pieces: Uint8Array[] = []
    for await (const piece of bytes) pieces.push(piece)
    return Buffer.concat(pieces)
  }

  it('is the UTF-8 of its texts joined, wherever they are cut', () =>
    fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.array(fc.nat()), async (text, cuts) => {
        const long = text.repeat(1 + Math.ceil(40_000 / Math.max(1, text.length)))
        const places = [0, ...cuts.map(cut => cut % (long.length + 1)).toSorted((a, b) => a - b), long.length]
        const texts = places.slice(1).map((place, at) => long.slice(places[at], place))
        async function* parts() {
          yield* texts
        }
        const wanted = Buffer.from(long)
        assert.ok((await all(bytesOfContent(long).bytes)).equals(wanted))
        assert.ok((await all(bytesOfContent(parts()).bytes)).equals(wanted))
      }),
      { numRuns: 50 },
    ))

  it('is what small bytes were at the call, whatever becomes of the buffer', async () => {
    const buffer = Buffer.from('as it was')
    const { bytes } = bytesOfContent(buffer)
    buffer.fill('x')
    assert.equal(String(await all(bytes)), 'as it was')
  })

  it('that is left lets go of what it has open, also while it waits', async () => {
    let closed = 0
    const content = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => {}),
        return: async () => {
          closed += 1
          return { done: true as const, value: undefined }
        },
      }),
    }
    const { bytes, close } = bytesOfContent(content)
    void bytes[Symbol.asyncIterator]().next()
    close()
    assert.equal(closed, 1)
  })
})
