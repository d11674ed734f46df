// remove and retain: complete, only what has ended, the oldest first, and nothing comes back.
import assert from 'node:assert/strict'
import { fail, start, succeed } from '../../../src/core/moves.ts'
import type { RetentionRule, TaskStore } from '../../../src/core/store.ts'
import { add, addEnded, at, type Check, keyed, newTask, refused, take } from './world.ts'

const rule = (part: Partial<RetentionRule>): RetentionRule => ({
  finishedBefore: null,
  maxCount: null,
  maxBytes: null,
  ...part,
})
const left = async (store: TaskStore): Promise<string[]> =>
  (await store.list({}, { limit: 1000, cursor: null })).tasks.map(task => task.id).toSorted()

/** Ended tasks whose order of ending is not their order of creation. */
const endedTasks = async (store: TaskStore, count: number): Promise<string[]> => {
  const ids: string[] = []
  for (let n = 0; n < count; n += 1)
    ids.push((await addEnded(store, { createdAt: at(0 - n) }, at(100 + n))).id)
  return ids
}

export const retention = (check: Check): void => {
  check('only an ended task is removed', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const waiting = await add(one)
    const running = await add(one)
    await take(one, running.id)
    for (const store of [one, other])
      for (const { id } of [waiting, running]) await refused(() => store.remove(id), 'TASK_NOT_ENDED')
    await other.revoke(waiting.id, at(2))
    await one.remove(waiting.id)
    await refused(() => other.remove(waiting.id), 'TASK_NOT_FOUND')
    assert.deepEqual(await left(other), [running.id])
  })

  check('a removed task is gone everywhere, whole, and does not come back', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const kept = await addEnded(one)
    const { task } = await one.create(...keyed('k'))
    const started = await take(other, task.id)
    await one.putBlob(task.id, 'log.txt', Buffer.from('x'))
    await one.revoke(task.id, at(2))
    await other.move(task.id, started.claim, record => ({ ...record, status: 'FAILURE', finishedAt: at(3) }))
    await one.remove(task.id)
    const gone = async (store: TaskStore): Promise<void> => {
      assert.equal(await store.get(task.id), null)
      assert.deepEqual(await left(store), [kept.id])
      assert.equal((await store.counts()).total, 1)
      assert.equal(await store.getBlob(task.id, 'log.txt'), null)
      assert.deepEqual(await store.listBlobs(task.id), [])
      assert.deepEqual((await store.agenda(at(9), 10)).orphaned, [])
      await refused(() => store.claim(task.id, start('w', at(9))), 'TASK_NOT_FOUND')
    }
    await gone(one)
    await gone(other)
    await one.close()
    await other.close()
    const later = await world.open()
    await gone(later)
    // neither an old cancel request nor an old key nor an old claim waits for the next task of this id
    const anew = await later.create(...keyed('k', 'body 2', { id: task.id }))
    assert.deepEqual([anew.created, anew.task.revokeRequestedAt], [true, null])
    assert.equal((await take(later, task.id)).revokeRequestedAt, null)
  })

  check('removals of one task at once remove it once', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const { id } = await addEnded(one)
    const results = await Promise.allSettled([one.remove(id), other.remove(id), one.remove(id)])
    assert.ok(results.some(result => result.status === 'fulfilled'))
    for (const result of results)
      if (result.status === 'rejected') await refused(() => Promise.reject(result.reason), 'TASK_NOT_FOUND')
    assert.equal((await other.counts()).total, 0)
  })

  check('retention by age removes what ended before, and nothing else', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const ended = await endedTasks(one, 5)
    const waiting = await add(one, { createdAt: at(-1000) })
    const running = await add(one, { createdAt: at(-1000) })
    await take(one, running.id)
    assert.equal(await other.retain(rule({ finishedBefore: at(100) })), 0)
    assert.equal(await other.retain(rule({ finishedBefore: at(103) })), 3)
    const expected = [...ended.slice(3), waiting.id, running.id].toSorted()
    assert.deepEqual(await left(one), expected)
    assert.equal(await one.retain(rule({ finishedBefore: at(103) })), 0)
    await one.close()
    await other.close()
    assert.deepEqual(await left(await world.open()), expected)
  })

  check(
    'tasks that failed have a rule by age of their own; by count and size they go as all others do',
    async world => {
      const [one, other] = [await world.open(), await world.open()]
      const failed: string[] = []
      for (let n = 0; n < 3; n += 1) {
        const { id } = await add(one)
        const { claim } = await take(one, id)
        const error = { code: 'KIND_FAILED', message: 'no', detail: null }
        await one.move(id, claim, fail(error, null, at(100 + 2 * n)))
        failed.push(id)
      }
      // at 100 to 104, where the failed ones ended at 100, 102 and 104
      const ended = await endedTasks(one, 5)
      const byAge = { finishedBefore: at(103), failedBefore: at(101) }
      assert.equal(await other.retain(rule(byAge)), 4)
      assert.deepEqual(await left(one), [...ended.slice(3), ...failed.slice(1)].toSorted())
      assert.equal(await one.retain(rule(byAge)), 0)
      // null is as left out
      assert.equal(await one.retain(rule({ finishedBefore: at(102), failedBefore: null })), 0)
      assert.equal(await one.retain(rule({ ...byAge, maxCount: 3 })), 1)
      assert.deepEqual(await left(other), [...ended.slice(3), ...failed.slice(2)].toSorted())
      assert.equal(await one.retain(rule({ finishedBefore: null, failedBefore: at(105) })), 1)
      assert.deepEqual(await left(other), ended.slice(3).toSorted())
      assert.equal(await other.retain(rule({ finishedBefore: at(105) })), 2)
      assert.deepEqual(await left(one), [])
    },
  )

  check('retention by count keeps those that ended last', async world => {
    const store = await world.open()
    const ended = await endedTasks(store, 6)
    const waiting = await add(store)
    assert.equal(await store.retain(rule({ maxCount: 6 })), 0)
    assert.equal(await store.retain(rule({ maxCount: 4 })), 2)
    assert.deepEqual(await left(store), [...ended.slice(2), waiting.id].toSorted())
    assert.equal(await store.retain(rule({ maxCount: 0 })), 4)
    assert.deepEqual(await left(store), [waiting.id])
  })

  check('a rule removes all that it means in one go, however many they are', async world => {
    const [store, other] = [await world.open(), await world.open()]
    const ended = Array.from({ length: 215 }, (_, n) => ({
      ...succeed(1, null, at(100 + n))(start('w', at(1))(newTask())),
      claim: 1,
      rev: 2,
    }))
    await Promise.all(ended.map(task => store.create(task, null)))
    const ids = ended.map(({ id }) => id)
    assert.equal(await other.retain(rule({ maxCount: 107 })), 108)
    assert.deepEqual(await left(store), ids.slice(108).toSorted())
    assert.equal(await store.retain(rule({ finishedBefore: at(100 + 210) })), 102)
    assert.deepEqual(await left(other), ids.slice(210).toSorted())
    // made as ended ones, as by an import, they weigh as much as all others
    assert.equal(await other.retain(rule({ maxBytes: 1_000_000 })), 0)
    assert.equal(await other.retain(rule({ maxBytes: 1 })), 5)
    assert.deepEqual(await left(store), [])
  })

  check('retention by size keeps those that ended last, blobs and all', async world => {
    const store = await world.open()
    const ended = await endedTasks(store, 5)
    for (const id of ended) await store.putBlob(id, 'result.txt', Buffer.alloc(100_000))
    const running = await add(store)
    await take(store, running.id)
    await store.putBlob(running.id, 'checkpoint.bin', Buffer.alloc(1_000_000))
    assert.equal(await store.retain(rule({ maxBytes: 600_000 })), 0)
    assert.equal(await store.retain(rule({ maxBytes: 350_000 })), 2)
    assert.deepEqual(await left(store), [...ended.slice(2), running.id].toSorted())
    for (const id of ended.slice(0, 2)) assert.deepEqual(await store.listBlobs(id), [])
    for (const id of ended.slice(2)) assert.equal((await store.listBlobs(id)).length, 1)
    assert.equal((await store.listBlobs(running.id)).length, 1)
  })

  check('rules work together, and without a rule nothing goes', async world => {
    const store = await world.open()
    const ended = await endedTasks(store, 6)
    assert.equal(await store.retain(rule({})), 0)
    assert.equal(await store.retain(rule({ finishedBefore: at(101), maxCount: 3 })), 3)
    assert.deepEqual(await left(store), ended.slice(3).toSorted())
  })

  check('retention in two stores at once removes each task once', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const ended = await endedTasks(one, 10)
    const counts = await Promise.all([one.retain(rule({ maxCount: 4 })), other.retain(rule({ maxCount: 4 }))])
    assert.deepEqual(await left(other), ended.slice(6).toSorted())
    assert.ok((counts[0] ?? 0) + (counts[1] ?? 0) >= 6)
  })
}
