// The whole on a disk of its own that is filled while it runs: what an operator sees, and that it goes on by itself.
import assert from 'node:assert/strict'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import type { TaskRecord } from '../../src/core/task.ts'
import { startBundle } from '../support/bundle.ts'
import { makeDisk, requireDisk } from '../support/small-disk.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'

/** Writes until nothing more goes in. */
const fill = (file: string): void => {
  const fd = openSync(file, 'w')
  try {
    for (let size = 1024 * 1024; size >= 1; size = Math.floor(size / 16))
      try {
        for (;;) writeSync(fd, Buffer.alloc(size))
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
      }
  } finally {
    closeSync(fd)
  }
}

describe('the bundle on a disk that fills up', () => {
  it('refuses new tasks with 507, ends the running ones, and goes on when there is room', {
    skip: requireDisk('tmpfs'),
    timeout: 300_000,
  }, async t => {
    const disk = makeDisk('tmpfs', 'size=64m')
    undo(t, () => disk.close())
    const bundle = await startBundle(path.join(disk.dir, 'data'), { RETENTION_COUNT: '1000' })
    undo(t, () => bundle.kill())
    const ended = (id: string) =>
      until('the task has ended', async () => (await bundle.get(id)).status === 'SUCCESS', 60_000)
    const storeCheck = async () => {
      const response = await fetch(`${bundle.api}/readyz`)
      const { checks } = (await response.json()) as { checks: { store: { status: string } } }
      return [response.status, checks.store.status]
    }
    const submit = () =>
      fetch(`${bundle.api}/tasks`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ kind: 'sleep', params: { seconds: 0.1 } }),
      })

    const before = await bundle.submit({ kind: 'sleep', params: { seconds: 0.1 } })
    await ended(before.id)
    const kept = bundle.stateFile(before.id)
    const running = await bundle.submit({ kind: 'sleep', params: { seconds: 4 } })
    await until('it runs', async () => (await bundle.get(running.id)).status !== 'PENDING')

    const notBefore = new Date(Date.now() + 8_000).toISOString()
    const waiting = await bundle.submit({ kind: 'sleep', params: { seconds: 0.1 }, notBefore })
    fill(path.join(disk.dir, 'fill'))
    let answer = await submit()
    // the room is looked at now and then, not at every submit
    await until('a submit is refused', async () => {
      if (answer.status !== 202) return true
      answer = await submit()
      return answer.status !== 202
    })
    const problem = (await answer.json()) as { code: string; detail: string }
    assert.deepEqual([answer.status, problem.code], [507, 'STORE_FULL'])
    assert.match(problem.detail, /Make room on (it|the disk)/)
    assert.deepEqual(await storeCheck(), [200, 'degraded'])
    let why = ''
    await until('a task that is due waits for room', async () => {
      why = await (await fetch(`${bundle.api}/task/${waiting.id}/why`)).text()
      return /"NO_ROOM".*disk/.test(why)
    }).catch((error: unknown) => assert.fail(`${String(error)}: ${why}`))
    assert.deepEqual(await bundle.get(before.id), kept)
    await ended(running.id)

    rmSync(path.join(disk.dir, 'fill'))
    await until('a submit is taken again', async () => {
      answer = await submit()
      return answer.status === 202
    })
    await ended(((await answer.json()) as TaskRecord).id)
    await ended(waiting.id)
    await until('the store is well', async () => (await storeCheck())[1] === 'ok')
    assert.deepEqual(bundle.stateFile(before.id), kept)
  })
})
