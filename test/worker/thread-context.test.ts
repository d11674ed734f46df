// What a kind says inside its thread, as the worker gets it: each thing once, within its bounds.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FromThread } from '../../src/worker/pool/protocol.ts'
import { createThreadChildren } from '../../src/worker/thread/children.ts'
import { createThreadContext } from '../../src/worker/thread/context.ts'
import { contextWith } from '../support/task-context.ts'

const open = () => {
  const posted: FromThread[] = []
  const kindContext = createThreadContext({
    run: 1,
    request: { id: 'x', attempt: 1, kind: 'k', file: '/k.ts', params: null, resume: null },
    resume: null,
    signal: new AbortController().signal,
    submit: () => Promise.reject(new Error('not here')),
    files: { ...contextWith({ scratch: '' }), scratch: () => '' },
    partialBytes: 100,
    sharedCores: { cores: 1, running: new Int32Array(1) },
    post: message => posted.push(message),
  })
  const logged = () => posted.flatMap(message => (message.type === 'log' ? message.lines : []))
  return { ...kindContext, posted, logged, lines: () => logged().map(({ text }) => text) }
}

describe('what a kind prints', () => {
  it('is kept line by line, and once, however it comes in', () => {
    const { print, flush, lines } = open()
    for (const piece of ['one\ntw', 'o\n', '\nfo', 'ur']) print(piece, 'info')
    flush()
    flush()
    assert.deepEqual(lines(), ['one', 'two', '', 'four'])
  })

  it('is cut if a line is too long, and the rest becomes a line of its own', () => {
    const { print, flush, lines } = open()
    print('a'.repeat(5_000), 'info')
    print('the rest\n', 'info')
    print(`${'b'.repeat(5_000)}\nnext`, 'info')
    flush()
    assert.deepEqual(lines(), [`${'a'.repeat(4_095)}…`, 'the rest', `${'b'.repeat(4_095)}…`, 'next'])
  })

  it('is a warning on standard error, and does not mix with what comes on standard output meanwhile', () => {
    const { print, flush, logged } = open()
    print('half a ', 'info')
    print('trouble\n', 'warn')
    print('line\n', 'info')
    flush()
    assert.deepEqual(
      logged().map(({ level, text }) => `${level} ${text}`),
      ['warn trouble', 'info half a line'],
    )
  })

  it('tells how many lines of each flood were left out between the first and the last', () => {
    const { context, flush, logged, posted } = open()
    context.log('first')
    for (const flood of [1, 2]) {
      for (let line = 0; line < 1_500; line += 1) context.log(`${flood} ${line}`)
      flush()
    }
    const told = logged()
    // where the processor was away for a while, a flood comes in more than one message
    for (const flood of ['1', '2']) {
      const lines = told.filter(({ text }) => text.startsWith(`${flood} `))
      const numbers = lines.map(({ text }) => Number(text.slice(2)))
      assert.deepEqual([numbers[0], numbers.at(-1)], [0, 1_499])
      for (const [n, { skipped }] of lines.entries())
        assert.equal(skipped, (numbers[n] ?? 0) - (numbers[n - 1] ?? -1) - 1, `before line ${numbers[n]}`)
    }
    assert.ok(told.length <= 1 + 1_000 * posted.length, 'of each message the first and the last 500')
    if (posted.length === 3)
      assert.deepEqual([told.length, told.filter(({ skipped }) => skipped > 0).length], [2_001, 2])
  })

  it('has no effect once the run is over', () => {
    const { context, print, flush, close, posted } = open()
    close()
    context.log('late')
    context.progress(5)
    context.checkpoint({ late: true })
    print('late\n', 'info')
    flush()
    assert.deepEqual(posted, [])
  })
})

describe('what a kind submits', () => {
  it('is sent a few at a time, and not at all once the run is over', async () => {
    const posted: FromThread[] = []
    const children = createThreadChildren({
      run: 1,
      signal: new AbortController().signal,
      post: message => posted.push(message),
    })
    const settled: number[] = []
    for (let child = 0; child < 40; child += 1) {
      const note = () => void settled.push(child)
      children.submit('k', { child }).then(note, note)
    }
    assert.equal(posted.length, 32)
    children.answered(1, { id: 'a' })
    assert.equal(posted.length, 33)
    children.close()
    children.answered(2, { id: 'b' })
    await assert.rejects(children.submit('k'), { code: 'CLAIM_LOST' })
    assert.deepEqual([posted.length, settled], [33, [0, 1]])
  })
})
