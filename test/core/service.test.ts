// The service over a store in memory and a queue that notes what it is told.

import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { z } from 'zod'
import { BLOBS } from '../../src/core/content.ts'
import { NO_DEAD_MESSAGES } from '../../src/core/dead-messages.ts'
import { defineKind, loadKind } from '../../src/core/kind.ts'
import { createKinds } from '../../src/core/kinds.ts'
import { start, succeed } from '../../src/core/moves.ts'
import type { Announcement } from '../../src/core/queue.ts'
import { createService, type Service } from '../../src/core/service.ts'
import type { TaskStore } from '../../src/core/store.ts'
import type { Json } from '../../src/core/task.ts'
import { createMemoryStore } from '../../src/stores/memory/open.ts'
import { at, refused } from '../suites/store/world.ts'
import { anybody as anybodyOf, person } from '../support/actors.ts'
import { createNotingQueue } from '../support/noting-queue.ts'

const anybody = anybodyOf()
const ann = person('ann', 'user', 'rpc')

const adding = defineKind({
  summary: 'Adds two numbers',
  params: z.object({ a: z.number(), b: z.number().default(2) }),
  result: z.number(),
  example: { a: 1, b: 2 },
  run: ({ a, b }) => a + b,
  maxAttempts: 3,
  maxConcurrency: 2,
  rate: '10/s',
  retry: { delaySeconds: 4 },
  limits: { softSeconds: 60 },
})
const plain = defineKind({
  summary: 'Does nothing',
  params: z.object({}),
  result: z.null(),
  example: {},
  run: () => null,
})

/** As a careless author writes a check: it chokes on what he did not think of. */
const careless = defineKind({
  summary: 'Looks into what it gets',
  params: z.object({ u: z.any().refine(value => value.a.b > 0) }),
  result: z.null(),
  example: { u: { a: { b: 1 } } },
  run: () => null,
})

let store: TaskStore
let choked: string[]
let announced: Announcement[]
let service: Service
let now: string

beforeEach(() => {
  now = at(100)
  store = createMemoryStore({ clock: () => new Date(now) })
  const noting = createNotingQueue()
  announced = noting.announced
  const kinds = createKinds([
    loadKind('adding', adding, 'adding.ts'),
    loadKind('careless', careless, 'careless.ts'),
    loadKind('plain', plain, 'plain.ts'),
  ])
  choked = []
  service = createService({
    store,
    queue: noting.queue,
    kinds,
    clock: () => new Date(now),
    onCheckThrew: (kind, error) => choked.push(`${kind}: ${error}`),
  })
})
afterEach(() => store.close())

const submit = async (submission: unknown, actor = anybody) => (await service.submit(actor, submission)).task
const run = async (id: string, result: Json = 3) => {
  const task = await store.claim(id, start('w', now))
  assert.ok(task)
  return store.move(id, task.claim, succeed(result, null, now))
}

