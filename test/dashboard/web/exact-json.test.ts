// JSON that keeps its digits, and text that hides nothing.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseExact, printExact } from '../../../src/dashboard/web/format/exact-json.ts'
import { segmentsOf, shownText } from '../../../src/dashboard/web/format/hidden-characters.ts'

describe('exact JSON', () => {
  it('keeps every digit of a number', () => {
    for (const digits of ['9007199254740993', '-0', '1e400', '0.1000000000000000055', '1.0', '1E3', '12'])
      assert.equal(printExact(parseExact(`{"a":[${digits}]}`), ''), `{"a":[${digits}]}`)
  })

  it('prints what JSON.stringify prints, of any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), value => {
        // minus zero is the one number that JSON.stringify changes
        const text = JSON.stringify(value)
        assert.equal(printExact(parseExact(text)), JSON.stringify(JSON.parse(text), null, 2))
        assert.equal(printExact(parseExact(JSON.stringify(value, null, 3)), ''), text)
      }),
    )
  })

  it('refuses what is no JSON', () => {
    for (const text of ['', '{', '[1,]', '{"a" 1}', '{a:1}', '1 2', '[1 2]', 'nope', '"a', '{"a":1,}'])
      assert.throws(() => parseExact(text), SyntaxError, text)
  })

  it('takes a key that is a trap for a key', () => {
    assert.equal(printExact(parseExact('{"__proto__":{"x":1}}'), ''), '{"__proto__":{"x":1}}')
  })
})

describe('a text of strangers', () => {
  it('shows characters that would hide or turn something', () => {
    assert.equal(
      shownText('a\u0000b\u001b[31m\u202ec\u200b\u2028\ufeff'),
      'a␀b␛[31m[U+202E]c[U+200B][U+2028][U+FEFF]',
    )
    assert.equal(shownText('tab\tand\nline, Ä, 👩‍💻, שלום'), 'tab\tand\nline, Ä, 👩‍💻, שלום')
  })

  it('keeps everything else as it was, in order', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const segments = segmentsOf(text)
        const seen = segments.filter(({ isHidden }) => !isHidden).map(segment => segment.text)
        assert.equal(seen.join(''), text.replace(/[^\P{C}\t\n\u200c\u200d]|[\u2028\u2029]/gu, ''))
        assert.doesNotMatch(shownText(text), /[^\P{C}\t\n\u200c\u200d]/u)
      }),
    )
  })
})
