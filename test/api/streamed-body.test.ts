import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pino } from 'pino'
import { streamOf } from '../../src/api/streamed-body.ts'
import { soon } from '../support/soon.ts'

describe('a streamed body', () => {
  /** Two chunks, the second of which comes or fails when the test says so. */
  const open = async () => {
    const lines: string[] = []
    let settle: { resolve: (chunk: Uint8Array) => void; reject: (error: Error) => void } | undefined
    let asked = (): void => undefined
    const waiting = new Promise<void>(resolve => {
      asked = resolve
    })
    let ended = false
    const chunks = (async function* () {
      try {
        yield Buffer.from('one')
        yield await new Promise<Uint8Array>((resolve, reject) => {
          settle = { resolve, reject }
          asked()
        })
      } finally {
        ended = true
      }
    })()
    const log = pino({ level: 'trace', errorKey: 'error' }, { write: line => lines.push(line) })
    const stream = await streamOf(chunks, log, 'r')
    const reader = stream.getReader()
    assert.equal(Buffer.from((await reader.read()).value ?? []).toString(), 'one')
    const second = reader.read().then(
      part => part.done,
      () => 'broken',
    )
    await soon(waiting, 'the pull of the second chunk')
    return { lines, reader, second, settle: () => settle, ended: () => ended }
  }

  it('says nothing in the log when the client leaves while a chunk is on its way, come what may', async () => {
    for (const fails of [false, true]) {
      const { lines, reader, second, settle, ended } = await open()
      const cancelled = reader.cancel()
      if (fails) settle()?.reject(new Error('too late'))
      else settle()?.resolve(Buffer.from('two'))
      await soon(
        cancelled.catch(() => undefined),
        'the end of the stream',
      )
      assert.equal(await second, true)
      assert.equal(ended(), true)
      assert.deepEqual(lines, [])
    }
  })

  it('breaks off and tells the log why when what it reads fails with the client still there', async () => {
    const { lines, second, settle } = await open()
    settle()?.reject(new Error('the disk is gone'))
    assert.equal(await soon(second, 'the break'), 'broken')
    assert.equal(lines.length, 1)
    assert.match(lines[0] ?? '', /the disk is gone/)
  })
})
