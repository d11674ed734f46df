// What becomes of the tasks of an account that is deleted with them, on every store: several workers at once, a late
// submit, and a kill between any two writes.
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { succeed } from '../../src/core/moves.ts'
import type { TaskStore } from '../../src/core/store.ts'
import { silentLog } from '../../src/platform/log.ts'
import { type AccountTasks, createAccountTasks, MARK_STAYS_MS } from '../../src/worker/account-tasks.ts'
import { startChild } from '../support/child.ts'
import type { AccountTasksDeed, AccountTasksLine } from '../support/store-account-tasks.ts'
import { accessOf, operatorOf, register } from './access.ts'
import { add, addEnded, at, checkIn, type StoreFactory, take } from './store/world.ts'
import type { ProcessWorld } from './store-processes.ts'

/** A worker over this store, on clocks that the test moves. */
const workerOf = (store: TaskStore, tasksEach?: number) => {
  let passed = 0
  const tasks: AccountTasks = createAccountTasks({
    store,
    clock: () => new Date(Date.now() + passed),
    elapsed: () => passed,
    log: silentLog(),
    ...(tasksEach === undefined ? {} : { tasksEach }),
  })
  return {
    ...tasks,
    pass(ms: number) {
      passed += ms
    },
  }
}

/** When the account's tasks were there last; undefined: nobody looks for them. */
const markOf = async ({ documents }: TaskStore, id: string): Promise<unknown> => {
  const document = await documents.get('accounts', id)
  assert.ok(document, 'a deleted account leaves its document')
  return document.data.tasksLeftAt
}

const idsOf = async (store: TaskStore, owner: string): Promise<string[]> =>
  (await store.list({ owner }, { limit: 200, cursor: null })).tasks.map(({ id }) => id)

/** Tasks of an owner that wait and that have ended, one with a blob; and those of somebody else. */
const fill = async (store: TaskStore, owner: string) => {
  const waiting = [await add(store, { owner }), await add(store, { owner, notBefore: at(9_000_000) })]
  const ended = [await addEnded(store, { owner }), await addEnded(store, { owner })]
  await store.putBlob(ended[0]?.id ?? '', 'log', Buffer.from('a log'))
  const others = [await add(store), await addEnded(store), await add(store, { owner: 'somebody-else' })]
  return { own: [...waiting, ...ended], withBlob: ended[0]?.id ?? '', others }
}

