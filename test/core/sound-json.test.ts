// JSON from outside: what parsing would lose without a word.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { cutText } from '../../src/core/cut-text.ts'
import { isMadhavaError } from '../../src/core/errors.ts'
import { JSON_DEPTH_LIMIT } from '../../src/core/json-flaw.ts'
import { scanJson } from '../../src/core/json-scan.ts'
import { parseSoundJson } from '../../src/core/sound-json.ts'

/** The place and the problem of the first flaw; null: it was taken. */
const flawOf = (text: string): string | null => {
  try {
    parseSoundJson(text, 'it')
    return null
  } catch (error) {
    assert.ok(isMadhavaError(error, 'BAD_REQUEST'), String(error))
    const [first] =
      (error.detail as { problems?: { path: string; problem: string }[] } | null)?.problems ?? []
    return first ? `${first.path} ${first.problem}` : error.message
  }
}

describe('JSON from outside', () => {
  it('says how deep it nests, and stops where that is too deep', () => {
    const depthOf = (value: unknown): number =>
      typeof value === 'object' && value !== null
        ? 1 + Math.max(0, ...Object.values(value).map(inner => depthOf(inner)))
        : 0
    fc.assert(
      fc.property(fc.json(), text => {
        assert.equal(scanJson(text, 1_000).depth, depthOf(JSON.parse(text)))
      }),
    )
    assert.equal(scanJson('['.repeat(1_000_000), JSON_DEPTH_LIMIT).depth, JSON_DEPTH_LIMIT + 1)
  })

  it('is refused exactly when a name stands twice in one object, wherever and however written', () => {
    const name = fc.constantFrom('a', 'b', 'a"b', '\\', '😀', '', ':', '{')
    // written plainly or with an escape
    const written = fc
      .tuple(name, fc.boolean())
      .map(([key, escaped]) => ({ key, text: escaped && key === 'a' ? '"\\u0061"' : JSON.stringify(key) }))
    const { tree } = fc.letrec<{ tree: { text: string; twice: boolean } }>(tie => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc
          .constantFrom('1', '"x:1,\\"a\\":2"', 'null', '-0.5e3', '[]', '{}')
          .map(text => ({ text, twice: false })),
        fc.array(tie('tree'), { maxLength: 3 }).map(list => ({
          text: `[${list.map(each => each.text).join(' , ')}]`,
          twice: list.some(each => each.twice),
        })),
        fc.array(fc.tuple(written, tie('tree')), { maxLength: 3 }).map(fields => ({
          text: `{${fields.map(([key, value]) => `${key.text} :${value.text}`).join(',\n')}}`,
          twice:
            new Set(fields.map(([{ key }]) => key)).size < fields.length ||
            fields.some(([, value]) => value.twice),
        })),
      ),
    }))
    fc.assert(
      fc.property(tree, ({ text, twice }) => {
        const flaw = flawOf(text)
        assert.equal(flaw !== null, twice, text)
        if (flaw !== null) assert.match(flaw, /stands there twice/)
      }),
      { numRuns: 1_000 },
    )
  })

  it('is refused exactly when an integer in it lies beyond 2^53 - 1', () => {
    const safe = BigInt(Number.MAX_SAFE_INTEGER)
    fc.assert(
      fc.property(
        fc.oneof(fc.bigInt({ min: -safe - 1_000n, max: safe + 1_000n }), fc.bigInt()),
        fc.constantFrom('', ' ', '\n'),
        (integer, space) => {
          const isLarge = integer > safe || integer < -safe
          for (const [text, place] of [
            [`${space}${integer}${space}`, ''],
            [`{"a":[0,${space}${integer}]}`, 'a.1'],
            [`[{"9":${integer}},1]`, '0.9'],
          ] as const) {
            const flaw = flawOf(text)
            assert.equal(flaw !== null, isLarge, text)
            if (flaw !== null) assert.ok(flaw.startsWith(`${place} is an integer beyond`), flaw)
          }
        },
      ),
    )
    for (const text of [
      '"12345678901234567890"',
      '1e20',
      '12345678901234567890.5',
      '1.0e20',
      '0.12345678901234567890',
    ])
      assert.equal(flawOf(`[${text}]`), null, text)
    assert.equal(flawOf('[1e400]'), '0 is a number that is too large')
    assert.equal(flawOf('[-1e400]'), '0 is a number that is too large')
  })

  it('that is none is called so, whatever stands in it', () => {
    for (const text of [
      '{"a":1,"a":2',
      '[12345678901234567890',
      '-',
      '"',
      '"\\',
      '{"a"',
      '[01234567890123456789]',
    ])
      assert.equal(flawOf(text), 'it is not JSON', text)
    fc.assert(
      fc.property(fc.string(), text => {
        let value: unknown
        try {
          value = JSON.parse(text)
        } catch {
          assert.notEqual(flawOf(text), null)
          return
        }
        if (flawOf(text) === null) assert.deepEqual(parseSoundJson(text, 'it'), value)
      }),
    )
  })
})

describe('cutting a text', () => {
  it('leaves whole signs, as many as fit, and text in any case', () => {
    const sign = fc.constantFrom('a', 'é', '😀', '👩‍👧', '\ud83d', '\ude00')
    fc.assert(
      fc.property(
        fc.array(sign).map(signs => signs.join('')),
        fc.nat(12),
        (text, units) => {
          const short = cutText(text, units)
          assert.ok(short.isWellFormed() && short.length <= units)
          if (text.isWellFormed()) assert.ok(text.startsWith(short))
          assert.ok(short.length >= Math.min(text.length, units) - 1)
        },
      ),
    )
    assert.equal(cutText(`${'x'.repeat(499)}😀`, 500), 'x'.repeat(499))
    assert.equal(cutText(`${'x'.repeat(498)}😀`, 500), `${'x'.repeat(498)}😀`)
  })
})
