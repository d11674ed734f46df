// The double of an old client: what it is for every result, and that it is never a wrong one.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import type { StoredContent } from '../../src/core/content.ts'
import { HEAD_BYTES, leadingNumber, leadingNumberOfContent } from '../../src/rpc/leading-number.ts'

const contentOf = (text: string, contentType = 'text/plain; charset=utf-8'): StoredContent => {
  const bytes = Buffer.from(text)
  return {
    contentType,
    bytes: bytes.length,
    open: async range => Readable.from([bytes.subarray(range?.start ?? 0, range?.end ?? bytes.length)]),
  }
}

test('a number is itself, and a text gives the number it begins with', () => {
  for (const [result, number] of [
    [3, 3],
    [-0.5, -0.5],
    ['3', 3],
    ['2.71', 2.71],
    ['-2.5e3 metres', -2500],
    ['+7', 7],
    ['12.', 12],
    ['12e', 12],
  ] as const)
    assert.equal(leadingNumber(result), number, String(result))
})

test('what is no number, or none that a double holds, gives none', () => {
  for (const result of [
    null,
    true,
    '',
    ' 1',
    '.5',
    'pi',
    'NaN',
    'Infinity',
    '-',
    [1],
    { a: 1 },
    '9'.repeat(400),
    '1e999',
  ])
    assert.equal(leadingNumber(result), null, JSON.stringify(result))
})

test('any finite number comes back from its text, whatever follows it', () => {
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom('', ' ', 'x', '\n'),
      (number, tail) => {
        assert.equal(leadingNumber(`${number}${tail}`), Number(String(number)))
        assert.equal(leadingNumber(number), Number(String(number)))
      },
    ),
  )
})

test('the head of a long decimal text gives the value of the whole', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: -1_000_000, max: 1_000_000 }),
      fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 40, maxLength: 200 }),
      async (whole, digits) => {
        const text = `${whole}.${digits.join('')}`
        const found = await leadingNumberOfContent(contentOf(text))
        assert.ok(found !== null && Math.abs(found - Number(text)) <= Math.abs(Number(text)) * 1e-15 + 1e-20)
      },
    ),
  )
})

test('a head that does not show the size of the number gives none rather than a wrong one', async () => {
  for (const text of [
    '1'.repeat(100),
    `${'1'.repeat(HEAD_BYTES)}.5`,
    `1.5e1${'0'.repeat(40)}`,
    `1.${'5'.repeat(29)}e9`,
  ])
    assert.equal(await leadingNumberOfContent(contentOf(text)), null, text)
  assert.equal(await leadingNumberOfContent(contentOf('2.5', 'application/json')), null)
})
