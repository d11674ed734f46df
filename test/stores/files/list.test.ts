// Pages out of the index: what a cursor says of the tasks in between.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SORT_NAMES, SORTS, sortKeyOf, USUAL_SORT } from '../../../src/core/sort.ts'
import type { TaskRecord } from '../../../src/core/task.ts'
import { createLister } from '../../../src/stores/files/index/list.ts'
import { createTaskIndex } from '../../../src/stores/files/index/task-index.ts'
import { STRETCH } from '../../../src/stores/files/index/walks.ts'
import { encodeSortKey } from '../../../src/stores/shared/page-cursor.ts'
import { newTask } from '../../suites/store/world.ts'

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString()

describe('a page of the files store', () => {
  it("has a cursor of the last task that it shows, however many of another's come after it", async () => {
    const tasks = new Map<string, TaskRecord>()
    const index = createTaskIndex()
    const put = (owner: string, second: number): string => {
      const task: TaskRecord = {
        ...newTask({ owner, createdAt: at(second) }),
        status: 'SUCCESS',
        finishedAt: at(second),
      }
      tasks.set(task.id, task)
      index.put(task)
      return task.id
    }
    const mine = [put('ann', 0)]
    for (let n = 1; n <= 2 * STRETCH + 10; n += 1) put('bob', n)
    mine.push(put('ann', 2 * STRETCH + 11))
    const { list } = createLister({
      liveIndex: { current: async () => index },
      mover: { read: id => tasks.get(id) ?? null },
    })
    for (const sort of SORT_NAMES) {
      const first = await list({ owners: ['ann'] }, { limit: 1, cursor: null, sort })
      const [shown] = first.tasks
      assert.ok(shown)
      const { by } = SORTS[sort]
      const key = sortKeyOf(shown, by)
      assert.equal(first.next, key && encodeSortKey(key, by))
      const second = await list({ owners: ['ann'] }, { limit: 1, cursor: first.next, sort })
      assert.deepEqual([shown.id, second.tasks[0]?.id].toSorted(), mine.toSorted())
      assert.equal(second.next, null)
    }
    assert.equal((await list({ owners: ['eve'] }, { limit: 1, cursor: null, sort: USUAL_SORT })).next, null)
  })
})
