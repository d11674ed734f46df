// The memory store against the contract of its port, and what is its own.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { start, takeOver } from '../../src/core/moves.ts'
import { createMemory, createMemoryStore, type MemoryStore } from '../../src/stores/memory/open.ts'
import { auditSuite } from '../suites/audit.ts'
import { documentsSuite } from '../suites/documents.ts'
import { add, at, details, refused, take } from '../suites/store/world.ts'
import { type StoreFactory, storeSuite } from '../suites/store.ts'
import { uploadsSuite } from '../suites/upload-bytes.ts'

const clock = () => new Date()

const openWorld: StoreFactory = async () => {
  const memory = createMemory()
  const stores: MemoryStore[] = []
  const open = () => {
    const store = memory.open({ clock })
    stores.push(store)
    return store
  }
  return {
    open: async () => open(),
    async lose(ids) {
      const store = open()
      await store.announce({ role: 'worker', details: () => details() })
      for (const id of ids) assert.ok(await store.claim(id, start(store.instance, at(1))))
      store.die()
    },
    async end() {
      await Promise.all(stores.map(store => store.close()))
    },
  }
}

storeSuite('memory', openWorld)
documentsSuite('memory', openWorld)
auditSuite('memory', openWorld)
uploadsSuite('memory', openWorld)

describe('memory store', () => {
  it('takes its instance and host from its opener', async () => {
    const store = createMemoryStore({ clock, instance: 'w1', host: 'elsewhere' })
    await store.announce({ role: 'worker', details: () => details() })
    const [presence] = await store.presences()
    assert.deepEqual([store.instance, presence?.instance, presence?.host], ['w1', 'w1', 'elsewhere'])
    await store.close()
  })

  it('does not share a memory with another one', async () => {
    const [one, other] = [createMemoryStore({ clock }), createMemoryStore({ clock })]
    const { id } = await add(one)
    assert.equal(await other.get(id), null)
    const cursor = await one.cursor()
    const iteration = other.changes(cursor, new AbortController().signal)[Symbol.asyncIterator]()
    await refused(() => iteration.next(), 'BAD_CURSOR')
    await Promise.all([one.close(), other.close()])
  })

  it('refuses a cursor that lies ahead of all that it has told', async () => {
    const store = createMemoryStore({ clock })
    await add(store)
    const ahead = (await store.cursor()).replace(/\d+$/, '99')
    await refused(() => store.changedSince(ahead), 'BAD_CURSOR')
    await store.close()
  })

  it('leaves the claims of a store that died for others to take over', async () => {
    const memory = createMemory()
    const [one, other] = [memory.open({ clock }), memory.open({ clock })]
    await one.announce({ role: 'worker', details: () => details() })
    const { id } = await add(one)
    await take(one, id)
    one.die()
    await refused(() => one.get(id), 'STORE_UNAVAILABLE')
    const [presence] = await other.presences()
    assert.equal(presence?.alive, false)
    assert.deepEqual((await other.agenda(at(2), 5)).orphaned, [id])
    assert.equal((await other.claim(id, takeOver(at(3))))?.status, 'PENDING')
    await Promise.all([one.close(), other.close()])
  })

  it('says that a cursor is too old once its changes are dropped', async () => {
    const store = createMemoryStore({ clock })
    const cursor = await store.cursor()
    const { id } = await add(store)
    const { claim } = await take(store, id)
    for (let n = 0; n < 40_000; n += 1) await store.move(id, claim, task => task)
    const iteration = store.changes(cursor, new AbortController().signal)[Symbol.asyncIterator]()
    await refused(() => iteration.next(), 'CURSOR_TOO_OLD')
    await refused(() => store.changedSince(cursor), 'CURSOR_TOO_OLD')
    await store.close()
  })
})
