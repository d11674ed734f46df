// The words for a field that is not known: which, which was meant, and never more than a reader can take in.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { explainUnknownFields } from '../../src/core/unknown-fields.ts'

const schema = z.strictObject({
  params: z.number().optional(),
  inner: z.strictObject({ kind: z.string() }).optional(),
})
const wordsFor = (value: unknown): string =>
  schema
    .safeParse(value, { error: explainUnknownFields })
    .error?.issues.map(({ message }) => message)
    .join('; ') ?? ''

describe('an unknown field', () => {
  it('is named with the one that was meant, at any depth', () => {
    assert.equal(
      wordsFor({ parms: 1 }),
      'unknown field "parms" (did you mean "params"?); known are "params", "inner"',
    )
    assert.equal(
      wordsFor({ inner: { kind: 'x', kidn: 1, colour: 2 } }),
      'unknown fields "kidn" (did you mean "kind"?), "colour"; known are "kind"',
    )
  })

  it('leaves every other problem in the words of its schema', () => {
    assert.equal(wordsFor({ params: 'x' }), schema.safeParse({ params: 'x' }).error?.issues[0]?.message)
  })

  it('makes a short message of a hundred thousand long ones', () => {
    const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`${'x'.repeat(100)}${n}`, 0]))
    assert.match(wordsFor(many), /and 99995 more/)
    assert.ok(wordsFor(many).length < 1_000)
  })
})
