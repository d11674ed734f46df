// What the console draws: columns that stay aligned and fit, whatever signs are in them, and nothing that a server sends
// moves the cursor.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { progressLines } from '../../src/cli/show-task.ts'
import { barText } from '../../src/cli/terminal/bar.ts'
import { manyLines, oneLine } from '../../src/cli/terminal/safe-text.ts'
import { PLAIN } from '../../src/cli/terminal/style.ts'
import { type Column, layTable } from '../../src/cli/terminal/table.ts'
import { cutTo, endOf, padTo, widthOf } from '../../src/cli/terminal/width.ts'
import { durationText, readTime, sizeText } from '../../src/cli/terminal/words.ts'
import { drawTop } from '../../src/cli/top/draw-top.ts'
import type { ServerStatus, Task, TaskView } from '../../src/client/client.ts'
import { requireService } from '../support/services.ts'

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '日本語のタイトル',
    '🎉🎉 party',
    'e\u0301te\u0301',
    '👍🏽 ok',
    '❤️',
    '🇩🇪',
    'a\u001b[31mred',
    '\u202eabc',
  ),
)

describe('the width of texts', () => {
  it('is that of a terminal: two columns for CJK and emoji, none for marks', () => {
    assert.deepEqual(
      ['abc', '日本', '🎉', 'e\u0301', '한국', '🇩🇪', 'ｆｕｌｌ', '…', 'ж'].map(widthOf),
      [3, 4, 2, 1, 4, 2, 8, 1, 1],
    )
  })

  it('agrees with the tables of Unicode on every sign that they know', {
    skip: requireService('python'),
  }, () => {
    const program = `
import unicodedata
for code in range(0x20, 0x30000):
    sign = chr(code)
    category = unicodedata.category(sign)
    if category in ('Cn', 'Co', 'Cs', 'Cc', 'Cf') or 0x1160 <= code <= 0x11ff or 0xd7b0 <= code <= 0xd7ff: continue
    width = 0 if category in ('Mn', 'Me') else 2 if unicodedata.east_asian_width(sign) in 'WF' else 1
    print(code, width)
`
    const { stdout } = spawnSync('/usr/bin/python3', ['-c', program], {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 ** 2,
    })
    const lines = stdout.trim().split('\n')
    assert.ok(lines.length > 100_000)
    const wrong = lines.filter(line => {
      const [code = 0, width] = line.split(' ').map(Number)
      return widthOf(String.fromCodePoint(code)) !== width
    })
    // later versions of Unicode say otherwise of hexagrams, and of a vowel of Ahom
    const later = (line: string): boolean => {
      const code = Number(line.split(' ')[0])
      return (code >= 0x4dc0 && code <= 0x4dff) || code === 0x1171e
    }
    assert.deepEqual(
      wrong.filter(line => !later(line)),
      [],
    )
  })

  it('is kept by cutting and filling', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 0, max: 60 }), (text, columns) => {
        const plain = oneLine(text)
        assert.ok(widthOf(cutTo(plain, columns)) <= columns)
        assert.ok(widthOf(endOf(plain, columns)) <= columns)
        assert.equal(widthOf(padTo(cutTo(plain, columns), columns)), columns)
        if (widthOf(plain) <= columns) assert.equal(cutTo(plain, columns), plain)
      }),
    )
  })
})

describe('what a server sends', () => {
  it('never moves the cursor, rings or turns the text around', () => {
    fc.assert(
      fc.property(anyText, text => {
        assert.doesNotMatch(oneLine(text), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
        assert.doesNotMatch(manyLines(text).replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      }),
    )
    assert.equal(oneLine('a\u001b]0;title\u0007b\r\nc\u009b2J'), 'a\\u001b]0;title\\u0007b c\\u009b2J')
  })
})

describe('a table', () => {
  const columns = fc.array(
    fc.record(
      {
        head: fc.string({ maxLength: 8 }).map(oneLine),
        align: fc.constantFrom('left' as const, 'right' as const),
        min: fc.integer({ min: 1, max: 12 }),
        drop: fc.integer({ min: 1, max: 5 }),
      },
      { requiredKeys: ['head'] },
    ),
    { minLength: 1, maxLength: 6 },
  )
  it('fits any width that has room for a sign of each column that stays', () => {
    fc.assert(
      fc.property(
        columns,
        fc.array(fc.array(anyText, { maxLength: 6 }), { maxLength: 8 }),
        fc.integer({ min: 20, max: 200 }),
        (heads, rows, room) => {
          for (const line of layTable(heads as Column[], rows, room)) assert.ok(widthOf(line) <= room, line)
        },
      ),
    )
  })

  it('has its columns one below the other', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyText, anyText), { minLength: 1, maxLength: 8 }), rows => {
        const marked = rows.map(([one, two]) => [one, '|', two])
        const lines = layTable(
          [{ head: 'A' }, { head: '|' }, { head: 'B' }],
          marked,
          Number.POSITIVE_INFINITY,
        )
        const width = Math.max(1, ...rows.map(([one]) => widthOf(oneLine(one))))
        for (const line of lines) {
          // the sign that stands behind the first column and its gap
          let at = 0
          let seen = ''
          for (const sign of line) {
            if (at === width + 2 && widthOf(sign) > 0) {
              seen = sign
              break
            }
            at += widthOf(sign)
          }
          assert.equal(seen, '|', line)
        }
      }),
    )
  })

  it('cuts nothing where nobody looks', () => {
    const long = 'x'.repeat(500)
    assert.deepEqual(layTable([{ head: 'A', min: 3 }], [[long]], Number.POSITIVE_INFINITY), ['A', long])
  })

  it('leaves out the columns that matter least first', () => {
    const heads: Column[] = [
      { head: 'ID' },
      { head: 'TITLE', min: 10, drop: 1 },
      { head: 'NOTE', min: 10, drop: 2 },
    ]
    const rows = [['12345678', 'a title of some length', 'a note of some length']]
    assert.deepEqual(layTable(heads, rows, 60), [
      'ID        TITLE                   NOTE',
      '12345678  a title of some length  a note of some length',
    ])
    assert.deepEqual(layTable(heads, rows, 25), ['ID        TITLE', '12345678  a title of som…'])
    assert.deepEqual(layTable(heads, rows, 12), ['ID', '12345678'])
  })
})