describe('submit', () => {
  it('stores what the kind and the client say, then announces it', async () => {
    const task = await submit({ kind: 'adding', params: { a: 5 }, priority: 9, title: 'five' }, ann)
    assert.deepEqual(await store.get(task.id), task)
    assert.deepEqual(announced, [{ id: task.id, kind: 'adding' }])
    assert.deepEqual(
      [task.status, task.params, task.priority, task.owner, task.createdAt, task.maxAttempts],
      ['PENDING', { a: 5, b: 2 }, 9, 'ann', now, 3],
    )
    assert.deepEqual(task.retry, { delaySeconds: 4, factor: 2, maxDelaySeconds: 3600 })
    assert.deepEqual(task.limits, { softSeconds: 60, hardSeconds: null })
  })

  it('refuses what a check of the kind chokes on, by whatever way it comes, and tells of it', async () => {
    const odd = { kind: 'careless', params: { u: {} } }
    const parent = await submit({ kind: 'careless', params: careless.example })
    for (const way of [
      () => service.submit(anybody, odd),
      () => service.submitMany(anybody, [{ kind: 'plain' }, odd]),
      () => service.submitChild(parent, odd, null),
    ])
      await refused(way, 'PARAMS_INVALID')
    assert.deepEqual(
      choked,
      Array(3).fill("careless: TypeError: Cannot read properties of undefined (reading 'b')"),
    )
    assert.equal((await store.counts()).total, 1)
  })

  it('lets the client overrule the kind, down to no retry at all', async () => {
    const task = await submit({
      kind: 'adding',
      params: { a: 1 },
      maxAttempts: 1,
      retry: null,
      limits: { hardSeconds: 5 },
    })
    assert.deepEqual([task.maxAttempts, task.retry], [1, null])
    assert.deepEqual(task.limits, { softSeconds: null, hardSeconds: 5 })
  })

  it('takes no params for none, and has defaults for the rest', async () => {
    const task = await submit({ kind: 'plain' })
    assert.deepEqual([task.params, task.priority, task.maxAttempts, task.retry], [{}, 5, 5, null])
  })

  it('announces nothing before it is due', async () => {
    const later = await submit({ kind: 'plain', notBefore: '2026-01-01T01:05:00+01:00' })
    assert.equal(later.notBefore, at(300))
    await submit({ kind: 'plain', expiresAt: at(50) })
    assert.deepEqual(announced, [])
  })

  it('refuses what is malformed, with every problem, and stores nothing', async () => {
    const cases: unknown[] = [
      null,
      [],
      'text',
      {},
      { kind: '' },
      { kind: 'plain', priority: 10 },
      { kind: 'plain', priority: 1.5 },
      { kind: 'plain', typo: 1 },
      { kind: 'plain', notBefore: 'tomorrow' },
      { kind: 'plain', title: 'x'.repeat(201) },
      { kind: 'plain', maxAttempts: 0 },
      { kind: 'plain', limits: { softSeconds: 0 } },
      { kind: 'plain', retry: { delaySeconds: -1 } },
      { kind: 'plain', params: { a: undefined, b: () => 1 } },
    ]
    for (const submission of cases) await refused(() => service.submit(anybody, submission), 'BAD_REQUEST')
    await refused(() => service.submit(anybody, { kind: 'unknown' }), 'KIND_UNKNOWN')
    await refused(() => service.submit(anybody, { kind: 'adding', params: { a: 'x' } }), 'PARAMS_INVALID')
    assert.equal((await store.counts()).total, 0)
    assert.deepEqual(announced, [])
  })

  it('answers the first task for the same key and meaning, whatever the order of the keys', async () => {
    const first = await service.submit(anybody, { kind: 'adding', params: { a: 1, b: 2 } }, 'k')
    const second = await service.submit(anybody, { params: { b: 2, a: 1 }, kind: 'adding' }, 'k')
    const third = await service.submit(anybody, { params: { a: 1 }, kind: 'adding', priority: 5 }, 'k')
    assert.deepEqual(second, { task: first.task, created: false, quotas: [] })
    assert.deepEqual(third, { task: first.task, created: false, quotas: [] })
    assert.equal(announced.length, 1)
    await refused(
      () => service.submit(anybody, { kind: 'adding', params: { a: 2 } }, 'k'),
      'IDEMPOTENCY_MISMATCH',
    )
    const hers = await service.submit(ann, { kind: 'adding', params: { a: 2 } }, 'k')
    assert.equal(hers.created, true)
  })

  it('refuses keys that no header should carry', async () => {
    for (const key of ['', 'a b', 'x'.repeat(256), 'ü', 'a\n'])
      await refused(() => service.submit(anybody, { kind: 'plain' }, key), 'BAD_KEY')
  })
})

