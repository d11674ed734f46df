// Tails of log files: bounded, whole lines, plain text.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { readTail, TAIL } from '../../src/dashboard/logs.ts'

describe('the tail of a log', () => {
  let folder: string
  let file: string
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'madhava-logs-'))
    file = path.join(folder, 'out.log')
  })
  after(() => rm(folder, { recursive: true, force: true }))

  it('is empty for a file that is not there, and for what is no plain file', async () => {
    const nothing = { lines: [], more: false, bytes: null }
    assert.deepEqual(await readTail(path.join(folder, 'none.log'), 10), nothing)
    assert.deepEqual(await readTail(folder, 10), nothing)
    assert.deepEqual(await readTail('/dev/null', 10), nothing)
  })

  it('is the last lines, oldest first, and says whether there are more', async () => {
    await writeFile(file, 'one\ntwo\r\nthree\nfour')
    assert.deepEqual(await readTail(file, 2), { lines: ['three', 'four'], more: true, bytes: 19 })
    assert.deepEqual(await readTail(file, 9), {
      lines: ['one', 'two', 'three', 'four'],
      more: false,
      bytes: 19,
    })
  })

  it('is whole lines out of the last 64 KiB of a large file', async () => {
    const lines = Array.from({ length: 50_000 }, (_, index) => `line ${index} ä`)
    await writeFile(file, `${lines.join('\n')}\n`)
    const tail = await readTail(file, 5_000)
    assert.equal(tail.lines.length, TAIL.lines)
    assert.deepEqual(tail.lines, lines.slice(-TAIL.lines))
    assert.equal(tail.more, true)
  })

  it('cuts a long line, also one that is longer than all that is read, between characters', async () => {
    await writeFile(file, `${'€'.repeat(100_000)}`)
    const { lines, more } = await readTail(file, 10)
    assert.equal(lines.length, 1)
    assert.match(lines[0] ?? '', /^�{0,2}€+ \[…\]$/)
    assert.ok(Buffer.byteLength(lines[0] ?? '') < TAIL.lineBytes + 16)
    assert.equal(more, true)
  })

  it('has no colours, and shows every control character and every turn of direction', async () => {
    await writeFile(
      file,
      '\u001b[31mred\u001b[0m\u0007\ta\u0000b\u007f\u202ec\rd\u2028e\u0085f\n<script>x</script>\n\u001b]8;;x\u0007',
    )
    const { lines } = await readTail(file, 10)
    assert.deepEqual(lines, ['red␇\ta␀b␡�c␍d�e�f', '<script>x</script>', '␛]8;;x␇'])
  })

  it('never fails, hides nothing and stays within its bounds, whatever the bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async bytes => {
        await writeFile(file, bytes)
        const { lines } = await readTail(file, 1000)
        assert.equal(
          lines.length,
          Buffer.from(bytes).toString('latin1').replace(/\n$/, '').split('\n').length -
            (bytes.length === 0 ? 1 : 0),
        )
        for (const line of lines) assert.doesNotMatch(line, /(?!\t)[\p{Cc}\u202e]/u)
      }),
      { numRuns: 50 },
    )
  })
})
