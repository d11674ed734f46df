// Tokens, names and passwords: what they are made of, which are the same, and what is refused.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { nameDocumentOf, normalName, parseName } from '../../src/access/name-rules.ts'
import { checkPassword, passwordText } from '../../src/access/password-rules.ts'
import {
  idPrefixOf,
  isSameHash,
  isTokenId,
  newToken,
  parseToken,
  type TokenType,
} from '../../src/access/tokens.ts'
import { parseDocumentName } from '../../src/core/documents.ts'
import { isMadhavaError } from '../../src/core/errors.ts'

const TYPES: readonly TokenType[] = ['key', 'session', 'invitation']
const refuses = (call: () => unknown, code: string, words = /./) =>
  assert.throws(call, error => isMadhavaError(error) && error.code === code && words.test(error.message))

describe('a token', () => {
  it('is read back with its type, its id and the hash that is kept', () => {
    for (const type of TYPES)
      for (const account of [null, 'operator', '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f']) {
        const { token, id, hash } = newToken(type, account)
        assert.match(token, /^md[vsi]_[a-z0-9]{16}_[A-Za-z0-9]{43}$/)
        assert.deepEqual(parseToken(token), { type, id, hash })
        assert.ok(isTokenId(id) && parseDocumentName(id) === id)
        assert.ok(account === null || id.startsWith(idPrefixOf(account)))
        assert.ok(!token.includes(hash))
      }
  })

  it('is never the same twice, and uses all letters', () => {
    const tokens = Array.from({ length: 500 }, () => newToken('key', 'ada').token)
    assert.equal(new Set(tokens).size, tokens.length)
    assert.equal(new Set(tokens.map(token => token.slice(4, 20))).size, tokens.length)
    assert.equal(new Set(tokens.flatMap(token => [...token.slice(21)])).size, 62)
  })

  it('that differs in one letter has another hash, or is none', () => {
    const { token, hash } = newToken('session', 'ada')
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, letter) => {
        fc.pre(token[at] !== letter)
        const read = parseToken(token.slice(0, at) + letter + token.slice(at + 1))
        assert.ok(read === null || !isSameHash(read.hash, hash))
      }),
    )
  })

  it('is no other text', () => {
    const { token } = newToken('key', 'ada')
    for (const text of [
      '',
      token.slice(1),
      `${token}x`,
      ` ${token}`,
      `${token}\n`,
      `${token}\0`,
      token.toUpperCase(),
    ])
      assert.equal(parseToken(text), null, JSON.stringify(text))
    fc.assert(fc.property(fc.string({ maxLength: 200 }), text => parseToken(text) === null))
  })

  it('has an id that begins as all of its account do', () => {
    fc.assert(fc.property(fc.string(), account => /^[a-z0-9]{8}$/.test(idPrefixOf(account))))
    assert.notEqual(idPrefixOf('ada'), idPrefixOf('bob'))
  })
})

describe('a name', () => {
  it('has letters of any language, digits and five signs, and begins with a letter or digit', () => {
    for (const name of [
      'a',
      '7',
      'Ada',
      'ada.l_o-v+e@example.org',
      'Ærøskøbing',
      '小林',
      'Ωμέγα',
      'x'.repeat(64),
      '𝒜'.repeat(3),
    ])
      assert.equal(parseName(name), name.normalize('NFKC'))
    for (const name of [
      '',
      ' ',
      ' ada',
      'ada ',
      '.ada',
      '@ada',
      'a b',
      'a/b',
      'a\n',
      'a\u0000',
      'a\u202e',
      'a\u200d',
      '😀',
      'x'.repeat(65),
      '\ud800',
      'a'.repeat(100_000),
    ])
      refuses(() => parseName(name), 'NAME_INVALID')
  })

  it('is none of the built-in logins, no word for somebody else, and looks like no id', () => {
    for (const name of [
      'operator',
      'Viewer',
      'OPERATOR',
      'ｏperator',
      'me',
      'Nobody',
      'anonymous',
      '0190F3A1-7c5e-7b3a-9d2f-1a2b3c4d5e6f',
    ])
      refuses(() => parseName(name), 'NAME_INVALID')
  })

  it('is the same in capitals and in other forms of its letters', () => {
    for (const [one, other] of [
      ['Ada', 'aDA'],
      ['Ａda', 'ada'],
      ['e\u0301mile', '\u00c9mile'],
      ['ﬁnn', 'finn'],
      ['ΟΔΟΣ', 'οδοσ'],
      ['straße', 'STRASSE'],
      ['adı', 'adi'],
      ['\u212aelvin', 'kelvin'],
    ] as const) {
      assert.equal(normalName(one), normalName(other))
      assert.equal(nameDocumentOf(one), nameDocumentOf(other))
    }
    assert.notEqual(nameDocumentOf('ada'), nameDocumentOf('adb'))
  })

  it('that is taken as it is shown stays the same, for every letter', () => {
    for (let point = 0; point < 0x11_0000; point += 1) {
      const text = `a${String.fromCodePoint(point)}`
      let name: string
      try {
        name = parseName(text)
      } catch {
        continue
      }
      assert.equal(parseName(name), name, text)
      const normal = normalName(name)
      assert.equal(normalName(normal), normal, text)
      assert.equal(normalName(name.toUpperCase()), normal, text)
      assert.equal(normalName(name.toLowerCase()), normal, text)
      assert.ok(name.length <= 128)
    }
  })

  it('has a sound place for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        assert.match(nameDocumentOf(text), /^[0-9a-f]{64}$/)
        assert.equal(normalName(normalName(text)), normalName(text))
      }),
    )
  })
})

describe('a password', () => {
  const refusesFor = (reason: string, password: string, name = 'ada') =>
    assert.throws(
      () => checkPassword(password, name),
      error =>
        isMadhavaError(error, 'PASSWORD_INVALID') &&
        (error.detail as { reason: string }).reason === reason &&
        (password.length < 9 || !error.message.includes(password)),
      JSON.stringify(password.slice(0, 50)),
    )

  it('has 8 to 256 characters, however they are composed', () => {
    for (const password of ['eight ch', 'x1'.repeat(128), 'пароль на память', 'e\u0301'.repeat(200)])
      checkPassword(password, 'ada')
    for (const password of ['seven..', '\u{1f600}'.repeat(7), 'e\u0301'.repeat(7)])
      refusesFor('short', password)
    refuses(() => checkPassword('', 'ada'), 'PASSWORD_INVALID')
    for (const password of [`${'x1'.repeat(128)}x`, 'ﷺ'.repeat(20), 'x'.repeat(1_000_000)])
      refusesFor('long', password)
  })

  it('is neither the name nor among the first that anybody would try', () => {
    refusesFor('name', 'ADA.Lovelace', 'ada.lovelace')
    refusesFor('name', 'ａda.lovelace', 'Ada.Lovelace')
    for (const password of ['password', 'PASSWORD', '12345678', 'qwertyuiop', 'Changeme'])
      refusesFor('common', password)
    checkPassword('password of mine', 'ada')
  })

  it('is the same text from every keyboard, and as it is for the built-in logins', () => {
    assert.equal(passwordText('0190', 'cafe\u0301 noir'), passwordText('0190', 'caf\u00e9 noir'))
    assert.equal(passwordText('operator', 'cafe\u0301 noir'), 'cafe\u0301 noir')
  })
})
