// Many tasks at once: what one call may do, and where the next goes on.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createBulk } from '../../src/core/bulk.ts'
import { MadhavaError } from '../../src/core/errors.ts'
import type { TaskFilter } from '../../src/core/store.ts'
import type { TaskRecord } from '../../src/core/task.ts'
import { newTask } from '../suites/store/world.ts'

const setUp = (count: number, limits: { tasks?: number; ms?: number } = {}, msPerPage = 0) => {
  const tasks: TaskRecord[] = Array.from({ length: count }, () => newTask())
  const asked: TaskFilter[] = []
  const acted: string[] = []
  const state = { ms: 0, atOnce: 0, most: 0, error: (_id: string): Error | null => null }
  const act = async (id: string): Promise<void> => {
    state.atOnce += 1
    state.most = Math.max(state.most, state.atOnce)
    await new Promise(setImmediate)
    state.atOnce -= 1
    const error = state.error(id)
    if (error) throw error
    acted.push(id)
  }
  const bulk = createBulk({
    async list(filter, { limit, cursor }) {
      asked.push(filter)
      state.ms += msPerPage
      const from = Number(cursor ?? 0)
      const next = from + limit < tasks.length ? String(from + limit) : null
      return { tasks: tasks.slice(from, from + limit), next }
    },
    acts: { cancel: act, retry: act, delete: act },
    elapsed: () => state.ms,
    limits,
  })
  return { bulk, tasks, asked, acted, state }
}
const begin = { dryRun: false, cursor: null }

describe('a bulk action', () => {
  it('changes exactly as many as one call may, each once, and the next call goes on behind them', async () => {
    const { bulk, tasks, acted, state } = setUp(400, { tasks: 150 })
    const sizes: number[] = []
    let cursor: string | null = null
    do {
      const outcome = await bulk('cancel', {}, { dryRun: false, cursor })
      assert.equal(outcome.done, outcome.matched)
      sizes.push(outcome.done)
      cursor = outcome.next
    } while (cursor !== null)
    assert.deepEqual(sizes, [150, 150, 100])
    assert.deepEqual(acted.toSorted(), tasks.map(({ id }) => id).toSorted())
    assert.ok(state.most > 1 && state.most <= 32, `${state.most} at a time`)
  })

  it('ends when its time is over, and counts everything in a dry run as far as that goes', async () => {
    const slow = setUp(1_000, { ms: 200 }, 100)
    assert.equal((await slow.bulk('cancel', {}, begin)).done, 200)
    const dry = setUp(1_000, { tasks: 150 })
    const outcome = await dry.bulk('cancel', {}, { dryRun: true, cursor: null })
    assert.deepEqual([outcome.matched, outcome.done, outcome.next, dry.acted.length], [1_000, 0, null, 0])
  })

  it('looks only for those that it can be meant for', async () => {
    const { bulk, asked } = setUp(1)
    await bulk('cancel', { owner: 'o' }, begin)
    await bulk('delete', { statuses: ['PENDING', 'SUCCESS'] }, begin)
    assert.deepEqual(asked, [
      { owner: 'o', statuses: ['PENDING', 'STARTED', 'PROGRESS', 'RETRY'] },
      { statuses: ['SUCCESS'] },
    ])
    const none = await bulk('retry', { statuses: ['PENDING'] }, { dryRun: false, cursor: '7' })
    assert.deepEqual([none.matched, none.next, asked.length], [0, null, 2])
  })

  it('counts what one task refuses, and ends with what concerns all', async () => {
    const { bulk, tasks, state } = setUp(3)
    state.error = id => (id === tasks[1]?.id ? new MadhavaError('TASK_BUSY') : null)
    const outcome = await bulk('delete', {}, begin)
    assert.deepEqual([outcome.done, outcome.refused], [2, { TASK_BUSY: 1 }])
    state.error = () => new MadhavaError('STORE_UNAVAILABLE')
    await assert.rejects(bulk('delete', {}, begin), { code: 'STORE_UNAVAILABLE' })
  })
})
