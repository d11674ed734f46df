// Workers that are killed at any moment while they run a module or a program: the next one goes on from the checkpoint,
// and of the first nothing is left.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { deserialize } from 'node:v8'
import { BLOBS } from '../../src/core/content.ts'
import { isFinal, isRunning, type TaskRecord } from '../../src/core/task.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createLeftovers } from '../../src/worker/processes/end-leftovers.ts'
import { createSweeper } from '../../src/worker/sweeper.ts'
import { startChild } from '../support/child.ts'
import { processesWith } from '../support/find-processes.ts'
import { newTaskOf } from '../support/new-task.ts'
import { createNotingQueue } from '../support/noting-queue.ts'
import { openPlace, type StorePlace } from '../support/store-place.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'
import { RUNNERS, whyNotHere } from '../worker/acts/places.ts'

const RANDOM_MS = 500
/** A checkpoint begins with the hash of the rest. */
const HASH_BYTES = 32
/** Steps of 20 ms: some checkpoints, of which one is written every two seconds. */
const STEPS = 250

for (const runner of RUNNERS)
  describe(`a worker that is killed while it runs a ${runner}`, { timeout: 600_000 }, () => {
    it('leaves nothing running, and the next attempt goes on', { skip: whyNotHere(runner) }, async t => {
      const folder = await mkdtemp(path.join(tmpdir(), 'madhava-killed-run-'))
      undo(t, () => rm(folder, { recursive: true, force: true }))
      const place: StorePlace = { adapter: 'files', dir: path.join(folder, 'data'), writerThread: false }
      const store = await openPlace(place)
      undo(t, () => store.close())
      const log = silentLog()
      const leftovers = createLeftovers({ store: '-', log })
      const sweeper = createSweeper({
        ...{
          store,
          queue: createNotingQueue().queue,
          kinds: () => ['acts'],
          poll() {},
          clock: () => new Date(),
          log,
        },
        retention: () => ({ finishedBefore: null, maxCount: null, maxBytes: null }),
        retentionMs: 1e9,
        everyMs: 200,
      })
      undo(t, () => sweeper.close())
      const task = newTaskOf({
        ...{ kind: 'acts', params: { act: 'count', value: STEPS }, createdAt: new Date().toISOString() },
      })
      const { id } = (await store.create(task, null)).task
      const get = async (): Promise<TaskRecord> => (await store.get(id)) ?? assert.fail('no task')
      const saved = async (): Promise<number> => {
        const blob = await store.getBlob(id, BLOBS.checkpoint)
        return blob ? (deserialize((await buffer(blob.stream)).subarray(HASH_BYTES)) as number) : 0
      }
      const start = () =>
        startChild<{ taken?: boolean; ended?: boolean }>('acts-worker.ts', { place, runner, folder })

      const first = start()
      try {
        await until('a checkpoint is kept', async () => (await saved()) > 0)
        // a moment that nobody has chosen
        await wait(Math.random() * RANDOM_MS)
      } finally {
        await first.kill()
      }
      const kept = await saved()
      await until('it is taken over', async () => !isRunning((await get()).status))
      assert.equal((await get()).status, 'PENDING')
      await leftovers.end()
      assert.deepEqual(processesWith(folder), [])

      const second = start()
      try {
        await until('it is done', async () => isFinal((await get()).status))
        await second.line(({ ended }) => ended === true)
      } finally {
        await second.stop()
      }
      const { status, result, error } = await get()
      assert.deepEqual([status, error], ['SUCCESS', null])
      assert.deepEqual(result, { from: kept, attempt: 2 })
      assert.deepEqual(processesWith(folder), [])
      const left = await readdir(path.join(folder, 'scratch'))
      for (const name of left) {
        const inside = await readdir(path.join(folder, 'scratch', name))
        assert.deepEqual(
          inside.filter(each => each !== 'owner' && each.includes(id)),
          [],
        )
      }
    })
  })
