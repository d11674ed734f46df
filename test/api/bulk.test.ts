import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { Problem } from '../../src/api/problem.ts'
import { type BulkOutcome, createBulk } from '../../src/core/bulk.ts'
import { MadhavaError } from '../../src/core/errors.ts'
import { SUBMIT_MANY_LIMIT } from '../../src/core/submission.ts'
import type { TaskRecord } from '../../src/core/task.ts'
import { anybody } from '../support/actors.ts'
import { createFixture, type Fixture, jsonOf } from './fixture.ts'

describe('many tasks at once', () => {
  let door: Fixture
  beforeEach(() => {
    door = createFixture()
  })
  afterEach(() => door.close())

  const total = async () => (await door.store.counts()).total
  const problemOf = async (response: Response, status: number, code: string): Promise<Problem> => {
    const problem = await jsonOf<Problem>(response)
    assert.deepEqual([response.status, problem.code], [status, code], JSON.stringify(problem))
    return problem
  }
  const many = (count: number) => Array.from({ length: count }, (_, params) => ({ kind: 'echo', params }))

  it('an array submits its tasks in their order, and all are announced', async () => {
    const response = await door.post('/tasks', many(250))
    const tasks = await jsonOf<TaskRecord[]>(response)
    assert.equal(response.status, 202)
    assert.deepEqual(
      tasks.map(({ params }) => params),
      Array.from({ length: 250 }, (_, place) => place),
    )
    assert.equal(new Set(tasks.map(({ id }) => id)).size, 250)
    assert.equal(await total(), 250)
    assert.equal(door.announced.length, 250)
  })

  it('where one of an array cannot be accepted none is, and each problem has its place', async () => {
    const problem = await problemOf(
      await door.post('/tasks', [
        { kind: 'echo' },
        { kind: 'calcpi', params: { digits: -1 } },
        { kind: 'echo', priority: 10 },
        { kind: 'nothing' },
        7,
      ]),
      422,
      'PARAMS_INVALID',
    )
    assert.deepEqual(
      problem.problems?.map(({ path }) => path),
      ['1.params.digits', '2.priority', '3.kind', '4'],
    )
    assert.match(problem.detail, /^4 of 5 tasks cannot be accepted, so none was/)
    await problemOf(await door.post('/tasks', []), 400, 'BAD_REQUEST')
    await problemOf(await door.post('/tasks', many(SUBMIT_MANY_LIMIT + 1)), 400, 'BAD_REQUEST')
    assert.equal(await total(), 0)
    assert.equal((await door.post('/tasks', many(SUBMIT_MANY_LIMIT))).status, 202)
    assert.equal((await door.post('/tasks', many(1))).status, 202)
    assert.equal(await total(), SUBMIT_MANY_LIMIT + 1)
  })

  it('a key holds for the whole array: the same answers the same tasks, any other list or task is 422', async () => {
    const key = { 'idempotency-key': 'batch' }
    const first = await door.post('/tasks', many(5), key)
    const ids = (await jsonOf<TaskRecord[]>(first)).map(({ id }) => id)
    assert.equal(first.headers.get('idempotent-replayed'), null)
    const again = await door.post('/tasks', many(5), key)
    assert.equal(again.headers.get('idempotent-replayed'), 'true')
    assert.deepEqual(
      (await jsonOf<TaskRecord[]>(again)).map(({ id }) => id),
      ids,
    )
    for (const other of [
      many(6),
      many(4),
      [...many(4), { kind: 'echo', params: 99 }],
      { kind: 'echo', params: 0 },
    ])
      await problemOf(await door.post('/tasks', other, key), 422, 'IDEMPOTENCY_MISMATCH')
    assert.equal(await total(), 5)
    // a key that a single task had is not the key of an array
    await door.post('/tasks', { kind: 'echo', params: 0 }, { 'idempotency-key': 'one' })
    await problemOf(
      await door.post('/tasks', many(1), { 'idempotency-key': 'one' }),
      422,
      'IDEMPOTENCY_MISMATCH',
    )
  })

  it('an array that broke off in the middle goes on with its key', async () => {
    const key = { 'idempotency-key': 'batch' }
    const create = door.store.create
    let made = 0
    door.store.create = async (...call) => {
      made += 1
      if (made > 3) throw new MadhavaError('STORE_FULL')
      return create(...call)
    }
    await problemOf(await door.post('/tasks', many(6), key), 507, 'STORE_FULL')
    door.store.create = create
    const before = await total()
    assert.ok(before >= 1 && before < 6)
    // the second makes the rest, so that only the third is a repetition
    for (const replayed of [null, 'true']) {
      const response = await door.post('/tasks', many(6), key)
      assert.deepEqual([response.status, response.headers.get('idempotent-replayed')], [202, replayed])
    }
    assert.equal(await total(), 6)
  })

  it('as many tasks wait as MAX_WAITING says, then 429 with Retry-After, until some have run', async () => {
    const full = createFixture({ maxWaiting: 3 })
    try {
      assert.equal((await full.post('/tasks', many(2))).status, 202)
      const key = { 'idempotency-key': 'first' }
      const refused = await full.post('/tasks', many(2))
      assert.ok(Number(refused.headers.get('retry-after')) >= 1)
      await problemOf(refused, 429, 'TOO_MANY_WAITING')
      assert.equal((await full.app.request('/calcpi/3')).status, 202)
      await problemOf(await full.app.request('/calcpi/3'), 429, 'TOO_MANY_WAITING')
      await problemOf(await full.post('/tasks', many(2), key), 429, 'TOO_MANY_WAITING')
      const { tasks } = await full.store.list({}, { limit: 1, cursor: null })
      await full.store.revoke(tasks[0]?.id ?? '', new Date().toISOString())
      full.pass(1000)
      assert.equal((await full.post('/tasks', many(1), key)).status, 202)
      // an answer that was lost is given again, though its own task is what fills the queue
      assert.equal((await full.post('/tasks', many(1), key)).status, 202)
      await problemOf(await full.app.request('/calcpi/3'), 429, 'TOO_MANY_WAITING')
    } finally {
      await full.close()
    }
  })

  /** Two of each: waiting, running, ended. */
  const fill = async () => {
    const ids = { waiting: [] as string[], running: [] as string[], ended: [] as string[] }
    for (let n = 0; n < 2; n += 1) {
      ids.waiting.push((await door.submit('echo', n, { title: `wait ${n}` })).id)
      const running = await door.submit('calcpi', { digits: n })
      await door.run(running.id)
      ids.running.push(running.id)
      ids.ended.push((await door.ended(n)).id)
    }
    return ids
  }
  const bulk = async (path: string): Promise<BulkOutcome> => {
    const response = await door.post(path, '')
    assert.equal(response.status, 200, path)
    return jsonOf<BulkOutcome>(response)
  }
  const statusOf = async (id: string) => (await door.store.get(id))?.status ?? null

  it('POST /tasks/cancel cancels what a filter names and has not ended; a dry run only counts', async () => {
    const ids = await fill()
    assert.deepEqual(await bulk('/tasks/cancel?kind=echo,calcpi&dryRun=1'), {
      action: 'cancel',
      dryRun: true,
      matched: 4,
      done: 0,
      refused: {},
      next: null,
    })
    assert.equal(await statusOf(ids.waiting[0] ?? ''), 'PENDING')
    const done = await bulk('/tasks/cancel?q=wait')
    assert.deepEqual([done.matched, done.done, done.next], [2, 2, null])
    for (const id of ids.waiting) assert.equal(await statusOf(id), 'REVOKED')
    for (const id of ids.running) assert.equal((await door.store.get(id))?.revokeRequestedAt, null)
    assert.deepEqual((await bulk('/tasks/cancel?status=SUCCESS')).matched, 0, 'what has ended is not meant')
    assert.deepEqual((await bulk('/tasks/cancel?all=1')).done, 2)
    for (const id of ids.running) assert.notEqual((await door.store.get(id))?.revokeRequestedAt, null)
  })

  it('POST /tasks/retry runs ended ones again, POST /tasks/delete removes them, whole', async () => {
    const ids = await fill()
    const [first = '', second = ''] = ids.ended
    assert.equal((await bulk('/tasks/retry?status=SUCCESS')).done, 2)
    assert.deepEqual([await statusOf(first), await statusOf(second)], ['PENDING', 'PENDING'])
    await bulk('/tasks/cancel?kind=echo')
    const gone = await bulk('/tasks/delete?status=REVOKED,PENDING')
    assert.deepEqual([gone.matched, gone.done], [4, 4])
    assert.equal(await statusOf(first), null)
    assert.equal(await total(), 2)
  })

  it('without a filter nothing happens, and what is no filter is refused by name', async () => {
    await fill()
    for (const path of ['/tasks/delete', '/tasks/cancel?dryRun=1', '/tasks/retry?q='])
      await problemOf(await door.post(path, ''), 400, 'BAD_REQUEST')
    const { problems } = await problemOf(await door.post('/tasks/delete?colour=red', ''), 400, 'BAD_REQUEST')
    assert.equal(problems?.[0]?.path, 'colour')
    await problemOf(await door.post('/tasks/delete?all=1&cursor=x', ''), 400, 'BAD_CURSOR')
    assert.equal(await total(), 6)
  })

  it('one call does a bounded piece, and next goes on until all is done', async () => {
    for (let n = 0; n < 450; n += 1) await door.submit('echo', n)
    const run = createBulk({
      list: (filter, page) => door.store.list(filter, page),
      acts: {
        cancel: id => door.service.cancel(anybody(), id),
        retry: async () => undefined,
        delete: async () => undefined,
      },
      limits: { tasks: 300 },
    })
    const first = await run('cancel', {}, { dryRun: false, cursor: null })
    assert.deepEqual([first.done, first.next === null], [300, false])
    assert.equal((await run('cancel', {}, { dryRun: true, cursor: null })).matched, 150)
    const second = await run('cancel', {}, { dryRun: false, cursor: first.next })
    assert.deepEqual([second.done, second.next], [150, null])
    let now = 0
    const slow = createBulk({
      list: async (filter, page) => {
        now += 30_000
        return door.store.list(filter, page)
      },
      acts: { cancel: async () => undefined, retry: async () => undefined, delete: async () => undefined },
      elapsed: () => now,
    })
    const bounded = await slow('delete', {}, { dryRun: true, cursor: null })
    assert.deepEqual([bounded.matched, bounded.next === null], [100, false], 'the time is over after a page')
  })

  it('what moved meanwhile is told by its code; a store that fails ends the call', async () => {
    await fill()
    const acting = (error: MadhavaError) =>
      createBulk({
        list: (filter, page) => door.store.list(filter, page),
        acts: {
          cancel: async () => {
            throw error
          },
          retry: async () => undefined,
          delete: async () => undefined,
        },
      })('cancel', { kinds: ['echo'] }, { dryRun: false, cursor: null })
    const outcome = await acting(new MadhavaError('TASK_ENDED'))
    assert.deepEqual([outcome.done, outcome.refused], [0, { TASK_ENDED: 2 }])
    await assert.rejects(acting(new MadhavaError('STORE_UNAVAILABLE')), /store/)
  })
})
