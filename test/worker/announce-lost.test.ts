// What the sweeper announces again: what is due and neither in the broker nor on its way there, and only when that lasts.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { TaskQueue } from '../../src/core/queue.ts'
import type { Agenda, TaskStore } from '../../src/core/store.ts'
import type { TaskRecord } from '../../src/core/task.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createSweeper } from '../../src/worker/sweeper.ts'
import { newTaskOf } from '../support/new-task.ts'
import { createNotingQueue } from '../support/noting-queue.ts'
import { undo } from '../support/undo.ts'

const HOUR = 3_600_000
const NOTHING: Agenda = { due: 0, dueIds: [], expired: [], orphaned: [], nextAt: null }
/** Missed in so many sweeps, an announcement is lost. */
const SWEEPS = 5

/** A sweeper that sweeps when the test says so, on a clock that stands still. */
const open = async (t: TestContext, over: Partial<TaskQueue> = {}) => {
  const time = { now: Date.UTC(2026, 5, 1, 12) }
  const seen = { agenda: NOTHING, depth: 0 as number | null, outbox: 0, depths: 0, polls: 0 }
  const calls: string[] = []
  const records = new Map<string, TaskRecord>()
  const { queue, announced } = createNotingQueue({
    depth: async () => {
      seen.depths += 1
      return seen.depth
    },
    state: () => ({ status: 'ready', reason: null, outbox: seen.outbox }),
    ...over,
  })
  let away = false
  const store: Partial<TaskStore> = {
    async agenda() {
      if (away) throw new Error('the store is away')
      return seen.agenda
    },
    get: async id => records.get(id) ?? null,
    async claim(id, move) {
      calls.push(`claimed ${id}`)
      const task = records.get(id)
      return task ? move(task) : null
    },
    retain: async () => 0,
    list: async () => ({ tasks: [], next: null }),
  }
  const sweeper = createSweeper({
    store: store as TaskStore,
    queue,
    kinds: () => ['test'],
    poll: () => void seen.polls++,
    endLeftovers: async () => {
      await new Promise(resolve => setImmediate(resolve))
      calls.push('ended what was left')
    },
    clock: () => new Date(time.now),
    log: silentLog(),
    retention: () => ({ finishedBefore: null, maxCount: null, maxBytes: null }),
    retentionMs: HOUR,
    everyMs: HOUR,
  })
  undo(t, () => sweeper.close())
  await sweeper.sweep()
  const task = (change: Partial<TaskRecord> = {}): string => {
    const made = { ...newTaskOf({ createdAt: new Date(time.now).toISOString() }), ...change } as TaskRecord
    records.set(made.id, made)
    return made.id
  }
  /** So many tasks that are due, as the store tells of them. */
  const due = (count: number): string[] => {
    const dueIds = Array.from({ length: count }, () => task())
    seen.agenda = { ...NOTHING, due: count, dueIds }
    return dueIds
  }
  const sweep = async (times: number): Promise<void> => {
    for (let n = 0; n < times; n += 1) await sweeper.sweep()
  }
  const ids = (): string[] => announced.map(({ id }) => id)
  const setAway = (value: boolean): void => {
    away = value
  }
  return { time, seen, calls, records, sweeper, task, due, sweep, announced, ids, setAway }
}

