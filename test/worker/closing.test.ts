// A worker that closes tells other workers at once about the tasks that it gives back.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { DEFAULT_KIND_SETTINGS, loadKind } from '../../src/core/kind.ts'
import { createKinds } from '../../src/core/kinds.ts'
import { createService } from '../../src/core/service.ts'
import { RESULT_LIMITS } from '../../src/core/task.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createMemory } from '../../src/stores/memory/open.ts'
import { openWorker } from '../../src/worker/worker.ts'
import { kindSetsOf } from '../support/kind-sets.ts'
import { newTaskOf } from '../support/new-task.ts'
import { createNotingQueue } from '../support/noting-queue.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'
import unruly from './unruly.ts'

const clock = () => new Date()
const log = silentLog()

describe('a worker that closes', () => {
  it('announces what it gives back, and nothing that has ended', { timeout: 300_000 }, async t => {
    const folder = await mkdtemp(path.join(tmpdir(), 'madhava-scratch-'))
    undo(t, () => rm(folder, { recursive: true }))
    const memory = createMemory()
    const store = memory.open({ clock })
    const { queue, announced } = createNotingQueue()
    const kinds = createKinds([loadKind('unruly', unruly, 'unruly.ts')])
    const submit = async (act: string) => {
      const createdAt = clock().toISOString()
      const task = newTaskOf({ kind: 'unruly', params: { act, value: null }, createdAt })
      return (await store.create(task, null)).task.id
    }
    const long = await submit('checkpoint and wait')
    const short = await submit('return the value')
    const worker = openWorker(
      {
        slots: 2,
        cores: 1,
        taskMemoryMb: 64,
        drainMs: 0,
        results: RESULT_LIMITS,
        kindSettings: DEFAULT_KIND_SETTINGS,
        scratchDir: path.join(folder, 'scratch'),
        retentionMs: 1e9,
        retentionCount: 1e6,
        retentionBytes: null,
      },
      {
        store,
        storePlace: 'memory',
        queue,
        kindSets: kindSetsOf(kinds, { unruly: fileURLToPath(new URL('./unruly.ts', import.meta.url)) }),
        service: createService({ store, queue, kinds, clock }),
        clock,
      },
      log,
    )
    const statusOf = async (id: string) => (await store.get(id))?.status
    await until('one has ended', async () => (await statusOf(short)) === 'SUCCESS')
    await until('the other one runs', async () => (await statusOf(long)) === 'PROGRESS')
    announced.length = 0
    await worker.close()
    assert.equal(await statusOf(long), 'PENDING')
    assert.deepEqual(announced, [{ id: long, kind: 'unruly' }])
    await store.close()
  })
})