describe('the life of a task', () => {
  it('is read by id in any case, and an unknown one is an error', async () => {
    const task = await submit({ kind: 'plain' })
    assert.deepEqual(await service.get(anybody, task.id.toUpperCase()), task)
    await refused(() => service.get(anybody, '1b671a64-40d5-491e-99b0-da01ff1f3341'), 'TASK_NOT_FOUND')
    await refused(() => service.get(anybody, '../x'), 'BAD_ID')
  })

  it('cancel: revoked, requested, or an error once it has ended', async () => {
    const waiting = await submit({ kind: 'plain' })
    assert.equal((await service.cancel(anybody, waiting.id)).outcome, 'revoked')
    await refused(() => service.cancel(anybody, waiting.id), 'TASK_ENDED')
    const running = await submit({ kind: 'plain' })
    await store.claim(running.id, start('w', now))
    const { outcome, task } = await service.cancel(anybody, running.id)
    assert.deepEqual([outcome, task.revokeRequestedAt], ['requested', now])
    for (const id of ['x', '1b671a64-40d5-491e-99b0-da01ff1f3341'])
      await refused(() => service.cancel(anybody, id), 'BAD_ID', 'TASK_NOT_FOUND')
  })

  it('retry: an ended task runs again and is announced; one that has not ended is refused', async () => {
    const { id } = await submit({ kind: 'plain' })
    await refused(() => service.retry(anybody, id), 'TASK_NOT_ENDED')
    await run(id, null)
    const again = await service.retry(anybody, id)
    assert.deepEqual([again.status, again.attempt], ['PENDING', 0])
    assert.deepEqual(announced, [
      { id, kind: 'plain' },
      { id, kind: 'plain' },
    ])
    await store.claim(id, start('w', now))
    await refused(() => service.retry(anybody, id), 'TASK_NOT_ENDED')
  })

  it('purge: an ended task goes, another does not', async () => {
    const { id } = await submit({ kind: 'plain' })
    await refused(() => service.purge(anybody, id), 'TASK_NOT_ENDED')
    await run(id, null)
    await service.purge(anybody, id.toUpperCase())
    await refused(() => service.get(anybody, id), 'TASK_NOT_FOUND')
    await refused(() => service.purge(anybody, id), 'TASK_NOT_FOUND')
  })
})

const textOf = async (
  content: Awaited<ReturnType<Service['result']>>,
  range?: { start: number; end: number },
) => Buffer.concat((await (await content.open(range)).toArray()).map(part => Buffer.from(part))).toString()

describe('result and log', () => {
  it('a small result comes from the record: text as it is, anything else as JSON', async () => {
    const text = await submit({ kind: 'plain' })
    await run(text.id, '3,14ü')
    const content = await service.result(anybody, text.id)
    assert.deepEqual([content.contentType, content.bytes], ['text/plain; charset=utf-8', 6])
    assert.equal(await textOf(content), '3,14ü')
    assert.equal(await textOf(content, { start: 2, end: 4 }), '14')
    const json = await submit({ kind: 'plain' })
    await run(json.id, { a: [1] })
    const other = await service.result(anybody, json.id)
    assert.deepEqual([other.contentType, await textOf(other)], ['application/json', '{"a":[1]}'])
  })

  it('a large result comes from its blob', async () => {
    const { id } = await submit({ kind: 'plain' })
    const task = await store.claim(id, start('w', now))
    await store.putBlob(id, BLOBS.textResult, Buffer.from('0123456789'))
    await store.move(id, task?.claim ?? 0, succeed(null, 10, now))
    const content = await service.result(anybody, id)
    assert.deepEqual([content.bytes, await textOf(content)], [10, '0123456789'])
    assert.equal(await textOf(content, { start: 3, end: 5 }), '34')
    await store.removeBlob(id, BLOBS.textResult)
    await refused(() => service.result(anybody, id), 'RESULT_NOT_FOUND')
  })

  it('there is no result before the end, nor after an end without one', async () => {
    const { id } = await submit({ kind: 'plain' })
    await refused(() => service.result(anybody, id), 'TASK_NOT_ENDED')
    await service.cancel(anybody, id)
    await refused(() => service.result(anybody, id), 'RESULT_NOT_FOUND')
  })

  it('the log is what the task wrote, empty when it wrote nothing', async () => {
    const { id } = await submit({ kind: 'plain' })
    assert.equal(await textOf(await service.log(anybody, id)), '')
    await store.putBlob(id, BLOBS.log, Buffer.from('one\ntwo\n'))
    assert.equal(await textOf(await service.log(anybody, id)), 'one\ntwo\n')
  })
})