describe('the announcements of what is due', () => {
  it('are made again when the broker has missed them in five sweeps, and after five more', async t => {
    const { due, sweep, announced, ids, sweeper } = await open(t)
    const waiting = due(3)
    await sweep(SWEEPS - 1)
    assert.deepEqual(ids(), [])
    await sweep(1)
    assert.deepEqual(ids(), waiting)
    assert.deepEqual(announced[0], { id: waiting[0], kind: 'test' })
    await sweep(SWEEPS - 1)
    assert.deepEqual(ids(), waiting)
    await sweep(1)
    assert.deepEqual(ids(), [...waiting, ...waiting])
    assert.equal(sweeper.counters().announced, 6)
  })

  it('are made for as many as the queue and the outbox lack, the first ones first', async t => {
    const { seen, due, sweep, ids } = await open(t)
    const waiting = due(6)
    Object.assign(seen, { depth: 3, outbox: 1 })
    await sweep(SWEEPS)
    assert.deepEqual(ids(), waiting.slice(0, 2))
  })

  it('are not made for what waits in the queue, in the outbox, or in a queue that cannot be asked', async t => {
    const { seen, due, sweep, ids } = await open(t)
    due(5)
    for (const lack of [
      { depth: 0, outbox: 5 },
      { depth: 5, outbox: 0 },
      { depth: 3, outbox: 4 },
      { depth: null, outbox: 0 },
    ]) {
      Object.assign(seen, lack)
      await sweep(SWEEPS + 1)
      assert.deepEqual(ids(), [], JSON.stringify(lack))
    }
  })

  it('count as missed only if that lasts: one sweep without any starts the count again', async t => {
    const { seen, due, sweep, ids } = await open(t)
    due(1)
    for (let round = 0; round < 3; round += 1) {
      seen.depth = 0
      await sweep(SWEEPS - 1)
      seen.depth = 1
      await sweep(1)
    }
    assert.deepEqual(ids(), [])
  })

  it('are made at once for tasks that became due by time, which nobody has announced', async t => {
    const { time, seen, due, sweep, ids } = await open(t)
    seen.agenda = { ...NOTHING, nextAt: new Date(time.now + 1_000).toISOString() }
    await sweep(1)
    time.now += 1_000
    const waiting = due(2)
    await sweep(1)
    assert.deepEqual(ids(), waiting)
    await sweep(SWEEPS - 1)
    assert.deepEqual(ids(), waiting, 'from then on they are on their way')
  })

  it('are not taken for due by their time before it, nor after a sweep that failed', async t => {
    const { time, seen, due, sweep, ids, setAway } = await open(t)
    const nextAt = new Date(time.now + 1_000).toISOString()
    seen.agenda = { ...NOTHING, nextAt }
    await sweep(1)
    time.now += 999
    due(1)
    seen.agenda = { ...seen.agenda, nextAt }
    await sweep(1)
    assert.deepEqual(ids(), [])
    setAway(true)
    await sweep(1)
    setAway(false)
    time.now += 1_000
    await sweep(1)
    assert.deepEqual(ids(), [])
  })

  it('name no task that has gone or runs by now', async t => {
    const { records, seen, due, sweep, ids, sweeper } = await open(t)
    const [gone = '', begun = '', waiting = '', retried = ''] = due(4)
    records.delete(gone)
    for (const [id, status] of [
      [begun, 'STARTED'],
      [retried, 'RETRY'],
    ] as const)
      records.set(id, { ...records.get(id), status } as TaskRecord)
    await sweep(SWEEPS)
    assert.deepEqual(ids(), [waiting, retried])
    assert.equal(sweeper.counters().announced, 2)
    assert.ok(seen.depths > 0)
  })

  it('are no reason to ask the broker while nothing is due', async t => {
    const { seen, sweep } = await open(t)
    seen.depths = 0
    await sweep(3)
    assert.equal(seen.depths, 0)
  })
})

describe('a worker that gets no announcement of due tasks', () => {
  it('polls by itself when something was due in five sweeps in a row, and then in each', async t => {
    const { seen, due, sweep } = await open(t)
    seen.depth = 1
    due(1)
    await sweep(SWEEPS - 1)
    assert.equal(seen.polls, 0)
    await sweep(1)
    assert.equal(seen.polls, 1)
    await sweep(1)
    assert.equal(seen.polls, 2)
    seen.agenda = NOTHING
    await sweep(1)
    due(1)
    await sweep(SWEEPS - 1)
    assert.equal(seen.polls, 2)
  })
})

describe('the tasks of a dead worker', () => {
  it('are taken over when what they had started is ended, and announced at once', async t => {
    const { seen, calls, task, sweep, ids, sweeper } = await open(t)
    const id = task({ status: 'STARTED', worker: 'w', attempt: 1 })
    const last = task({ status: 'STARTED', worker: 'w', attempt: 1, maxAttempts: 1 })
    seen.agenda = { ...NOTHING, orphaned: [id, last, 'gone'] }
    await sweep(1)
    assert.deepEqual(calls, ['ended what was left', `claimed ${id}`, `claimed ${last}`, 'claimed gone'])
    assert.deepEqual(ids(), [id], 'one that has no attempt left has failed')
    const { takenOver, workerLost } = sweeper.counters()
    assert.deepEqual([takenOver, workerLost], [2, 1])
  })
})
