import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { boundLogs, lastWords, readEnd } from '../../src/platform/log-files.ts'

let folder: string
const file = (name: string): string => path.join(folder, name)
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'madhava-logs-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('the folder of logs', () => {
  it('stays bounded: the end of a long file goes aside in whole lines, and the file goes on empty', async () => {
    const lines = Array.from({ length: 500 }, (_, n) => `line ${n}\n`)
    writeFileSync(file('worker.out.log'), lines.join(''))
    writeFileSync(file('api.out.log'), 'short\n')
    await boundLogs(folder, 100)
    assert.equal(statSync(file('worker.out.log')).size, 0)
    assert.equal(readFileSync(file('worker.out.log.1'), 'utf8'), lines.slice(-11).join(''))
    assert.equal(readFileSync(file('api.out.log'), 'utf8'), 'short\n')
    appendFileSync(file('worker.out.log'), 'more\n')
    await boundLogs(folder, 100)
    assert.equal(readFileSync(file('worker.out.log'), 'utf8'), 'more\n')
    writeFileSync(file('worker.out.log'), 'x'.repeat(300))
    await boundLogs(folder, 100)
    assert.equal(readFileSync(file('worker.out.log.1'), 'utf8'), 'x'.repeat(100))
  })

  it('is read from the end, whatever lies there', async () => {
    writeFileSync(file('a.log'), '0123456789')
    const end = await readEnd(file('a.log'), 3)
    assert.deepEqual([end?.bytes.toString(), end?.size], ['789', 10])
    assert.equal(await readEnd(file('none.log'), 3), null)
    assert.equal(await readEnd(folder, 3), null)
    spawnSync('mkfifo', [file('pipe.log')])
    assert.equal(await readEnd(file('pipe.log'), 3), null)
  })
})

describe('the last words of a role', () => {
  const start = Date.parse('2026-01-31T12:00:00.000Z')
  const line = (level: string, message: string, error?: string, ms = start): string =>
    `${JSON.stringify({ level, time: new Date(ms).toISOString(), role: 'rpc', message, ...(error ? { error: { message: error } } : {}) })}\n`
  const words = () => lastWords(folder, 'rpc', start)

  it('are the text of its last fatal line', async () => {
    writeFileSync(
      file('rpc.out.log'),
      line('fatal', 'first') +
        line('fatal', 'Port 1 is taken', 'Port 1 is taken') +
        line('info', 'x "level":"fatal"'),
    )
    assert.equal(await words(), 'Port 1 is taken')
    appendFileSync(file('rpc.out.log'), line('fatal', 'an error was not caught', 'no\nsuch\tthing'))
    assert.equal(await words(), 'an error was not caught: no such thing')
  })

  it('are what Node wrote on standard error when it said nothing itself', async () => {
    writeFileSync(
      file('rpc.err.log'),
      "file:///app/x.js:1\nimport y\n\nSyntaxError: Cannot use 'import'\n    at compile\n\nNode.js v24\n",
    )
    assert.equal(await words(), "SyntaxError: Cannot use 'import'")
    appendFileSync(file('rpc.err.log'), 'FATAL ERROR: Reached heap limit Allocation failed\n')
    assert.equal(await words(), 'FATAL ERROR: Reached heap limit Allocation failed')
  })

  it('are none when they are older, broken, or there are no logs', async () => {
    assert.equal(await words(), null)
    writeFileSync(file('rpc.out.log'), `${line('fatal', 'old', 'old', start - 1)}{"level":"fatal"\n`)
    writeFileSync(file('rpc.err.log'), 'Error: old\n')
    utimesSync(file('rpc.err.log'), start / 1000 - 10, start / 1000 - 10)
    assert.equal(await words(), null)
  })

  it('are none of a process that another one has followed since', async () => {
    const of = (pid: number, level: string, message: string, ms: number): string =>
      `${JSON.stringify({ level, time: new Date(ms).toISOString(), role: 'rpc', pid, message })}\n`
    writeFileSync(file('rpc.out.log'), of(1, 'info', 'ready', start) + of(1, 'fatal', 'gone', start + 1_000))
    assert.equal(await words(), 'gone')
    appendFileSync(file('rpc.out.log'), of(2, 'info', 'ready', start + 2_000))
    assert.equal(await words(), null)
    appendFileSync(file('rpc.out.log'), of(2, 'fatal', 'gone again', start + 3_000))
    assert.equal(await words(), 'gone again')
    appendFileSync(file('rpc.out.log'), of(3, 'info', 'ready', start + 4_000))
    // on standard error: of the first, written before the third began
    const crash = 'Error: lost\n    at x\n\nNode.js v24.0.0\n'
    writeFileSync(file('rpc.err.log'), crash)
    utimesSync(file('rpc.err.log'), start / 1000 + 3, start / 1000 + 3)
    assert.equal(await words(), null)
    utimesSync(file('rpc.err.log'), start / 1000 + 5, start / 1000 + 5)
    assert.equal(await words(), 'Error: lost')
    appendFileSync(file('rpc.err.log'), '(node:3) Warning: something\n')
    assert.equal(await words(), null)
  })

  it('are bounded, and on one line', async () => {
    writeFileSync(file('rpc.out.log'), line('fatal', `a\u001b[31m\n${'b'.repeat(5_000)}`))
    const found = await words()
    assert.match(found ?? '', /^a \[31m b+$/)
    assert.equal(found?.length, 500)
  })
})
