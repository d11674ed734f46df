// Idempotency keys at the REST door over a store of files, as two processes and a restart see them.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, describe, it } from 'node:test'
import type { TaskRecord } from '../../src/core/task.ts'
import { silentLog } from '../../src/platform/log.ts'
import { openFilesStore } from '../../src/stores/files/open.ts'
import { createFixture, jsonOf } from './fixture.ts'

describe('idempotency keys', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'madhava-keys-'))
  after(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }))
  const open = async () =>
    createFixture({ store: await openFilesStore({ dir, clock: () => new Date(), log: silentLog() }) })

  it('hold over processes and restarts, for one task and for many: the same body the same tasks, another 422', async () => {
    const one = { kind: 'echo', params: { a: 1, b: 2 } }
    const many = [1, 2, 3].map(params => ({ kind: 'echo', params }))
    const send = async (door: Awaited<ReturnType<typeof open>>, body: unknown, key: string) => {
      const response = await door.post('/tasks', body, { 'idempotency-key': key })
      const answer = await jsonOf<TaskRecord | TaskRecord[]>(response)
      return {
        status: response.status,
        replayed: response.headers.get('idempotent-replayed'),
        ids: [answer].flat().map(({ id }) => id),
      }
    }
    const [here, there] = [await open(), await open()]
    const first = await send(here, one, 'k')
    assert.deepEqual([first.status, first.replayed], [202, null])
    const list = await send(there, many, 'list')
    for (const door of [there, here]) {
      assert.deepEqual(await send(door, { params: { b: 2, a: 1 }, kind: 'echo' }, 'k'), {
        status: 202,
        replayed: 'true',
        ids: first.ids,
      })
      assert.deepEqual((await send(door, many, 'list')).ids, list.ids)
      assert.equal((await send(door, { ...one, priority: 9 }, 'k')).status, 422)
      assert.equal((await send(door, many.slice(1), 'list')).status, 422)
    }
    // at the same moment from both: one task
    const both = await Promise.all([here, there, here, there].map(door => send(door, one, 'race')))
    assert.equal(new Set(both.flatMap(({ ids }) => ids)).size, 1)
    await here.close()
    await there.close()
    const again = await open()
    assert.deepEqual((await send(again, one, 'k')).ids, first.ids)
    assert.deepEqual((await send(again, many, 'list')).ids, list.ids)
    assert.equal((await send(again, many, 'k')).status, 422)
    assert.equal((await again.store.counts()).total, 5)
    await again.close()
  })
})
