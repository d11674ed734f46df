// Numbers as people read them.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { formatBytes, formatDuration, formatPercent } from '../../../src/dashboard/processes/format.ts'

describe('a number on the page', () => {
  it('has its unit', () => {
    assert.deepEqual([0, 1, 1023, 1024, 54_600_000, 150 * 1024 ** 2, 3 * 1024 ** 4].map(formatBytes), [
      '–',
      '1 B',
      '1023 B',
      '1.0 KiB',
      '52.1 MiB',
      '150 MiB',
      '3.0 TiB',
    ])
    assert.deepEqual([null, 0, 59_999, 61_000, 3_600_000, 90_061_000].map(formatDuration), [
      '–',
      '0 s',
      '59 s',
      '1 min 1 s',
      '1 h 0 min',
      '1 d 1 h',
    ])
    assert.deepEqual([0, 0.44, 99.9, 250.4].map(formatPercent), ['0.0 %', '0.4 %', '99.9 %', '250 %'])
  })

  it('is short, and never far from what it stands for', () => {
    const units = { B: 0, KiB: 1, MiB: 2, GiB: 3, TiB: 4 }
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1024 ** 4 * 100 }), bytes => {
        const [, number, unit] = /^([\d.]+) (B|KiB|MiB|GiB|TiB)$/.exec(formatBytes(bytes)) ?? []
        const back = Number(number) * 1024 ** units[unit as keyof typeof units]
        assert.ok(Math.abs(back - bytes) <= bytes * 0.06)
      }),
    )
    const seconds = { d: 86_400, h: 3600, min: 60, s: 1 }
    fc.assert(
      fc.property(fc.nat(1e12), milliseconds => {
        const words = formatDuration(milliseconds).split(' ')
        assert.ok(words.length <= 4)
        const back = words.reduce(
          (sum, word, at) =>
            at % 2 === 0 ? sum + Number(word) * seconds[words[at + 1] as keyof typeof seconds] : sum,
          0,
        )
        const rest = milliseconds / 1000 - back
        assert.ok(rest >= 0 && rest < (milliseconds >= 86_400_000 ? 3600 : 60))
      }),
    )
  })
})
