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
import { boundLogs, clearLog, lastWords, readEnd, wordsOfEnd } from '../../src/platform/log-files.ts'

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

describe('the last words of one process', () => {
  const files = () => ({ out: file('x.out.log'), err: file('x.err.log') })
  const of = (pid: number, message: string): string =>
    `${JSON.stringify({ level: 'fatal', time: new Date(0).toISOString(), pid, message })}\n`

  it('are its own, also when others have followed it', async () => {
    writeFileSync(files().out, of(1, 'first') + of(2, 'second'))
    assert.equal(await wordsOfEnd(files(), { pid: 1, at: 0 }), 'first')
    assert.equal(await wordsOfEnd(files(), { pid: 2, at: 0 }), 'second')
    assert.equal(await wordsOfEnd(files(), { pid: 3, at: 0 }), null)
    assert.equal(await wordsOfEnd({ out: null, err: null }, { pid: 1, at: 0 }), null)
  })

  it('say that it ran out of memory, as Node itself writes it', async () => {
    const script = 'const kept = []; for (;;) kept.push(new Array(1000).fill({}))'
    const { pid, stderr } = spawnSync(process.execPath, ['--max-old-space-size=16', '-e', script])
    writeFileSync(files().err, stderr)
    appendFileSync(files().err, 'a line of the next one\n')
    assert.match((await wordsOfEnd(files(), { pid, at: 0 })) ?? '', /^FATAL ERROR: .*heap out of memory/)
    assert.equal(await wordsOfEnd(files(), { pid: pid + 1, at: 0 }), null)
  })

  it('are a crash on standard error only if it was written near the end', async () => {
    writeFileSync(files().err, 'Error: lost\n    at x\n\nNode.js v24.0.0\n')
    const at = statSync(files().err).mtimeMs
    assert.equal(await wordsOfEnd(files(), { pid: 1, at }), 'Error: lost')
    assert.equal(await wordsOfEnd(files(), { pid: 1, at: at - 60_000 }), null)
  })
})

describe('a log that is cleared', () => {
  it('is empty, with what was kept aside, and nothing else is touched', async () => {
    writeFileSync(file('a.log'), 'text')
    writeFileSync(file('a.log.1'), 'older')
    await clearLog(file('a.log'))
    assert.equal(statSync(file('a.log')).size, 0)
    assert.throws(() => statSync(file('a.log.1')))
    await clearLog(file('none.log'))
    await clearLog(folder)
  })
})
