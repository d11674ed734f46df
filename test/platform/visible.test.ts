// What reaches a log or a terminal holds nothing that a terminal would obey, or that nobody would see.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { visibleJson, visibleText } from '../../src/platform/visible.ts'

/** Written without them, so that this file can be read. */
const of = (...codes: number[]) => String.fromCodePoint(...codes)
const HOSTILE = [
  ...[0x7f, 0x80, 0x85, 0x9b, 0x9f, 0xad, 0x61c, 0x200b, 0x200e, 0x200f, 0x2028, 0x2029],
  ...[0x202a, 0x202e, 0x2066, 0x2069, 0xfeff, 0xe0041],
].map(code => of(code))
const HALVES = ['\ud83d', '\udc00']
const UNSEEN = /[\u007f-\u009f\u2028\u2029]|\p{Cf}|\p{Surrogate}/u

describe('text that is made visible', () => {
  it('keeps what people write and shows what nobody sees', () => {
    assert.equal(visibleText('Größe 😀 日本\ttab\nline'), 'Größe 😀 日本\ttab\nline')
    assert.equal(
      visibleText(`a${of(0x9b)}2J${of(0x1b)}[31m\r${of(0x202e)}\ud83d`),
      'a\\u009b2J\\u001b[31m\\u000d\\u202e\\ud83d',
    )
    for (const character of [...HOSTILE, ...HALVES]) {
      assert.doesNotMatch(visibleText(`x${character}y`), UNSEEN)
      assert.doesNotMatch(visibleJson(`"x${character}y"`), UNSEEN)
    }
  })

  it('means the same as JSON, whatever stands in it', () => {
    const text = fc.string({
      unit: fc.oneof(fc.constantFrom(...HOSTILE, ...HALVES), fc.string({ unit: 'binary' })),
    })
    fc.assert(
      fc.property(text, value => {
        const shown = visibleJson(JSON.stringify({ [value]: value }))
        assert.doesNotMatch(shown, UNSEEN)
        assert.deepEqual(JSON.parse(shown), { [value]: value })
      }),
    )
  })

  it('is what a log line is made of, and the command that an error of Redis carries is left out', () => {
    const log = fileURLToPath(new URL('../../src/platform/log.ts', import.meta.url))
    const script = `
      const { createLog } = await import(${JSON.stringify(log)})
      const hostile = String.fromCodePoint(0x9b, 0x85, 0x202e, 0x1b, 0x2028, 0xd83d)
      const error = Object.assign(new Error('WRONGPASS ' + hostile), { command: { name: 'auth', args: ['geheim9'] }, code: 'X' })
      createLog('api', 'info').warn({ path: hostile, error }, 'met ' + hostile)`
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', script],
      {
        encoding: 'utf8',
      },
    )
    assert.match(stdout, /\n$/, stderr)
    assert.doesNotMatch(stdout.trimEnd(), /\p{Cc}|\p{Cf}|[\u2028\ufffd]/u)
    assert.ok(!stdout.includes('geheim9'))
    const line = JSON.parse(stdout) as {
      path: string
      message: string
      error: { code: string; message: string }
    }
    const hostile = of(0x9b, 0x85, 0x202e, 0x1b, 0x2028) + HALVES[0]
    assert.deepEqual([line.path, line.message, line.error.code], [hostile, `met ${hostile}`, 'X'])
    assert.equal(line.error.message, `WRONGPASS ${hostile}`)
  })
})
