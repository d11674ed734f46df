// What cannot be run, page by page: those that wait in vain, then those that failed for it, none left out.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createDeadCalls } from '../../src/core/dead.ts'
import type { Kinds } from '../../src/core/kinds.ts'
import { fail } from '../../src/core/moves.ts'
import type { TaskQueue } from '../../src/core/queue.ts'
import type { TaskStore } from '../../src/core/store.ts'
import { createMemoryStore } from '../../src/stores/memory/open.ts'
import { add, at, take } from '../suites/store/world.ts'
import { anybody } from '../support/actors.ts'

const setUp = (over: (store: TaskStore) => Partial<TaskStore> = () => ({})) => {
  const plain = createMemoryStore({ clock: () => new Date(at(9)) })
  const store: TaskStore = { ...plain, ...over(plain) }
  const dead = createDeadCalls({
    store,
    queue: {
      dead: { list: async () => ({ messages: [], total: 0 }), count: async () => 0 },
    } as unknown as TaskQueue,
    kinds: { forWorkers: () => ['adding'], isForPeople: () => false, troubles: () => [] } as unknown as Kinds,
    clock: () => new Date(at(9)),
    announceIfDue() {},
    removeTask: ({ id }) => store.remove(id),
  })
  const addFailed = async (code = 'WORKER_LOST'): Promise<string> => {
    const { id } = await add(store)
    const { claim } = await take(store, id)
    await store.move(id, claim, fail({ code, message: 'no', detail: null }, null, at(3)))
    return id
  }
  const pages = async (limit: number): Promise<string[][]> => {
    const found: string[][] = []
    let cursor: string | null = null
    do {
      const page = await dead.list(anybody(), { limit, cursor })
      found.push(page.tasks.map(({ task }) => task.id))
      cursor = page.next
      assert.ok(found.length < 100, 'the pages have an end')
    } while (cursor !== null)
    return found
  }
  return { store, addFailed, pages }
}

describe('what cannot be run', () => {
  it('is told whole, whatever the size of a page', async () => {
    const { store, addFailed, pages } = setUp()
    const expected: string[] = []
    for (let n = 0; n < 4; n += 1) expected.push((await add(store, { kind: 'nobody' })).id)
    for (let n = 0; n < 4; n += 1) expected.push(await addFailed())
    await addFailed('KIND_FAILED')
    await add(store)
    for (const limit of [1, 2, 3, 4, 5, 8, 9, 100]) {
      const found = await pages(limit)
      assert.deepEqual(found.flat().toSorted(), expected.toSorted(), `pages of ${limit}`)
      assert.ok(found.every(page => page.length <= limit))
    }
  })

  it('has an end of looking where a store answers pages without tasks', async () => {
    let looks = 0
    const { pages } = setUp(plain => ({
      async list(filter, page) {
        looks += 1
        return looks < 1_500 ? { tasks: [], next: 'more' } : plain.list(filter, { ...page, cursor: null })
      },
    }))
    const found = await pages(10)
    assert.deepEqual(found.flat(), [])
    assert.ok(found.length > 1, 'the rest is left to the next page')
  })
})
