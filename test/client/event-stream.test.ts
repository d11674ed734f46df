// The parser of event streams: as the HTML standard has it, in whatever pieces the bytes come.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createEventParser, readEvents, type ServerEvent } from '../../src/client/event-stream.ts'

const parse = (...pieces: string[]): ServerEvent[] => {
  const parser = createEventParser()
  return pieces.flatMap(piece => parser.push(piece))
}
const shown = (text: string) => parse(text).map(({ event, data, lastEventId }) => [event, data, lastEventId])

describe('the parser of event streams', () => {
  it('reads fields as the standard says', () => {
    assert.deepEqual(shown('data: a\n\n'), [['message', 'a', '']])
    assert.deepEqual(shown('data:a\ndata: b\ndata\n\n'), [['message', 'a\nb\n', '']])
    assert.deepEqual(shown('event: task\nid: 7\ndata:  x\n\ndata: y\n\n'), [
      ['task', ' x', '7'],
      ['message', 'y', '7'],
    ])
    assert.deepEqual(shown(': a comment\r\ndata: 1\r\r\ndata: 2\r\n\r\n'), [
      ['message', '1', ''],
      ['message', '2', ''],
    ])
    assert.deepEqual(shown('\ufeffdata: a\n\n'), [['message', 'a', '']])
    assert.deepEqual(shown('event: nothing\n\ndata: a\n\n'), [['message', 'a', '']])
    assert.deepEqual(shown('id: a\0b\ndata: x\n\nunknown: field\ndata\n\n'), [
      ['message', 'x', ''],
      ['message', '', ''],
    ])
    assert.deepEqual(shown('data: cut off by the end'), [])
    assert.equal(parse('retry: 250\nretry: soon\ndata: x\n\n')[0]?.retryMs, 250)
  })

  it('limits the size of one event, not of the whole stream', () => {
    const mib = 'x'.repeat(1024 * 1024)
    const parser = createEventParser()
    for (let n = 0; n < 70; n += 1) assert.equal(parser.push(`data: ${mib}\n\n`).length, 1)
    for (let n = 0; n < 63; n += 1) assert.equal(parser.push(`data: ${mib}\n`).length, 0)
    assert.equal(parser.push('\n').length, 1)
    assert.throws(() => {
      for (let n = 0; n < 65; n += 1) parser.push(`data: ${mib}\n`)
    }, RangeError)
  })

  it('an id alone moves the place to resume at, once it is whole', () => {
    const parser = createEventParser()
    parser.push('id: 5\n')
    assert.equal(parser.lastEventId(), '')
    parser.push('\n')
    assert.equal(parser.lastEventId(), '5')
    parser.push('id\n\n')
    assert.equal(parser.lastEventId(), '')
  })

  it('reads the same in whatever pieces it comes', () => {
    const piece = fc.constantFrom(
      '\r',
      '\n',
      '\r\n',
      'data',
      ':',
      ' ',
      'id',
      'event',
      'x',
      '7',
      'retry',
      '\n\n',
    )
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 60 }),
        fc.array(fc.nat(80), { maxLength: 8 }),
        (parts, cuts) => {
          const text = parts.join('')
          const places = [0, ...cuts.filter(cut => cut < text.length).sort((a, b) => a - b), text.length]
          const pieces = places.slice(1).map((end, n) => text.slice(places[n], end))
          assert.deepEqual(parse(...pieces), parse(text))
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('reads text in several bytes across pieces, and gives the body back when its reader leaves', async () => {
    const bytes = new TextEncoder().encode('data: π ≈ 3\n\n')
    let cancelled = false
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte))
      },
      cancel() {
        cancelled = true
      },
    })
    for await (const { data } of readEvents(
      body,
      () => {},
      () => {},
    )) {
      assert.equal(data, 'π ≈ 3')
      break
    }
    assert.equal(cancelled, true)
  })

  it('refuses an event without an end', () => {
    const parser = createEventParser()
    assert.throws(() => {
      for (let n = 0; n < 80; n += 1) parser.push('x'.repeat(1024 ** 2))
    }, RangeError)
  })
})
