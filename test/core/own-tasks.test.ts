// Two people on one service: neither finds, counts, guesses or changes anything of the other's.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { z } from 'zod'
import type { Actor } from '../../src/core/actor.ts'
import { defineKind, loadKind } from '../../src/core/kind.ts'
import { createKinds } from '../../src/core/kinds.ts'
import { fail, start, succeed } from '../../src/core/moves.ts'
import { createService, type Service } from '../../src/core/service.ts'
import type { TaskStore } from '../../src/core/store.ts'
import type { TaskRecord } from '../../src/core/task.ts'
import { createMemoryStore } from '../../src/stores/memory/open.ts'
import { at, refused } from '../suites/store/world.ts'
import { anybody, keyOf, person } from '../support/actors.ts'
import { createNotingQueue } from '../support/noting-queue.ts'

const KIND = {
  summary: 'Does nothing',
  params: z.object({}),
  result: z.null(),
  example: {},
  run: () => null,
}
const PAGE = { limit: 50, cursor: null }
const ann = person('ann')
const bob = person('bob')
const operator = person('olga', 'operator')
const viewer = person('vera', 'viewer')
const idsOf = (tasks: readonly TaskRecord[]): string[] => tasks.map(({ id }) => id).sort()

let store: TaskStore
let service: Service

beforeEach(() => {
  store = createMemoryStore({ clock: () => new Date(at(100)) })
  service = createService({
    store,
    queue: createNotingQueue({
      dead: {
        list: async () => ({ messages: [], total: 3 }),
        count: async () => 3,
        replay: async () => true,
        discard: async () => true,
      },
    }).queue,
    kinds: createKinds(
      ['plain', 'other'].map(name =>
        loadKind(name, defineKind({ ...KIND, maxConcurrency: 1 }), `${name}.ts`),
      ),
    ),
    clock: () => new Date(at(100)),
  })
})
afterEach(() => store.close())

const submit = async (actor: Actor, kind = 'plain'): Promise<TaskRecord> =>
  (await service.submit(actor, { kind })).task
const listed = async (actor: Actor, filter = {}): Promise<string[]> =>
  idsOf((await service.list(actor, filter, PAGE)).tasks)