const status = (more: Partial<ServerStatus> = {}): ServerStatus => ({
  name: 'madhava',
  version: '1.2.3',
  time: '2026-01-31T12:00:00.000Z',
  host: null,
  processes: null,
  queue: null,
  tasks: {
    total: 0,
    byStatus: { PENDING: 0, STARTED: 0, PROGRESS: 0, RETRY: 0, SUCCESS: 0, FAILURE: 0, REVOKED: 0 },
    byKind: {},
  },
  dead: null,
  troubles: {},
  ...more,
})

describe('a running task', () => {
  const task = (percent: number, note: string, result: string): Task =>
    ({ status: 'PROGRESS', progress: { percent, note, etaSeconds: 12.3 }, result }) as Task

  it('shows percent, note, time left and the last digits', () => {
    assert.deepEqual(progressLines(task(50, 'half', '3.1415'), 40, true), [
      '######-------  PROGRESS  50 %  12 s left  half',
      '3.1415',
    ])
    const [, partial = ''] = progressLines(task(50, '', `3.${'1'.repeat(500)}27`), 40, true)
    assert.ok(partial.startsWith('…') && partial.endsWith('127') && partial.length <= 40)
  })

  it('has a bar of exactly its width at any share', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -10, max: 200, noNaN: true }),
        fc.integer({ min: 0, max: 60 }),
        (percent, columns) => {
          assert.equal(widthOf(barText(percent, columns, true)), columns)
          assert.equal(widthOf(barText(percent, columns, false)), columns)
        },
      ),
    )
  })

  it('fills the screen of top and no more, from 40 columns on', () => {
    const running = Array.from(
      { length: 50 },
      (_, at) =>
        ({
          id: `0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d${String(at).padStart(4, '0')}`,
          kind: '日本語の種類',
          status: 'PROGRESS',
          title: '\u001b[2Jtitle',
          startedAt: '2026-01-31T11:59:00.000Z',
          progress: { percent: at * 2, note: 'a note '.repeat(20), etaSeconds: 5 },
        }) as TaskView,
    )
    fc.assert(
      fc.property(fc.integer({ min: 40, max: 200 }), fc.integer({ min: 10, max: 60 }), (columns, rows) => {
        const lines = drawTop(
          {
            server: 'http://a.server.with.a.long.name:8000',
            status: status(),
            running,
            rates: { ended: 1, failed: null },
            trouble: 'away '.repeat(50),
          },
          { columns, rows, style: PLAIN, now: new Date('2026-01-31T12:00:00.000Z'), isPlain: false },
        )
        assert.ok(lines.length <= rows)
        for (const line of lines) {
          assert.ok(widthOf(line) <= columns, line)
          assert.doesNotMatch(line, /\p{Cc}/u)
        }
      }),
      { numRuns: 30 },
    )
  })
})

describe('words', () => {
  it('say sizes and durations in few signs', () => {
    assert.deepEqual([0, 999, 1000, 99_949, 99_950, 1_234_567, 5e15].map(sizeText), [
      '0 B',
      '999 B',
      '1.0 kB',
      '99.9 kB',
      '100 kB',
      '1.2 MB',
      '5.0 PB',
    ])
    assert.deepEqual([0, 9.94, 9.96, 59.6, 200, 3_600, 100_000, Number.NaN].map(durationText), [
      '0.0 s',
      '9.9 s',
      '10 s',
      '1 m 0 s',
      '3 m 20 s',
      '1 h 0 m',
      '1 d 3 h',
      '?',
    ])
  })

  it('read times, and how long ago or ahead', () => {
    const now = new Date('2026-01-31T12:00:00.000Z')
    assert.equal(readTime('2h', now, 'ago'), '2026-01-31T10:00:00.000Z')
    assert.equal(readTime('15m', now, 'ahead'), '2026-01-31T12:15:00.000Z')
    assert.equal(readTime('2026-01-30T00:00Z', now, 'ago'), '2026-01-30T00:00:00.000Z')
    for (const text of ['', 'x', '12', '2026-99-99', '1w']) assert.equal(readTime(text, now, 'ago'), null)
  })
})
