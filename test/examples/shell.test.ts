// The example shell in a worker: its lines while it runs, its group gone with a cancel.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, describe, it } from 'node:test'
import { processesWith } from '../support/find-processes.ts'
import { until } from '../support/until.ts'
import { openPool } from '../worker/runner-fixture.ts'
import { startWorker } from './around.ts'

const threads = openPool(1)
after(() => threads.close())

describe('the example shell', { timeout: 300_000 }, () => {
  it('has its lines in the log while it runs, and ends its whole group on a cancel', async t => {
    const world = await startWorker(t, threads)
    const word = randomUUID()
    // children and a grandchild that all outlive a SIGTERM to their parent alone
    const script =
      'sh -c "sleep 1000; : $0" "$0" & (trap "" TERM; sleep 1000 & wait; sleep 1000; : $0) & echo begun; wait'
    const id = await world.submit('shell', { command: 'sh', args: ['-c', script, word] })
    const taken = await world.runner.take()
    await until('its line is in the log', async () => (await world.log(id)).includes('begun'))
    assert.ok(processesWith(word).length >= 3, `${processesWith(word)}`)
    await world.client.revoke(id, new Date().toISOString())
    await taken?.ended
    assert.equal((await world.get(id)).status, 'REVOKED')
    await until('no process of it lives', () => processesWith(word).length === 0)
  })

  it('gives the output, and hands arguments to no shell', async t => {
    const world = await startWorker(t, threads)
    const args = ['$HOME', ';', 'exit 1', '`id`', '']
    const id = await world.submit('shell', { command: 'printf', args: ['<%s>', ...args] })
    await world.attempt()
    const { status, result } = await world.get(id)
    assert.deepEqual(
      [status, result],
      ['SUCCESS', { output: '<$HOME><;><exit 1><`id`><>', truncated: false }],
    )
  })

  it('fails with the exit code and the last lines, and is not run again', async t => {
    const world = await startWorker(t, threads)
    const id = await world.submit('shell', { command: 'sh', args: ['-c', 'echo it broke >&2; exit 3'] })
    await world.attempt()
    const { status, error } = await world.get(id)
    assert.equal(status, 'FAILURE')
    assert.match(error?.message ?? '', /exit code 3\nit broke/)
  })

  it('keeps the end of a long output, and no more', async t => {
    const world = await startWorker(t, threads)
    const id = await world.submit('shell', { command: 'seq', args: ['100000'] })
    await world.attempt()
    const { status, result } = await world.get(id)
    assert.equal(status, 'SUCCESS')
    const { output, truncated } = result as { output: string; truncated: boolean }
    assert.ok(truncated && output.length <= 16 * 1024 && output.endsWith('99999\n100000\n'))
  })
})
