// A file of settings: what Node's parser reads is read, in the encodings of editors; what it would pass over is told.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseEnv } from 'node:util'
import fc from 'fast-check'
import { parseEnvFile } from '../../src/platform/env-file.ts'

const read = (text: string, encoding: BufferEncoding = 'utf8') => parseEnvFile(Buffer.from(text, encoding))
const MARK = '\ufeff'

describe('a file of settings', () => {
  it('is read with and without a byte order mark, with line ends of any system, in UTF-8 and UTF-16', () => {
    const wanted = { values: { MAX_DIGITS: '5000', RETENTION: '1h' }, problems: [] }
    const text = 'MAX_DIGITS=5000\nRETENTION=1h\n'
    for (const lines of [text, text.replaceAll('\n', '\r\n'), text.replaceAll('\n', '\r')]) {
      assert.deepEqual(read(lines), wanted)
      assert.deepEqual(read(MARK + lines), wanted)
      assert.deepEqual(read(MARK + lines, 'utf16le'), wanted)
      assert.deepEqual(parseEnvFile(Buffer.from(MARK + lines, 'utf16le').swap16()), wanted)
    }
  })

  it('holds comments, empty lines, export, quotes over several lines and empty values', () => {
    const { values, problems } = read(
      '# a\n\n  export A = 1 # one\nB="x # y" # z\nC=\'two\nlines\'\nD=\nE=#none\n',
    )
    assert.deepEqual(problems, [])
    assert.deepEqual(values, { A: '1', B: 'x # y', C: 'two\nlines', D: '', E: '' })
  })

  it('is refused with the number of the line where a line would be passed over or cut', () => {
    const cases: [string, RegExp][] = [
      ['A 1', /^line 1: must be NAME=value/],
      ['A=1\nB: 2', /^line 2: must be NAME=value/],
      ['A=1\n\nA=2', /^line 3: A stands on line 1 already/],
      ['A="1', /^line 1: the quote of A is not closed/],
      ['A="1\n2" 3', /^line 2: something stands behind the closing quote of A/],
      ['PASSWORD=ab#cd', /^line 1: a # begins a comment/],
      ['\u200bA=1', /^line 1: must be NAME=value/],
    ]
    for (const [text, problem] of cases) {
      const { values, problems } = read(text)
      assert.deepEqual(values, {})
      assert.equal(problems.length, 1, text)
      assert.match(problems[0] ?? '', problem)
    }
    for (const bytes of [Buffer.from('A=é', 'latin1'), Buffer.from('A=1\n', 'utf16le')])
      assert.deepEqual(parseEnvFile(bytes).problems, ['is not text in UTF-8: save it as UTF-8'])
  })

  it('never shows a value, which may be a secret', () => {
    const { problems } = read('A=se#cret\nA="se cret\n')
    assert.ok(problems.length > 1 && problems.every(problem => !/cret/.test(problem)))
  })

  it('gives what Node gives wherever it tells no problem, and takes any bytes', () => {
    const line = fc.stringMatching(/^[A-C=#"'` \t\r\n\\x-]{0,40}$/)
    fc.assert(
      fc.property(line, text => {
        const { values, problems } = read(text)
        if (problems.length === 0) assert.deepEqual(values, { ...parseEnv(text.replace(/\r\n?/g, '\n')) })
      }),
      { numRuns: 2_000 },
    )
    fc.assert(fc.property(fc.uint8Array(), bytes => void parseEnvFile(bytes)))
  })
})
