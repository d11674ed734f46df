// GET /task/{id}/why and `why=1` of the list: what the record, the workers and the line make of a waiting task.

import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { start } from '../../src/core/moves.ts'
import type { PresenceDetails } from '../../src/core/store.ts'
import type { TaskRecord } from '../../src/core/task.ts'
import type { Waiting } from '../../src/core/wait-reasons.ts'
import { createMemory } from '../../src/stores/memory/open.ts'
import { anybody } from '../support/actors.ts'
import { newTaskOf } from '../support/new-task.ts'
import { createFixture, type Fixture, jsonOf } from './fixture.ts'

const worker = (over: Partial<PresenceDetails> = {}): PresenceDetails => ({
  address: null,
  slots: 2,
  running: [],
  counters: {},
  rssBytes: 1,
  cpu: 0,
  troubles: {},
  kinds: ['echo', 'calcpi'],
  runningByKind: {},
  ...over,
})
/** A worker that runs so many tasks. */
const busy = (count: number, over: Partial<PresenceDetails> = {}): PresenceDetails =>
  worker({ running: Array.from({ length: count }, () => 'x'), runningByKind: { echo: count }, ...over })

describe('why a task waits', () => {
  let door: Fixture
  beforeEach(() => {
    const memory = createMemory()
    door = createFixture({ store: memory.open({ clock: () => new Date() }) })
  })
  afterEach(() => door.close())
  const hire = (details: PresenceDetails) => door.store.announce({ role: 'worker', details: () => details })
  const ask = async (id: string): Promise<[number, Waiting & { code?: string }]> => {
    const response = await door.app.request(`/task/${id}/why`)
    return [response.status, await jsonOf<Waiting & { code?: string }>(response)]
  }
  const why = async ({ id }: TaskRecord): Promise<Waiting> => {
    const [status, answer] = await ask(id)
    assert.equal(status, 200, JSON.stringify(answer))
    return answer
  }

  it('is answered for a task that waits alone: the others are 409, 404 and 400', async () => {
    const { id } = await door.submit('echo', 1)
    assert.equal((await ask(id))[0], 200)
    await door.run(id)
    const [status, { code }] = await ask(id)
    assert.deepEqual([status, code], [409, 'TASK_NOT_WAITING'])
    const { id: ended } = await door.ended(1)
    assert.equal((await ask(ended))[1].code, 'TASK_NOT_WAITING')
    assert.equal((await ask('0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f'))[1].code, 'TASK_NOT_FOUND')
    assert.equal((await ask('x'))[1].code, 'BAD_ID')
  })

  it('follows the presences: no worker, none with the kind, none that takes any, none that is free', async () => {
    const task = await door.submit('echo', 1)
    const told = async (details: PresenceDetails) => {
      await hire(details)
      const { reason, facts } = await why(task)
      return [reason, facts]
    }
    assert.equal((await why(task)).reason, 'NO_WORKER')
    assert.deepEqual(await told(worker({ kinds: ['other'] })), ['KIND_UNKNOWN', {}])
    assert.deepEqual(await told(worker({ takesNone: 'No luck' })), ['NO_ROOM', { trouble: 'No luck' }])
    assert.deepEqual(await told(busy(2)), ['BEHIND', { slots: 2, busy: 2 }])
  })

  it('follows the limits of kinds as the workers have them', async () => {
    // not over the end of an hour
    const passed = Date.now() % 3_600_000 > 3_540_000 ? 60_000 : 0
    door.pass(passed)
    for (let n = 0; n < 3; n += 1) await door.submit('echo', n)
    const told = async (limit: { maxConcurrency: number | null; rate: string | null }) => {
      await hire(busy(1, { kindLimits: { echo: limit } }))
      const { tasks } = await door.store.list({ statuses: ['PENDING'] }, { limit: 1, cursor: null })
      const { reason, facts } = await why(tasks[0] as TaskRecord)
      return [reason, facts]
    }
    const now = new Date(Date.now() + passed).toISOString()
    const limits = { echo: { maxConcurrency: null, rate: { count: 1, perMs: 3_600_000 } } }
    await door.store.claimNext({ kinds: ['echo'], now, limits }, start('worker', now))
    assert.deepEqual(await told({ maxConcurrency: null, rate: '1/h' }), ['RATE', { rate: '1/h' }])
    const narrow = { running: 1, maxConcurrency: 1 }
    assert.deepEqual(await told({ maxConcurrency: 1, rate: '1/h' }), ['KIND_FULL', narrow])
    assert.deepEqual(await told({ maxConcurrency: null, rate: null }), ['BEHIND', { slots: 2, busy: 1 }])
    // one that a later version may write
    assert.equal((await told({ maxConcurrency: null, rate: 'often' }))[0], 'BEHIND')
  })

  it('does not count a worker that is alive and does not beat', async () => {
    const task = await door.submit('echo', 1)
    await hire(worker())
    const [seen] = await door.store.presences()
    assert.ok(seen)
    const frozen = { ...seen, beatAt: new Date(Date.now() - 40_000).toISOString() }
    const own = createFixture({
      store: { ...door.store, instance: 'other', presences: async () => [frozen], close: async () => {} },
    })
    const { reason, facts } = await own.service.why(anybody(), task.id)
    assert.equal(reason, 'NO_WORKER')
    assert.match(facts.trouble ?? '', /No beat for 4\d s/)
    await own.close()
  })

  it('estimates the start from the tasks that have ended', async () => {
    const record = newTaskOf({ kind: 'echo', createdAt: new Date().toISOString() })
    await hire(busy(2))
    const task = await door.submit('echo', 1)
    assert.equal((await why(task)).startsIn, null)
    const [startedAt, finishedAt] = ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:10.000Z']
    const ended = { status: 'SUCCESS' as const, startedAt, finishedAt }
    // a little later: an answer is remembered for a moment
    door.pass(6_000)
    await door.store.create({ ...record, ...ended }, null)
    await hire(busy(2))
    assert.equal((await why(task)).startsIn?.p50, 5)
  })

  it('is in a list for the asking, the same as each task says itself, and null where none waits', async () => {
    await hire(busy(2))
    const tasks: TaskRecord[] = []
    for (let n = 0; n < 4; n += 1) tasks.push(await door.submit('echo', n, { priority: n }))
    tasks.push(await door.submit('echo', 9, { notBefore: new Date(Date.now() + 3_600_000).toISOString() }))
    const running = await door.submit('echo', 'runs')
    await door.run(running.id)
    const listed = async (query: string) =>
      (
        await jsonOf<{ tasks: (TaskRecord & { waiting?: Waiting | null })[] }>(
          await door.app.request(`/tasks${query}`),
        )
      ).tasks
    const page = await listed('?why=1')
    assert.equal(page.length, 6)
    const waiting = new Map(page.map(({ id, waiting }) => [id, waiting]))
    assert.equal(waiting.get(running.id), null)
    for (const [n, task] of tasks.entries()) {
      const { reason, position } = await why(task)
      assert.deepEqual([waiting.get(task.id)?.reason, waiting.get(task.id)?.position], [reason, position])
      if (n < 4) assert.deepEqual([reason, position], ['BEHIND', 3 - n])
    }
    for (const query of ['', '?why=0']) assert.ok((await listed(query)).every(task => !('waiting' in task)))
    assert.equal((await door.app.request('/tasks?why=yes')).status, 400)
    const all = (query: string) => door.app.request(`/alltasks${query}`)
    type Listed = { id: string; waiting?: Waiting | null }
    // when it starts is told from now on
    const toldBy = (told: readonly Listed[]) =>
      told.map(({ id, waiting }) => [id, waiting && { ...waiting, startsIn: null }])
    assert.deepEqual(toldBy(await jsonOf<Listed[]>(await all('?why=1'))), toldBy(page))
    assert.ok((await jsonOf<object[]>(await all('?why=0'))).every(task => !('waiting' in task)))
    const lines = await door.app.request('/alltasks?why=1', { headers: { accept: 'application/x-ndjson' } })
    assert.deepEqual(
      toldBy(
        (await lines.text())
          .trimEnd()
          .split('\n')
          .map(line => JSON.parse(line)),
      ),
      toldBy(page),
    )
    assert.equal((await all('?why=yes')).status, 400)
  })
})