describe('the tasks of somebody else', () => {
  it('are not there, by any call that takes an id', { timeout: 300_000 }, async () => {
    const { id } = await submit(bob)
    const signal = AbortSignal.timeout(60_000)
    for (const who of [ann, keyOf('ann', 'user'), keyOf('olga', 'operator', { own: true })]) {
      for (const call of [
        () => service.get(who, id),
        () => service.why(who, id),
        () => service.cancel(who, id),
        () => service.retry(who, id),
        () => service.purge(who, id),
        () => service.result(who, id),
        () => service.log(who, id),
        () => service.logEntries(who, id, 0),
        () => service.isLogOver(who, id, null),
        () => service.followLog(who, id, null, signal).next(),
        () => service.wait(who, id, '', 0),
        () => service.watchTask(who, id, null, signal).next(),
      ])
        await refused(call, 'TASK_NOT_FOUND')
      await refused(() => service.replayDead(who, id), 'DEAD_NOT_FOUND')
      await refused(() => service.discardDead(who, id), 'DEAD_NOT_FOUND')
    }
    assert.equal((await service.get(bob, id)).status, 'PENDING')
  })

  it('are in no list, count, search or state, and what nobody owns is', async () => {
    const [mine, his, free] = [await submit(ann), await submit(bob), await submit(anybody())]
    assert.deepEqual(await listed(ann), idsOf([mine, free]))
    assert.deepEqual(await listed(bob), idsOf([his, free]))
    for (const filter of [{ owner: 'bob' }, { text: his.id }, { text: his.id, kinds: ['plain'] }])
      assert.deepEqual(await listed(ann, filter), [], JSON.stringify(filter))
    for (const who of [operator, viewer, anybody()])
      assert.deepEqual(await listed(who), idsOf([mine, his, free]))
    const state = await service.state(ann)
    assert.deepEqual(
      [state.isWhole, state.counts.total, state.counts.byKind.plain?.PENDING, state.presences],
      [false, 2, 2, []],
    )
    assert.deepEqual([state.queue.depth, state.dead.messages], [null, null])
    assert.equal((await service.state(operator)).counts.total, 3)
    assert.equal((await service.state(keyOf('ann', 'user', { own: true }))).counts.total, 1)
    assert.equal((await service.state(keyOf('olga', 'operator', { kinds: ['other'] }))).counts.total, 0)
  })

  it('are touched by no action on many tasks', async () => {
    const [mine, his, free] = [await submit(ann), await submit(bob), await submit(anybody())]
    const options = { cursor: null }
    const tried = await service.bulk(ann, 'cancel', {}, { dryRun: true, ...options })
    assert.equal(tried.matched, 2)
    const { done } = await service.bulk(ann, 'cancel', {}, { dryRun: false, ...options })
    assert.equal(done, 2)
    const statusOf = async ({ id }: TaskRecord) => (await service.get(operator, id)).status
    assert.deepEqual(
      [await statusOf(mine), await statusOf(his), await statusOf(free)],
      ['REVOKED', 'PENDING', 'REVOKED'],
    )
    await refused(() => service.bulk(viewer, 'cancel', {}, { dryRun: true, ...options }), 'SCOPE_MISSING')
    // sees all, and may change its own alone
    const narrow = keyOf('olga', 'operator', { scopes: ['read', 'submit'] })
    assert.equal((await service.bulk(narrow, 'cancel', {}, { dryRun: true, ...options })).matched, 0)
    await refused(() => service.cancel(narrow, his.id), 'SCOPE_MISSING')
  })

  it('are told in no event', { timeout: 300_000 }, async () => {
    const mine = await submit(ann)
    const his = await submit(bob)
    const ending = new AbortController()
    const told: string[] = []
    const events = service.watchAll(ann, {}, { since: null, snapshot: true }, ending.signal)
    for await (const batch of events) {
      for (const event of batch) if (event.type === 'task') told.push(event.task.id)
      if (batch.some(({ type }) => type === 'live')) {
        await service.cancel(bob, his.id)
        await service.cancel(ann, mine.id)
      }
      if (batch.some(event => event.type === 'task' && event.task.status === 'REVOKED')) break
    }
    ending.abort()
    assert.deepEqual([...new Set(told)], [mine.id])
  })

  it('are not counted in why a task waits', async () => {
    for (let n = 0; n < 3; n += 1) await submit(bob)
    const mine = await submit(ann)
    await store.announce({
      role: 'worker',
      details: () => ({
        ...{ address: null, slots: 1, running: [], counters: {}, rssBytes: 1, cpu: 0, troubles: {} },
        kinds: ['plain'],
      }),
    })
    const asOperator = await service.why(operator, mine.id)
    assert.equal(asOperator.position, 3)
    const { since: _, ...asOwner } = await service.why(ann, mine.id)
    assert.deepEqual(asOwner, {
      ...{ reason: 'BEHIND', detail: 'It waits for its turn', facts: {}, position: null, startsIn: null },
    })
    const [one] = await service.whyEach(ann, [mine])
    assert.equal(one?.position, null)
  })

  it('are not in the dead list, and its messages are for those who see all', async () => {
    const dead = async (owner: Actor): Promise<TaskRecord> => {
      const { id } = await submit(owner)
      const claimed = await store.claim(id, start('w', at(100)))
      const error = { code: 'PARAMS_INVALID', message: 'no', detail: null }
      return store.move(id, claimed?.claim ?? 0, fail(error, null, at(101)))
    }
    const [mine, his] = [await dead(ann), await dead(bob)]
    const seen = async (actor: Actor) => {
      const { tasks, messageCount } = await service.dead(actor, PAGE)
      return [idsOf(tasks.map(({ task }) => task)), messageCount]
    }
    assert.deepEqual(await seen(ann), [[mine.id], null])
    assert.deepEqual(await seen(operator), [idsOf([mine, his]), 3])
    const message = '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f'
    for (const who of [ann, keyOf('olga', 'operator', { own: true })])
      for (const call of [
        () => service.replayDead(who, message),
        () => service.discardDead(who, message),
        () => service.replayDead(who, his.id),
        () => service.discardDead(who, his.id),
      ])
        await refused(call, 'DEAD_NOT_FOUND')
    await refused(() => service.discardDead(viewer, message), 'SCOPE_MISSING')
    assert.deepEqual(await service.replayDead(operator, message), { message })
  })

  it('do not share idempotency keys, and children have their owner', async () => {
    const hers = await service.submit(ann, { kind: 'plain' }, 'key')
    const his = await service.submit(bob, { kind: 'plain' }, 'key')
    assert.deepEqual([his.created, hers.task.owner, his.task.owner], [true, 'ann', 'bob'])
    const child = await service.submitChild(hers.task, { kind: 'plain' }, null)
    assert.equal(child.owner, 'ann')
    assert.deepEqual(await listed(bob, { parentId: hers.task.id }), [])
  })
})

