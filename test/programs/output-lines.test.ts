// The output of a program in lines, however it comes: calls whole, all else as texts, and never much in memory.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createOutputLines, type OutputLine } from '../../src/programs/output-lines.ts'

const linesOf = (chunks: readonly Buffer[], maxBytes = 1_000_000): OutputLine[] => {
  const lines = createOutputLines(maxBytes)
  return [...chunks.flatMap(chunk => [...lines.add(chunk)]), ...lines.end()]
}
const shown = (lines: readonly OutputLine[]) =>
  lines.map(line =>
    line.type === 'call'
      ? `${line.name}: ${line.bytes.toString().trim()}`
      : line.type === 'text'
        ? line.text
        : line.type,
  )

const cut = (bytes: Buffer, places: readonly number[]): Buffer[] => {
  const ends = [...new Set(places.map(place => place % (bytes.length + 1))), bytes.length].sort(
    (a, b) => a - b,
  )
  return ends.map((end, at) => bytes.subarray(ends[at - 1] ?? 0, end))
}

describe('the lines of an output', () => {
  it('are calls and texts in their order', () => {
    const text =
      'one\n{"progress": 5}\n  {"log":"x"}\r\n{"other": 1}\n{\n\n{"result": {"a": "\n"}}\n{"result":1}'
    assert.deepEqual(shown(linesOf([Buffer.from(text)])), [
      'one',
      'progress: {"progress": 5}',
      'log: {"log":"x"}',
      '{"other": 1}',
      '{',
      '',
      'result: {"result": {"a": "',
      '"}}',
      'result: {"result":1}',
    ])
  })

  it('are the same in whatever pieces they come', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '{"progress": 1}',
        '{ "result" : "ä€😀"}',
        '{',
        '  ',
        '{"re',
        '{"result',
        '\t{"log":"x"}',
      ),
      fc.jsonValue().map(value => JSON.stringify({ checkpoint: value })),
    )
    fc.assert(
      fc.property(
        fc.array(line.map(text => text.replaceAll(/[\r\n]/g, ' '))),
        fc.boolean(),
        fc.array(fc.nat(), { maxLength: 20 }),
        (lines, ended, places) => {
          const bytes = Buffer.from(lines.join('\n') + (ended ? '\n' : ''))
          assert.deepEqual(shown(linesOf(cut(bytes, places))), shown(linesOf([bytes])))
        },
      ),
    )
  })

  it('are refused where a call is too long, once, and the next line is read again', () => {
    const long = Buffer.from(`{"result": "${'x'.repeat(5_000)}"}\n{"progress": 1}\n`)
    for (const places of [[], [10, 500, 900, 4_000], Array.from({ length: 500 }, (_, n) => n * 10)]) {
      const lines = linesOf(cut(long, places), 1_000)
      assert.deepEqual(shown(lines), ['too long', 'progress: {"progress": 1}'])
    }
  })

  it('come in pieces where they never end, call or not', () => {
    const lines = createOutputLines(1_000_000)
    let texts = 0
    let longest = 0
    for (let n = 0; n < 1_000; n += 1)
      for (const line of lines.add(Buffer.alloc(10_000, 'x')))
        if (line.type === 'text') {
          texts += line.text.length
          longest = Math.max(longest, line.text.length)
        }
    assert.ok(texts > 9_000_000 && longest <= 4_000, `${texts} ${longest}`)
  })
})
