// create: an id once, durable and visible when it resolves, one task per idempotency key.
import assert from 'node:assert/strict'
import { MadhavaError } from '../../../src/core/errors.ts'
import { succeed } from '../../../src/core/moves.ts'
import { addEnded, at, type Check, keyed, newTask, read, refused, take } from './world.ts'

export const create = (check: Check): void => {
  check('a task whose create has resolved is seen whole by every store', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const task = newTask({ params: { a: [1, { b: 'ü' }] }, title: 'a title', owner: 'ann' })
    const answer = await one.create(task, null)
    assert.deepEqual(answer, { task, created: true })
    for (const store of [one, other]) {
      assert.deepEqual(await store.get(task.id), task)
      assert.deepEqual((await store.list({}, { limit: 10, cursor: null })).tasks, [task])
      assert.equal((await store.counts()).total, 1)
    }
  })

  check('an id that exists is refused, and the first task stays as it is', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const task = newTask({ title: 'first' })
    await one.create(task, null)
    for (const store of [one, other])
      await refused(() => store.create(newTask({ id: task.id, title: 'second' }), null), 'TASK_EXISTS')
    const started = await take(other, task.id)
    await refused(() => one.create(newTask({ id: task.id }), null), 'TASK_EXISTS')
    assert.deepEqual(await read(one, task.id), started)
  })

  check('of many creates of one id at once exactly one succeeds', async world => {
    const stores = [await world.open(), await world.open()]
    const { id } = newTask()
    const tries = await Promise.allSettled(
      Array.from({ length: 20 }, async (_, n) => {
        const task = newTask({ id, title: `try ${n}` })
        return stores[n % 2]?.create(task, null)
      }),
    )
    const won = tries.filter(result => result.status === 'fulfilled')
    assert.equal(won.length, 1)
    for (const lost of tries.filter(result => result.status === 'rejected'))
      await refused(() => Promise.reject(lost.reason), 'TASK_EXISTS')
    for (const store of stores) assert.deepEqual(await read(store, id), won[0]?.value?.task)
  })

  check('the same key with the same body answers the first task as it is now', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const first = await one.create(...keyed('k'))
    assert.equal(first.created, true)
    const second = await other.create(...keyed('k'))
    assert.deepEqual(second, { task: first.task, created: false })
    const started = await take(other, first.task.id)
    const done = await other.move(started.id, started.claim, succeed(1, null, at(3)))
    assert.deepEqual(await one.create(...keyed('k')), { task: done, created: false })
    assert.equal((await one.counts()).total, 1)
  })

  check('a key is remembered after everything was closed and opened again', async world => {
    const one = await world.open()
    const { task } = await one.create(...keyed('k'))
    await one.close()
    const later = await world.open()
    assert.deepEqual(await later.create(...keyed('k')), { task, created: false })
    await refused(() => later.create(...keyed('k', 'body 2')), 'IDEMPOTENCY_MISMATCH')
  })

  check('the same key with another body is refused and creates nothing', async world => {
    const [one, other] = [await world.open(), await world.open()]
    await one.create(...keyed('k'))
    const [task, idempotency] = keyed('k', 'body 2')
    for (const store of [one, other])
      await refused(() => store.create(task, idempotency), 'IDEMPOTENCY_MISMATCH')
    assert.equal(await other.get(task.id), null)
    assert.equal((await other.counts()).total, 1)
  })

  check('twenty creates with one key at once over two stores make one task', async world => {
    const stores = [await world.open(), await world.open()]
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        stores[n % 2]?.create(...keyed('k', 'body 1', { title: `try ${n}` })),
      ),
    )
    assert.equal(answers.filter(answer => answer?.created).length, 1)
    assert.equal(new Set(answers.map(answer => answer?.task.id)).size, 1)
    for (const store of stores) {
      assert.equal((await store.counts()).total, 1)
      assert.deepEqual(
        (await store.list({}, { limit: 50, cursor: null })).tasks.map(task => task.id),
        [answers[0]?.task.id],
      )
    }
  })

  check(
    'the admission is asked before a task is made, and not for a task that its key already has',
    async world => {
      const [one, other] = [await world.open(), await world.open()]
      let asked = 0
      const admit = async (): Promise<void> => void asked++
      const refuse = async (): Promise<void> => {
        throw new MadhavaError('TOO_MANY_WAITING')
      }
      await refused(() => one.create(newTask(), null, refuse), 'TOO_MANY_WAITING')
      await refused(() => one.create(...keyed('k'), refuse), 'TOO_MANY_WAITING')
      assert.equal((await one.counts()).total, 0)
      assert.equal((await one.create(newTask(), null, admit)).created, true)
      const { task, created } = await one.create(...keyed('k'), admit)
      assert.deepEqual([created, asked], [true, 2])
      for (const store of [one, other])
        assert.deepEqual(await store.create(...keyed('k'), refuse), { task, created: false })
    },
  )

  check('a key is free again once its task is removed', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const { task } = await one.create(...keyed('k'))
    const started = await take(other, task.id)
    await other.move(task.id, started.claim, succeed(1, null, at(3)))
    await one.remove(task.id)
    const next = await other.create(...keyed('k', 'body 2'))
    assert.equal(next.created, true)
    assert.notEqual(next.task.id, task.id)
  })

  check(
    'an id is free again once its task is removed, and the new task has nothing of the old',
    async world => {
      const [one, other] = [await world.open(), await world.open()]
      const { id } = await addEnded(one)
      await one.putBlob(id, 'log.txt', Buffer.from('old'))
      await one.remove(id)
      const task = newTask({ id, title: 'new' })
      await other.create(task, null)
      for (const store of [one, other]) {
        assert.deepEqual(await read(store, id), task)
        assert.deepEqual(await store.listBlobs(id), [])
      }
    },
  )

  check('what a caller does to a record it was given does not reach the store', async world => {
    const store = await world.open()
    const task = newTask({ params: { list: [1] } })
    const { task: answer } = await store.create(task, null)
    const expected = structuredClone(answer)
    for (const record of [task, answer, await read(store, task.id)]) {
      record.status = 'SUCCESS'
      record.params = 'changed'
      record.history.length = 0
    }
    assert.deepEqual(await read(store, task.id), expected)
  })
}
