// Numbers and times as readers of both languages write them.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFormats } from '../../../src/dashboard/web/format/formats.ts'

const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, ' ')

describe('a format', () => {
  const en = createFormats('en', 'utc')
  const ru = createFormats('ru', 'utc')

  it('writes numbers and sizes as the language does', () => {
    assert.deepEqual(
      [0, 4312, 1_234_567].map(value => en.number(value)),
      ['0', '4,312', '1,234,567'],
    )
    assert.deepEqual(
      [4312, 1234.5].map(value => plain(ru.number(value, 1))),
      ['4 312', '1 234,5'],
    )
    assert.deepEqual([0, 1023, 1024, 54_600_000, 150 * 1024 ** 2].map(en.bytes), [
      '0 B',
      '1,023 B',
      '1 KiB',
      '52.1 MiB',
      '150 MiB',
    ])
    assert.equal(en.bytes(Number.NaN), '–')
  })

  it('writes durations in their two largest units', () => {
    assert.deepEqual([0, 9, 999, 4_100, 12_000, 69_000, 60_000, 3_660_000, 90_000_000].map(en.duration), [
      '0 ms',
      '9 ms',
      '999 ms',
      '4.1 s',
      '12 s',
      '1 min 9 s',
      '1 min',
      '1 h 1 min',
      '1 d 1 h',
    ])
    assert.equal(ru.duration(69_000), '1 мин 9 с')
    assert.equal(en.duration(-5), '0 ms')
  })

  it('writes a time short, and the whole of it where there is room', () => {
    const at = Date.UTC(2026, 10, 28, 3, 9, 59, 123)
    assert.equal(en.time(at, at + 1000), '03:09:59')
    assert.equal(en.time(at, at + 86_400_000), '28 Nov 03:09')
    assert.equal(en.time(at, at + 400 * 86_400_000), '2026-11-28')
    assert.equal(en.fullTime(at), '2026-11-28 03:09:59.123 UTC')
    assert.match(createFormats('en', 'local').fullTime(at), /^2026-11-2\d \d\d:\d\d:59\.123 [+-]\d\d:\d\d$/)
  })

  it('says how long ago and how soon', () => {
    const now = Date.UTC(2026, 0, 1)
    assert.equal(en.relative(now - 300_000, now), '5 min ago')
    assert.match(en.relative(now + 12_000, now), /in 12 sec/)
    assert.match(plain(ru.relative(now - 7_200_000, now)), /^2 ч/)
  })
})