export const accountTasksSuite = (name: string, factory: StoreFactory): void => {
  const promise = checkIn(factory)

  describe(`tasks of deleted accounts on ${name}`, () => {
    promise(
      'are removed when it was asked for, those that run when they end, and nobody else’s',
      async world => {
        const [store, other] = [await world.open(), await world.open()]
        const access = accessOf(store)
        const admin = await operatorOf(store)
        const { id } = await register(access, 'ada')
        const { withBlob, others } = await fill(store, id)
        const running = await add(other, { owner: id })
        const { claim } = await take(other, running.id)
        const child = await add(store, { owner: id, parentId: running.id })
        await access.deleteAccount(admin, id, 'remove')

        const workers = [workerOf(store), workerOf(other)]
        const sweep = async (): Promise<number> => {
          const removed = await Promise.all(workers.map(worker => worker.sweep()))
          return removed.reduce((sum, one) => sum + one, 0)
        }
        await sweep()
        await sweep()
        assert.deepEqual(await idsOf(store, id), [running.id])
        assert.equal(await store.getBlob(withBlob, 'log'), null)
        assert.equal(await store.get(child.id), null)
        const asked = await store.get(running.id)
        assert.ok(asked?.revokeRequestedAt, 'what runs is asked to end')

        // a child that the parent submits before it ends
        const late = await add(other, { owner: id, parentId: running.id })
        await other.move(running.id, claim, succeed(1, null, at(3)))
        for (const worker of workers) worker.pass(60_000)
        await sweep()
        assert.deepEqual(await idsOf(store, id), [], `${late.id} and its parent are gone`)

        for (const worker of workers) worker.pass(60_000)
        assert.equal(await sweep(), 0)

        // a request that was let in before
        await add(store, { owner: id })
        for (const worker of workers) worker.pass(60_000)
        await sweep()
        assert.deepEqual(await idsOf(store, id), [])
        assert.notEqual(await markOf(store, id), undefined, 'somebody may still come')
        for (const worker of workers) worker.pass(MARK_STAYS_MS)
        await sweep()
        await sweep()
        assert.equal(await markOf(store, id), undefined)
        for (const task of others) assert.deepEqual(await store.get(task.id), task)
        await access.close()
      },
    )

    promise('stay where nothing else was asked for', async world => {
      const store = await world.open()
      const access = accessOf(store)
      const admin = await operatorOf(store)
      const { id } = await register(access, 'ada')
      const living = await register(access, 'bob')
      const { own } = await fill(store, id)
      const his = await add(store, { owner: living.id })
      await access.deleteAccount(admin, id)
      const worker = workerOf(store)
      for (let n = 0; n < 3; n += 1) {
        assert.equal(await worker.sweep(), 0)
        worker.pass(60 * 60_000)
        worker.missed()
      }
      for (const task of [...own, his]) assert.deepEqual(await store.get(task.id), task)
      await access.close()
    })

    promise('are removed some at a time, and no account waits for all of another', async world => {
      const store = await world.open()
      const access = accessOf(store)
      const admin = await operatorOf(store)
      const worker = workerOf(store, 4)
      await worker.sweep()
      const ids: string[] = []
      for (const name of ['ada', 'bob']) {
        const { id } = await register(access, name)
        ids.push(id)
        for (let n = 0; n < 9; n += 1) await add(store, { owner: id })
        await access.deleteAccount(admin, id, 'remove')
        // as the feed says it
        worker.noticed(id)
      }
      const left = async (): Promise<number[]> =>
        Promise.all(ids.map(async id => (await idsOf(store, id)).length))
      assert.equal(await worker.sweep(), 4)
      assert.equal(await worker.sweep(), 4)
      assert.deepEqual(await left(), [5, 5])
      for (let n = 0; n < 3; n += 1) assert.ok((await worker.sweep()) <= 4)
      for (let n = 0; n < 4; n += 1) await worker.sweep()
      assert.deepEqual(await left(), [0, 0])
      await access.close()
    })

    promise(
      'are not taken from an account that is not deleted, though its document has the mark',
      async world => {
        const store = await world.open()
        const access = accessOf(store)
        await operatorOf(store)
        const { id } = await register(access, 'ada')
        const task = await addEnded(store, { owner: id })
        const document = await store.documents.get('accounts', id)
        assert.ok(document)
        const data = { ...document.data, tasksLeftAt: at(1) }
        await store.documents.put('accounts', id, { ...document, data }, document.rev)
        const worker = workerOf(store)
        worker.noticed(id)
        assert.equal(await worker.sweep(), 0)
        assert.deepEqual(await store.get(task.id), task)
        await access.close()
      },
    )

    promise('are not taken from an account whose document cannot be used', async world => {
      const store = await world.open()
      const task = await addEnded(store, { owner: 'broken' })
      const data = { tasksLeftAt: 'yesterday' }
      await store.documents.put('accounts', 'broken', { version: 2, expiresAt: null, data }, null)
      const worker = workerOf(store)
      worker.noticed('broken')
      assert.equal(await worker.sweep(), 0)
      assert.deepEqual(await store.get(task.id), task)
    })
  })
}

export const accountTasksKillsSuite = (name: string, factory: () => Promise<ProcessWorld>): void => {
  const promise = checkIn(factory)

  const killedWith = async (world: ProcessWorld, deed: AccountTasksDeed): Promise<boolean> => {
    const child = startChild<AccountTasksLine>('store-child.ts', {
      place: world.place,
      role: 'account-tasks',
      ...deed,
    })
    try {
      return (await child.line(line => line.dying === true || line.done === true)).dying === true
    } finally {
      await child.kill()
    }
  }

  describe(`tasks of deleted accounts on ${name}, killed between two writes`, () => {
    // two that wait take two writes each, two that ended one; a test each, since every one starts processes
    for (const writes of [0, 1, 2, 4, 5])
      promise(`are removed in the end, by another process: after ${writes} writes`, async world => {
        const store = await world.open()
        const access = accessOf(store)
        const admin = await operatorOf(store)
        const { id } = await register(access, 'ada')
        const { withBlob, others } = await fill(store, id)
        await access.deleteAccount(admin, id, 'remove')
        assert.equal(await killedWith(world, { writes, aheadMs: 0 }), true)
        // where one has died, the next goes on
        assert.equal(await killedWith(world, { writes: 100, aheadMs: 0 }), false)
        assert.deepEqual(await idsOf(store, id), [])
        assert.equal(await store.getBlob(withBlob, 'log'), null)
        for (const task of others) assert.deepEqual(await store.get(task.id), task)
        await access.close()
      })

    promise('lose their mark once, whoever is killed at it', async world => {
      const store = await world.open()
      const access = accessOf(store)
      const admin = await operatorOf(store)
      const { id } = await register(access, 'ada')
      await access.deleteAccount(admin, id, 'remove')
      const aheadMs = 2 * MARK_STAYS_MS
      assert.equal(await killedWith(world, { writes: 0, aheadMs }), true)
      assert.notEqual(await markOf(store, id), undefined)
      assert.equal(await killedWith(world, { writes: 100, aheadMs }), false)
      assert.equal(await markOf(store, id), undefined)
      await access.close()
    })
  })
}
