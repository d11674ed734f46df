// Workers that are killed at any moment while they write artifacts: what is listed is whole, and nothing else is left
// once another process has taken the task over. With real files and a real Redis.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { artifactsOf } from '../../src/core/artifacts.ts'
import type { TaskStore } from '../../src/core/store.ts'
import { isRunning, type TaskRecord } from '../../src/core/task.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createSweeper } from '../../src/worker/sweeper.ts'
import { startChild } from '../support/child.ts'
import { newTaskOf } from '../support/new-task.ts'
import { createNotingQueue } from '../support/noting-queue.ts'
import { startRedis } from '../support/redis.ts'
import { requireService } from '../support/services.ts'
import { openPlace, type StorePlace } from '../support/store-place.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'

const ROUNDS = 6
const RANDOM_MS = 60

interface World {
  place: StorePlace
  /** Names of what is in the folder of a task's blobs, also what is half written; null where there is none. */
  folder: ((id: string) => Promise<string[]>) | null
}

const openFiles = async (t: TestContext): Promise<World> => {
  const dir = await mkdtemp(path.join(tmpdir(), 'madhava-killed-'))
  undo(t, () => rm(dir, { recursive: true }))
  return {
    place: { adapter: 'files', dir, writerThread: true },
    async folder(id) {
      const folder = path.join(dir, 'blobs', id.slice(-2), id)
      return existsSync(folder) ? readdir(folder) : []
    },
  }
}
const openRedis = async (t: TestContext): Promise<World> => {
  const redis = await startRedis()
  undo(t, () => redis.remove())
  return { place: { adapter: 'redis', url: redis.url, prefix: 'killed' }, folder: null }
}

const assertWhole = async (store: TaskStore, task: TaskRecord, { folder }: World): Promise<void> => {
  const artifacts = artifactsOf(task)
  const blobs = (await store.listBlobs(task.id)).map(({ name }) => name)
  const files = artifacts.map(({ file }) => file).toSorted()
  assert.deepEqual(blobs.filter(name => name.startsWith('artifact.')).toSorted(), files)
  for (const { name, file, bytes, sha256 } of artifacts) {
    const blob = await store.getBlob(task.id, file)
    assert.ok(blob, `${name} has no bytes`)
    const whole = await buffer(blob.stream)
    assert.equal(whole.length, bytes)
    assert.equal(createHash('sha256').update(whole).digest('hex'), sha256)
  }
  if (folder) {
    const there = await folder(task.id)
    assert.deepEqual(there.filter(name => name.includes('artifact.')).toSorted(), files)
  }
}

for (const [name, open, skip] of [
  ['files', openFiles, false],
  ['Redis', openRedis, requireService('redis')],
] as const)
  describe(`a worker that is killed while it writes artifacts to ${name}`, () => {
    it('leaves those that are listed, whole, and nothing else', { timeout: 600_000, skip }, async t => {
      const world = await open(t)
      const store = await openPlace(world.place)
      undo(t, () => store.close())
      const { queue } = createNotingQueue()
      const sweeper = createSweeper({
        ...{ store, queue, kinds: () => ['filer'], poll() {}, clock: () => new Date(), log: silentLog() },
        retention: () => ({ finishedBefore: null, maxCount: null, maxBytes: null }),
        retentionMs: 1e9,
        everyMs: 200,
      })
      undo(t, () => sweeper.close())
      const get = async (id: string): Promise<TaskRecord> => (await store.get(id)) ?? assert.fail('no task')
      for (let round = 0; round < ROUNDS; round += 1) {
        const createdAt = new Date().toISOString()
        const params = { act: 'keep without end', value: null }
        const task = newTaskOf({ kind: 'filer', params, createdAt, maxAttempts: round % 2 === 0 ? 1 : 5 })
        const { id } = (await store.create(task, null)).task
        const child = startChild<{ taken: boolean }>('artifact-worker.ts', { place: world.place })
        try {
          await until('something is listed', async () => artifactsOf(await get(id)).length > round % 3)
          // a moment that nobody has chosen
          await wait(Math.random() * RANDOM_MS)
        } finally {
          await child.kill()
        }
        await until('it is taken over', async () => !isRunning((await get(id)).status))
        // a moment after the move
        await until('what is not listed is gone', async () => {
          const blobs = (await store.listBlobs(id)).filter(({ name }) => name.startsWith('artifact.'))
          return blobs.length <= artifactsOf(await get(id)).length
        })
        const over = await get(id)
        assert.equal(over.status, round % 2 === 0 ? 'FAILURE' : 'PENDING')
        await assertWhole(store, over, world)
        if (over.status === 'PENDING') await store.revoke(id, new Date().toISOString())
      }
    })
  })
