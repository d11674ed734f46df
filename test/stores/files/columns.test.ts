// TextColumn and numbers by row, against plain maps.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  createCounts,
  createRareNumbers,
  type NumberColumn,
} from '../../../src/stores/files/index/number-columns.ts'
import { createTextColumn } from '../../../src/stores/files/index/text-column.ts'

const ROWS = 600
const row = fc.nat(ROWS - 1)

describe('texts by row', () => {
  const text = fc.option(
    fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('', 'aaa', 'aab', 'ä', '\0', 'ÿ\u{10FFFF}')),
    { nil: null },
  )

  it('are given back as they were set, and hold what a string of them holds', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(row, text)),
        fc.string({ unit: 'grapheme', maxLength: 2 }),
        (sets, word) => {
          const texts = createTextColumn()
          const plain = new Map<number, string | null>()
          for (const [at, value] of sets) {
            texts.set(at, value)
            plain.set(at, value)
          }
          for (let at = 0; at < ROWS; at += 1) {
            const value = plain.get(at) ?? null
            assert.equal(texts.get(at), value)
            assert.equal(texts.holds(at, Buffer.from(word)), value?.includes(word) ?? false)
          }
        },
      ),
    )
  })

  it('take no more room when they are set again to what they are', () => {
    const texts = createTextColumn()
    const before = process.memoryUsage().arrayBuffers
    for (let turn = 0; turn < 20_000; turn += 1) texts.set(7, 'x'.repeat(1_000))
    assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000)
  })

  it('take a bounded room when they change again and again, and keep those that do not', () => {
    const texts = createTextColumn()
    for (let row = 0; row < 300; row += 1) texts.set(row, `kept ${row}`)
    let most = 0
    for (let turn = 0; turn < 20_000; turn += 1) {
      texts.set(7, `${turn} ${'x'.repeat(1_000)}`)
      texts.set(8, turn % 2 === 0 ? null : `odd ${turn}`)
      most = Math.max(most, texts.size())
    }
    assert.ok(most < 1_000_000, `${most} bytes`)
    for (let row = 0; row < 300; row += 1)
      if (row !== 7 && row !== 8) assert.equal(texts.get(row), `kept ${row}`)
    assert.match(texts.get(7) ?? '', /^19999 x{1000}$/)
    assert.equal(texts.get(8), 'odd 19999')
  })
})

describe('numbers by row', () => {
  const check = (make: () => NumberColumn, none: number, value: fc.Arbitrary<number>): void =>
    fc.assert(
      fc.property(fc.array(fc.tuple(row, value)), sets => {
        const numbers = make()
        const plain = new Map<number, number>()
        for (const [at, number] of sets) {
          numbers.set(at, number)
          plain.set(at, number)
        }
        for (let at = 0; at < ROWS; at += 1) assert.equal(numbers.get(at), plain.get(at) ?? none)
      }),
    )

  it('are whole ones of any size', () => {
    const edges = fc.constantFrom(0, 1, 2 ** 32 - 2, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER)
    check(createCounts, 0, fc.oneof(edges, fc.maxSafeNat()))
  })

  it('are there for few rows, and NaN for the others', () => {
    check(createRareNumbers, Number.NaN, fc.oneof(fc.constant(Number.NaN), fc.double()))
  })
})
