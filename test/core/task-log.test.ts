// A task's log as it is kept: the first lines and the last, with a mark between them.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  createLogWindow,
  decodeLog,
  encodeLog,
  entriesAfter,
  isGap,
  isLogLevel,
  LOG_HEADER_BYTES,
  LOG_LEVELS,
  LOG_LIMITS,
  type LogLine,
  lastOf,
  lineSize,
  logText,
} from '../../src/core/task-log.ts'

const T = '2026-01-31T12:00:00.000Z'
const line = (n: number, text = `line ${n}`): LogLine => ({ n, at: T, attempt: 1, level: 'info', text })

describe('the window of a log', () => {
  const limits = { first: { lines: 3, bytes: 30 }, last: { lines: 5, bytes: 60 } }

  it('keeps the first items and the last within their limits, and all of them when they fit', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 25 }), { maxLength: 200 }), sizes => {
        const window = createLogWindow<number>(limits)
        for (const [place, size] of sizes.entries()) window.add(place, size)
        const kept = window.items()
        const gap = kept.findIndex((place, at) => place !== at)
        const [first, last] = gap < 0 ? [kept, []] : [kept.slice(0, gap), kept.slice(gap)]
        const sum = (places: number[]) => places.reduce((all, place) => all + (sizes[place] ?? 0), 0)
        assert.deepEqual(
          last,
          sizes.map((_, place) => place).slice(sizes.length - last.length),
          'the last are the last',
        )
        if (gap >= 0) {
          assert.ok(first.length <= 3 && sum(first) <= 30)
          assert.ok(last.length <= 5 && sum(last) <= 60)
          assert.ok(last.length === 5 || sum([(last[0] ?? 0) - 1, ...last]) > 60, 'a line with room went')
        }
      }),
    )
  })

  it('always keeps the last item, however large', () => {
    const window = createLogWindow<string>(limits)
    for (const word of ['a', 'b', 'c', 'd', 'e']) window.add(word, 1_000)
    assert.deepEqual(window.items(), ['e'])
  })
})

describe('the stored form of a log', () => {
  it('comes back as it was, with its marks, and tells its last line at its beginning', () => {
    const level = fc.constantFrom(...LOG_LEVELS)
    const step = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.string({ unit: 'binary' }), level)
    fc.assert(
      fc.property(fc.array(step), fc.nat(9), (steps, more) => {
        let n = 0
        const lines = steps.map(([by, text, of]): LogLine => {
          n += by
          return { ...line(n, text.replaceAll('\n', ' ').toWellFormed()), level: of }
        })
        const log = { last: n + more, lines }
        const stored = encodeLog(log)
        assert.deepEqual(decodeLog(stored), log)
        assert.equal(lastOf(stored.slice(0, LOG_HEADER_BYTES)), log.last)
      }),
    )
  })

  it('is never more than the limits say', () => {
    const window = createLogWindow<LogLine>(LOG_LIMITS)
    for (let n = 1; n <= 20_000; n += 1) {
      const text = '"\u0001π'.repeat(n % 400)
      window.add(line(n, text), lineSize(text))
    }
    const stored = encodeLog({ last: 20_000, lines: window.items() })
    assert.ok(Buffer.byteLength(stored) < 228 * 1024, String(Buffer.byteLength(stored)))
  })

  it('is read whatever it is: text of earlier versions, or what somebody has put there', () => {
    assert.deepEqual(decodeLog(`${T} one two\nthree\n`), {
      last: 2,
      lines: [
        { n: 1, at: T, attempt: null, level: 'info', text: 'one two' },
        { n: 2, at: null, attempt: null, level: 'info', text: 'three' },
      ],
    })
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(fc.json()).map(rows => rows.join('\n')),
        ),
        text => {
          const { last, lines } = decodeLog(text)
          assert.ok(last >= (lines.at(-1)?.n ?? 0))
          for (const [place, { n, level }] of lines.entries()) {
            assert.ok(n > (lines[place - 1]?.n ?? 0))
            assert.ok(isLogLevel(level))
          }
        },
      ),
    )
  })
})

describe('the entries of a log', () => {
  const log = { last: 9, lines: [line(1), line(2), line(6), line(7), line(9)] }

  it('have a mark wherever lines are left out, told from where the reader is', () => {
    const told = (after: number) =>
      entriesAfter(log, after).map(entry => (isGap(entry) ? `${entry.from}..${entry.to}` : entry.n))
    assert.deepEqual(told(0), [1, 2, '3..5', 6, 7, '8..8', 9])
    assert.deepEqual(told(4), ['5..5', 6, 7, '8..8', 9])
    assert.deepEqual(told(9), [])
    assert.deepEqual(told(99), [])
  })

  it('are a line each as text, the mark too', () => {
    const far = { last: 12_346, lines: [line(1, 'a'), line(12_346, 'b')] }
    assert.equal(logText(far), `${T} a\n… 12,344 lines left out …\n${T} b\n`)
  })
})