describe('kinds and state', () => {
  it('each kind has its schemas, its example, and its defaults resolved', () => {
    const [first, , second] = service.kinds(anybody)
    assert.deepEqual(
      [first?.name, first?.maxAttempts, second?.name, second?.maxAttempts],
      ['adding', 3, 'plain', 5],
    )
    assert.ok(first)
    assert.deepEqual((first.params as { required: string[] }).required, ['a'])
    assert.deepEqual(first.retry, { delaySeconds: 4, factor: 2, maxDelaySeconds: 3600 })
    assert.equal(JSON.parse(JSON.stringify(first)).example.b, 2)
    assert.deepEqual(
      [first.maxConcurrency, first.rate, second?.maxConcurrency, second?.rate],
      [2, '10/s', null, null],
    )
  })

  it('the state holds presences, counts and the queue', async () => {
    await submit({ kind: 'plain' })
    const state = await service.state(anybody)
    assert.deepEqual(state.presences, [])
    assert.equal(state.counts.byStatus.PENDING, 1)
    assert.deepEqual(state.queue, { name: 'noting', depth: 1, status: 'ready', reason: null, outbox: 0 })
  })

  it('the state waits for no answer of the broker, and tells what it does not know', {
    timeout: 300_000,
  }, async () => {
    const silent = () => new Promise<never>(() => {})
    const away = () => Promise.reject(new Error('the broker is away'))
    for (const call of [silent, away])
      for (const over of [{ depth: call }, { dead: { ...NO_DEAD_MESSAGES, count: call } }]) {
        const { queue } = createNotingQueue(over)
        const own = createService({ store, queue, kinds: createKinds([]), clock: () => new Date(now) })
        const state = await own.state(anybody)
        const known = 'depth' in over ? [null, 0] : [0, null]
        assert.deepEqual([state.queue.depth, state.dead.messages], known)
      }
  })
})

describe('what the operator allows', () => {
  it('holds for one task, for many and for a child, and a key means the same as before', async () => {
    const kinds = createKinds([loadKind('plain', plain, 'plain.ts')])
    const { queue } = createNotingQueue()
    const strict = createService({
      store,
      queue,
      kinds,
      clock: () => new Date(now),
      allowances: { hardSeconds: 30, hardSecondsMax: 60, anonymousPriorityMax: 3 },
    })
    const { task } = await strict.submit(anybody, { kind: 'plain' }, 'key')
    assert.deepEqual([task.priority, task.limits.hardSeconds], [3, 30])
    assert.equal((await strict.submit(anybody, { kind: 'plain' }, 'key')).task.id, task.id)
    assert.equal((await service.submit(anybody, { kind: 'plain' }, 'key')).task.id, task.id)
    const high = { kind: 'plain', priority: 4 }
    assert.equal((await strict.submit(ann, high)).task.priority, 4)
    await refused(() => strict.submit(anybody, high), 'BAD_REQUEST')
    await refused(() => strict.submitMany(anybody, [{ kind: 'plain' }, high]), 'BAD_REQUEST')
    await refused(() => strict.submit(ann, { kind: 'plain', limits: { hardSeconds: 61 } }), 'BAD_REQUEST')
    await refused(() => strict.submitChild(task, high, null), 'BAD_REQUEST')
    assert.equal((await strict.submitChild(task, { kind: 'plain' }, null)).priority, 3)
  })
})

describe('the kinds that cannot be used', () => {
  it('are told without those of the others when a store does not say who lives', {
    timeout: 300_000,
  }, async () => {
    const trouble = { name: 'odd', file: 'odd.ts', reason: 'it has no run' }
    const kinds = createKinds([], [trouble])
    const { queue } = createNotingQueue()
    const silent = () => new Promise<never>(() => {})
    const away = () => Promise.reject(new Error('the store is away'))
    for (const presences of [silent, away]) {
      const own = createService({ store: { ...store, presences }, queue, kinds, clock: () => new Date(now) })
      assert.deepEqual(await own.kindTroubles(anybody), [{ ...trouble, roles: [] }])
    }
  })
})
