// The hint for a word that is not known: a slip of the hand is found, another word is not.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { didYouMean, nearest } from '../../src/core/nearest.ts'

const KNOWN = ['HOST', 'ROLES', 'CONCURRENCY', 'LOG_LEVEL', 'DATA_DIR']

describe('the nearest known word', () => {
  it('is the one that was meant, whatever its case', () => {
    for (const [word, meant] of [
      ['CONCURENCY', 'CONCURRENCY'],
      ['concurrency', 'CONCURRENCY'],
      ['LOGLEVEL', 'LOG_LEVEL'],
      ['ROLE', 'ROLES'],
      ['DATADIR', 'DATA_DIR'],
      ['HSOT', 'HOST'],
    ] as const)
      assert.equal(nearest(word, KNOWN), meant)
    assert.equal(didYouMean('ROLE', KNOWN), '; did you mean ROLES?')
  })

  it('is none for another word, an empty one, a very long one, and where nothing is known', () => {
    for (const word of ['HOME', 'USER', 'PATH', '', 'x'.repeat(100_000)])
      assert.equal(nearest(word, KNOWN), null)
    assert.equal(nearest('ROLE', []), null)
    assert.equal(didYouMean('PATH', KNOWN), '')
  })

  it('is the word itself where it is known, and one letter off is always found', () => {
    fc.assert(
      fc.property(fc.constantFrom(...KNOWN), fc.nat(), (word, at) => {
        assert.equal(nearest(word, KNOWN), word)
        const place = at % word.length
        assert.equal(nearest(word.slice(0, place) + word.slice(place + 1), KNOWN), word)
      }),
    )
  })
})
