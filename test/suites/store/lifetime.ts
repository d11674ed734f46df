// Opening and closing: everything is there again, nothing is left open, a closed store says so.
import assert from 'node:assert/strict'
import { start } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { newTaskId } from '../../../src/core/task.ts'
import { add, addEnded, at, type Check, details, newTask, read, refused, take } from './world.ts'

const id = newTaskId()
const CALLS: Record<string, (store: TaskStore) => Promise<unknown>> = {
  create: store => store.create(newTask(), null),
  get: store => store.get(id),
  list: store => store.list({}, { limit: 1, cursor: null }),
  counts: store => store.counts(),
  claim: store => store.claim(id, start('w', at(1))),
  claimNext: store => store.claimNext({ kinds: ['adding'], now: at(1) }, start('w', at(1))),
  move: store => store.move(id, 1, start('w', at(1))),
  revoke: store => store.revoke(id, at(1)),
  remove: store => store.remove(id),
  putBlob: store => store.putBlob(id, 'x', Buffer.from('x')),
  getBlob: store => store.getBlob(id, 'x'),
  removeBlob: store => store.removeBlob(id, 'x'),
  listBlobs: store => store.listBlobs(id),
  cursor: store => store.cursor(),
  announce: store => store.announce({ role: 'api', details: () => details() }),
  presences: store => store.presences(),
  agenda: store => store.agenda(at(1), 1),
  retain: store => store.retain({ finishedBefore: null, maxCount: null, maxBytes: null }),
  check: store => store.check(),
}

export const lifetime = (check: Check): void => {
  check('close can be called twice, and at once; leave after it does nothing', async world => {
    const store = await world.open()
    await store.announce({ role: 'worker', details: () => details() })
    await Promise.all([store.close(), store.close()])
    await store.close()
    await store.leave().catch(error => refused(() => Promise.reject(error), 'STORE_UNAVAILABLE'))
  })

  check('every call after close is refused with STORE_UNAVAILABLE', async world => {
    const store = await world.open()
    const cursor = await store.cursor()
    await store.close()
    for (const call of Object.values(CALLS)) await refused(() => call(store), 'STORE_UNAVAILABLE')
    const iteration = store.changes(cursor, new AbortController().signal)[Symbol.asyncIterator]()
    await refused(() => iteration.next(), 'STORE_UNAVAILABLE')
  })

  check('closing one store leaves the others at work', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const { id: kept } = await add(one)
    await one.close()
    await take(other, kept)
    assert.equal((await other.counts()).byStatus.STARTED, 1)
    await other.check()
  })

  check('calls in progress when close is called are completed or refused', async world => {
    const one = await world.open()
    const tasks = Array.from({ length: 20 }, () => newTask())
    const creating = Promise.allSettled(tasks.map(task => one.create(task, null)))
    await one.close()
    const results = await creating
    const later = await world.open()
    for (const [n, task] of tasks.entries()) {
      const result = results[n]
      if (result?.status === 'fulfilled') assert.deepEqual(await later.get(task.id), task)
      else await refused(() => Promise.reject(result?.reason), 'STORE_UNAVAILABLE')
    }
  })

  check('after everything was closed and opened again all is as it was', async world => {
    const [one, other] = [await world.open(), await world.open()]
    for (let n = 0; n < 10; n += 1) {
      const task =
        n % 2 === 0 ? await add(one, { createdAt: at(n) }) : await addEnded(other, { createdAt: at(n) })
      if (n % 3 === 0) await one.putBlob(task.id, 'log.txt', Buffer.from(`log of ${n}`))
      if (n % 4 === 0) await other.revoke(task.id, at(50))
    }
    const view = async (store: TaskStore) => {
      const page = await store.list({}, { limit: 100, cursor: null })
      const blobs = await Promise.all(page.tasks.map(task => store.listBlobs(task.id)))
      return { page, blobs, counts: await store.counts(), agenda: await store.agenda(at(100), 100) }
    }
    const before = await view(one)
    await one.close()
    await other.close()
    for (let round = 0; round < 3; round += 1) {
      const later = await world.open()
      assert.deepEqual(await view(later), before)
      await later.close()
    }
  })

  check('instances are words of their own, also of the same world at the same time', async world => {
    const stores = [await world.open(), await world.open(), await world.open()]
    const names = stores.map(store => store.instance)
    assert.equal(new Set(names).size, 3)
    for (const name of names) assert.match(name, /^[\w.:-]{1,200}$/)
    const { id: held } = await add(stores[0] ?? (await world.open()))
    await read(stores[2] ?? (await world.open()), held)
  })
}