describe('a call', () => {
  it('needs its scope', { timeout: 300_000 }, async () => {
    const task = await submit(ann)
    const nobody = keyOf('ann', 'admin', { scopes: [] })
    const reader = keyOf('ann', 'admin', { scopes: ['read'] })
    const submitter = keyOf('ann', 'admin', { scopes: ['submit'] })
    const reads = [
      (who: Actor) => service.get(who, task.id),
      (who: Actor) => service.list(who, {}, PAGE),
      (who: Actor) => service.state(who),
      async (who: Actor) => service.kinds(who),
      (who: Actor) => service.kindTroubles(who),
      (who: Actor) => service.dead(who, PAGE),
      (who: Actor) => service.why(who, task.id),
      (who: Actor) => service.wait(who, task.id, '', 0),
      (who: Actor) =>
        service.watchAll(who, {}, { since: null, snapshot: true }, AbortSignal.timeout(60_000)).next(),
    ]
    const changes = [
      (who: Actor) => service.submit(who, { kind: 'plain' }),
      (who: Actor) => service.submitMany(who, [{ kind: 'plain' }]),
      (who: Actor) => service.cancel(who, task.id),
      (who: Actor) => service.bulk(who, 'delete', {}, { dryRun: false, cursor: null }),
    ]
    for (const read of reads) {
      await refused(() => read(nobody), 'SCOPE_MISSING')
      await refused(() => read(submitter), 'SCOPE_MISSING')
      await read(reader)
    }
    for (const change of changes) {
      await refused(() => change(nobody), 'SCOPE_MISSING')
      await refused(() => change(reader), 'SCOPE_MISSING')
      await change(submitter)
    }
  })

  it('of a key for some kinds submits and sees only those', async () => {
    const key = keyOf('ann', 'user', { kinds: ['other'] })
    const plain = await submit(ann)
    await refused(() => submit(key), 'KIND_NOT_ALLOWED')
    await refused(() => service.submitMany(key, [{ kind: 'other' }, { kind: 'plain' }]), 'KIND_NOT_ALLOWED')
    const other = await submit(key, 'other')
    assert.deepEqual(await listed(key), [other.id])
    await refused(() => service.get(key, plain.id), 'TASK_NOT_FOUND')
    assert.deepEqual(
      service.kinds(key).map(({ name }) => name),
      ['other'],
    )
  })

  it('reads the result and the log of its own', async () => {
    const { id } = await submit(ann)
    const claimed = await store.claim(id, start('w', at(100)))
    await store.move(id, claimed?.claim ?? 0, succeed(null, null, at(101)))
    assert.equal((await service.result(ann, id)).bytes, 4)
    assert.equal((await service.log(ann, id)).bytes, 0)
  })
})
