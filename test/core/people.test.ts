// Tasks that people do: their moves as pure functions, what they may say, and what the service makes of it.
import assert from 'node:assert/strict'
import { after, beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import type { Actor } from '../../src/core/actor.ts'
import { isDue, isExpired } from '../../src/core/due.ts'
import { isMadhavaError, type MadhavaError } from '../../src/core/errors.ts'
import { defineKind, loadKind } from '../../src/core/kind.ts'
import { createKinds } from '../../src/core/kinds.ts'
import { retryByHand, revoke, start } from '../../src/core/moves.ts'
import { checkForPeople, parseCompletion, parseEdit, parseNewItem } from '../../src/core/people.ts'
import { complete, edit } from '../../src/core/people-moves.ts'
import { createService, type ServiceDeps } from '../../src/core/service.ts'
import { isFinal, taskSchema, versionOf } from '../../src/core/task.ts'
import { createMemoryStore, type MemoryStore } from '../../src/stores/memory/open.ts'
import { anybody, person } from '../support/actors.ts'
import { manual } from '../support/manual-kind.ts'
import { newTaskOf } from '../support/new-task.ts'
import { createNotingQueue } from '../support/noting-queue.ts'

const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString()
const open = () =>
  newTaskOf({ kind: 'manual', doneBy: 'people', title: 'Water the plants', params: {}, createdAt: at(0) })
const codeOf = (error: unknown): string => (error as MadhavaError).code

describe('the moves of a task that people do', () => {
  it('keep a valid record through any row of them, and end it at most once', () => {
    const step = fc.constantFrom('edit', 'complete', 'revoke', 'retry', 'start', 'edit of before')
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), steps => {
        let task = open()
        let ends = 0
        let retries = 0
        for (const [n, name] of steps.entries()) {
          const time = at(n + 1)
          const move = {
            edit: edit({ title: `title ${n}` }, [versionOf(task)], time),
            complete: complete({ by: 'ann', note: null }, null, time),
            revoke: revoke(time),
            retry: retryByHand(time),
            start: start('w', time),
            'edit of before': edit({ title: 'lost' }, ['9-9'], time),
          }[name]
          const wasFinal = isFinal(task.status)
          const before = structuredClone(task)
          try {
            const next = move(task)
            assert.deepEqual(task, before, 'a move changes nothing in place')
            task = { ...next, rev: task.rev + 1 }
          } catch (error) {
            const expected = {
              edit: 'TASK_ENDED',
              complete: 'TASK_ENDED',
              revoke: 'ILLEGAL_MOVE',
              retry: 'TASK_NOT_ENDED',
              start: 'ILLEGAL_MOVE',
              'edit of before': wasFinal ? 'TASK_ENDED' : 'VERSION_CHANGED',
            }[name]
            assert.equal(codeOf(error), expected)
            continue
          }
          if (!wasFinal && isFinal(task.status)) ends += 1
          if (name === 'retry') retries += 1
          assert.ok(taskSchema.safeParse(task).success)
          assert.equal(task.doneBy, 'people')
          assert.deepEqual([isDue(task, at(99)), isExpired(task, at(99))], [false, false])
          assert.ok(['PENDING', 'SUCCESS', 'REVOKED'].includes(task.status))
          assert.equal(task.finishedAt !== null, isFinal(task.status))
        }
        assert.ok(ends - retries === (isFinal(task.status) ? 1 : 0))
      }),
    )
  })

  it('say who was quicker, and which version it is now', () => {
    const done = complete({ by: 'ann', note: 'twice' }, null, at(5))(open())
    assert.deepEqual(
      [done.status, done.result, done.updatedAt],
      ['SUCCESS', { by: 'ann', note: 'twice' }, at(5)],
    )
    const refused = (act: () => unknown): MadhavaError => {
      try {
        act()
      } catch (error) {
        return error as MadhavaError
      }
      return assert.fail('it was not refused')
    }
    const again = refused(() => complete({ by: 'bob', note: null }, null, at(6))(done))
    assert.deepEqual([again.code, again.message], ['TASK_ENDED', `ann completed it at ${at(5)}`])
    const nobody = complete({ by: null, note: null }, null, at(5))(open())
    assert.equal(
      refused(() => edit({ title: 'x' }, null, at(6))(nobody)).message,
      `It was completed at ${at(5)}`,
    )
    const cancelled = refused(() => complete({ by: 'bob', note: null }, null, at(6))(revoke(at(4))(open())))
    assert.equal(cancelled.message, `It is REVOKED since ${at(4)}`)
    const changed = refused(() =>
      edit({ title: 'x' }, ['7-7', '8-8'], at(6))({ ...open(), claim: 3, rev: 4 }),
    )
    assert.deepEqual([changed.code, changed.detail], ['VERSION_CHANGED', { version: '3-4' }])
    const workers = newTaskOf({ createdAt: at(0) })
    for (const move of [edit({ title: 'x' }, null, at(1)), complete({ by: null, note: null }, null, at(1))])
      assert.equal(refused(() => move(workers)).code, 'NOT_FOR_PEOPLE')
  })
})

describe('what a task that people do may say', () => {
  it('is, as a title, one line in which something can be seen, without blanks around it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 250 }), text => {
        const trimmed = text.trim()
        const isFine =
          trimmed.length <= 200 &&
          /[\p{L}\p{N}\p{P}\p{S}]/u.test(trimmed) &&
          !/[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(trimmed)
        try {
          assert.equal(parseNewItem({ title: text }).title, trimmed)
          assert.ok(isFine, JSON.stringify(text))
        } catch (error) {
          if (!isMadhavaError(error, 'BAD_REQUEST')) throw error
          assert.ok(!isFine, `${JSON.stringify(text)}: ${error.message}`)
        }
      }),
      { numRuns: 1_000 },
    )
    for (const title of ['a'.repeat(200), ` ${'a'.repeat(200)} `, 'ä', '🌱', '日本'])
      assert.equal(parseNewItem({ title }).title, title.trim())
    for (const title of ['', ' ', '\u200b', 'a\nb', 'a\tb', 'a'.repeat(201), '\u202eabc', 'a\u0000', 1, null])
      assert.throws(
        () => parseNewItem({ title }),
        error => isMadhavaError(error, 'BAD_REQUEST') && JSON.stringify(error.detail).includes('title'),
        JSON.stringify(title),
      )
  })

  it('is, around it, text of several lines, a name, and nothing else', () => {
    assert.deepEqual(parseNewItem({ title: 'x', description: ' a\r\nb\t ', assignee: ' ann ' }), {
      kind: 'manual',
      title: 'x',
      description: 'a\nb',
      params: { assignee: 'ann' },
    })
    assert.deepEqual(parseNewItem({ title: 'x', description: ' ', assignee: null }).description, null)
    assert.deepEqual(parseCompletion({}), { note: null })
    assert.deepEqual(parseCompletion({ note: ' well\ndone ' }), { note: 'well\ndone' })
    assert.deepEqual(parseEdit({ description: null, assignee: null }), { description: null, assignee: null })
    for (const wrong of [
      () => parseNewItem({ title: 'x', priority: 9 }),
      () => parseNewItem({ title: 'x', description: 'a'.repeat(2001) }),
      () => parseNewItem({ title: 'x', description: 'a\u0007' }),
      () => parseNewItem({ title: 'x', assignee: 'a\nb' }),
      () => parseNewItem({ title: 'x', assignee: 'a'.repeat(101) }),
      () => parseNewItem(['x']),
      () => parseNewItem(null),
      () => parseCompletion({ note: 'a'.repeat(1001) }),
      () => parseCompletion({ by: 'me' }),
      () => parseCompletion('done'),
      () => parseEdit({}),
      () => parseEdit({ status: 'SUCCESS' }),
      () => parseEdit({ title: null }),
    ])
      assert.throws(wrong, error => isMadhavaError(error, 'BAD_REQUEST'))
  })

  it('is nothing that only a worker needs, and each of that is refused with the reason', () => {
    const plain = { title: 'x', notBefore: null, expiresAt: null, retry: null, limits: {}, priority: 5 }
    assert.deepEqual(checkForPeople('manual', plain), { title: 'x', description: null })
    const asked = {
      notBefore: at(1),
      expiresAt: at(1),
      maxAttempts: 2,
      retry: {},
      limits: { hardSeconds: 1 },
      priority: 9,
    }
    for (const [name, value] of Object.entries(asked))
      assert.throws(
        () => checkForPeople('manual', { title: 'x', [name]: value }),
        error =>
          isMadhavaError(error, 'BAD_REQUEST') &&
          (error.detail as { problems: { path: string }[] }).problems[0]?.path === name,
        name,
      )
    assert.throws(
      () => checkForPeople('manual', asked),
      error => (error as MadhavaError & { detail: { problems: unknown[] } }).detail.problems.length === 7,
    )
  })
})

describe('a kind that people do', () => {
  const load = (value: unknown) => loadKind('look', value, 'look.mjs')
  const kind = {
    doneBy: 'people',
    summary: 'Looked at',
    params: z.strictObject({ url: z.string() }),
    example: { url: 'a' },
  }
  it('has no part that a worker needs, and may be of a user', () => {
    const loaded = load(({ z: given }: { z: typeof z }) => ({
      ...kind,
      params: given.strictObject({ url: given.string() }),
    }))
    assert.equal(loaded.doneBy, 'people')
    assert.throws(() => loaded.run(null, {} as never), { code: 'ILLEGAL_MOVE' })
    const kinds = createKinds([loaded, manual])
    assert.deepEqual([kinds.names(), kinds.forWorkers()], [['look', 'manual'], []])
    assert.deepEqual([kinds.isForPeople('look'), kinds.isForPeople('nothing')], [true, false])
    for (const more of [
      { run: () => 1 },
      { maxConcurrency: 1 },
      { result: z.string() },
      { doneBy: 'robots' },
    ])
      assert.throws(() => load({ ...kind, ...more }), { code: 'KIND_INVALID' })
    assert.throws(() => load({ ...kind, doneBy: undefined }), { code: 'KIND_INVALID' })
  })
})

describe('the service, of tasks that people do', () => {
  const adding = loadKind(
    'adding',
    defineKind({ summary: 'a', params: z.json(), result: z.json(), example: 1, run: () => 1 }),
    'adding.ts',
  )
  let store: MemoryStore
  const stores: MemoryStore[] = []
  const serviceOf = (more: Partial<ServiceDeps> = {}) => {
    const { queue, announced } = createNotingQueue()
    const kinds = createKinds([adding, manual])
    const service = createService({ store, queue, kinds, clock: () => new Date(), ...more })
    return { service, announced }
  }
  beforeEach(() => {
    store = createMemoryStore({ clock: () => new Date() })
    stores.push(store)
  })
  after(() => Promise.all(stores.map(each => each.close())))
  const item = (title = 'x', more: object = {}) => ({ kind: 'manual', title, ...more })
  const [ann, bob] = [person('ann', 'user'), person('bob', 'user')]

  it('lets one belong to nobody, so that everybody sees, edits, completes and removes it', async () => {
    const { service, announced } = serviceOf()
    const { task } = await service.submit(ann, item('Water', { params: { assignee: 'bob' } }))
    assert.deepEqual(
      [task.owner, task.doneBy, task.submittedBy, task.maxAttempts],
      [null, 'people', undefined, 1],
    )
    const edited = await service.edit(bob, task.id, { assignee: 'carol' }, [versionOf(task)])
    assert.deepEqual([edited.params, edited.title], [{ assignee: 'carol' }, 'Water'])
    const done = await service.complete(bob, task.id, { note: 'wet' }, null)
    assert.deepEqual(done.result, { by: 'bob', note: 'wet' })
    assert.equal((await service.retry(ann, task.id)).status, 'PENDING')
    assert.equal((await service.why(ann, task.id)).reason, 'FOR_PEOPLE')
    await service.purge(bob, task.id)
    assert.equal(await store.get(task.id), null)
    const viewer = person('vera', 'viewer')
    const other = (await service.submit(ann, item())).task
    for (const deed of [
      () => service.edit(viewer, other.id, { title: 'y' }, null),
      () => service.complete(viewer, other.id, {}, null),
      () => service.purge(viewer, other.id),
    ])
      await assert.rejects(deed, { code: 'SCOPE_MISSING' })
    // a key for own tasks alone
    const own: Actor = { ...ann, sees: 'own' }
    await assert.rejects(service.get(own, other.id), { code: 'TASK_NOT_FOUND' })
    await assert.rejects(service.complete(own, other.id, {}, null), { code: 'TASK_NOT_FOUND' })
    // nothing of all that was said to workers
    assert.deepEqual(announced, [])
  })

  it('keeps the key of each account apart, and shows it to nobody', async () => {
    const { service } = serviceOf()
    const first = await service.submit(ann, item('a'), 'key')
    assert.notEqual(first.task.idempotencyKey, 'key')
    assert.deepEqual(await service.submit(ann, item('a'), 'key'), { ...first, created: false, quotas: [] })
    await assert.rejects(service.submit(ann, item('b'), 'key'), { code: 'IDEMPOTENCY_MISMATCH' })
    const second = await service.submit(bob, item('b'), 'key')
    assert.ok(second.created && second.task.id !== first.task.id)
    const many = [item('c'), { kind: 'adding', params: 1 }]
    const [shared, own] = await service.submitMany(ann, many, 'list')
    assert.deepEqual([shared?.task.owner, own?.task.owner], [null, 'ann'])
    assert.ok((await service.submitMany(ann, many, 'list')).every(({ created }) => !created))
  })

  it('counts none as waiting: not against MAX_WAITING, not against quotas, not as dead, nor in the state', async () => {
    const quotas = {
      limits: {
        submits: { account: null, key: null, address: null },
        waiting: { account: 1, key: null, address: 1 },
      },
      clientOf: (address: string) => address,
    }
    const { service } = serviceOf({ maxWaiting: 2, quotas })
    const from = { ...ann, address: '192.0.2.1' }
    for (let n = 0; n < 5; n += 1) await service.submit(from, item(`${n}`))
    await service.submitMany(from, [item('5'), item('6'), { kind: 'adding', params: 1 }])
    await assert.rejects(service.submit(from, { kind: 'adding', params: 1 }), { code: 'QUOTA_EXCEEDED' })
    await service.submit(from, item('7'))
    const state = await service.state(anybody())
    assert.deepEqual([state.counts.byStatus.PENDING, state.waiting, state.open], [9, 1, { manual: 8 }])
    assert.deepEqual(state.dead.waiting, {})
    const worker = {
      ...{ address: null, slots: 1, running: [], counters: {}, rssBytes: 1, cpu: 0, troubles: {} },
      kinds: ['adding'],
    }
    await store.announce({ role: 'worker', details: () => worker })
    assert.deepEqual((await service.state(anybody())).dead.waiting, {})
    assert.deepEqual((await service.dead(anybody(), { limit: 10, cursor: null })).tasks, [])
    const other = serviceOf({ maxWaiting: 1 }).service
    await assert.rejects(other.submit(bob, { kind: 'adding', params: 1 }), { code: 'TOO_MANY_WAITING' })
    await other.submit(bob, item('8'))
  })

  it('counts them against quotas by the minute', async () => {
    const quotas = {
      limits: {
        submits: { account: 2, key: null, address: null },
        waiting: { account: null, key: null, address: null },
      },
      clientOf: (address: string) => address,
    }
    const { service } = serviceOf({ quotas })
    await service.submitMany(ann, [item('a'), item('b')])
    await assert.rejects(service.submit(ann, item('c')), { code: 'QUOTA_EXCEEDED' })
  })

  it('lets a running task ask people, whoever owns it', async () => {
    const { service } = serviceOf()
    const parent = (await service.submit(ann, { kind: 'adding', params: 1 })).task
    const child = await service.submitChild(parent, item('Look at it'), 'k')
    assert.deepEqual([child.owner, child.parentId, child.doneBy], [null, parent.id, 'people'])
    assert.equal((await service.submitChild(parent, item('Look at it'), 'k')).id, child.id)
    assert.equal((await service.complete(bob, child.id, {}, null)).status, 'SUCCESS')
  })

  it('removes ended ones alone where many are deleted, and cancels open ones where many are cancelled', async () => {
    const { service } = serviceOf()
    const ids = await Promise.all([1, 2, 3].map(async n => (await service.submit(ann, item(`${n}`))).task.id))
    await service.complete(ann, ids[0] ?? '', {}, null)
    const options = { dryRun: false, cursor: null }
    const deleted = await service.bulk(ann, 'delete', { kinds: ['manual'] }, options)
    assert.deepEqual([deleted.matched, deleted.done], [1, 1])
    const cancelled = await service.bulk(ann, 'cancel', { kinds: ['manual'] }, options)
    assert.deepEqual([cancelled.matched, cancelled.done], [2, 2])
  })

  it('edits what it is asked to, whatever comes between, when no version is named', async () => {
    const { service } = serviceOf()
    const { task } = await service.submit(ann, item('x'))
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        service.edit(ann, task.id, n % 2 ? { title: `t${n}` } : { assignee: `a${n}` }, null),
      ),
    )
    const now = await service.get(ann, task.id)
    assert.match(now.title ?? '', /^t\d+$/)
    assert.match(JSON.stringify(now.params), /"a\d+"/)
    await assert.rejects(service.edit(ann, task.id, { title: ' ' }, null), { code: 'BAD_REQUEST' })
    const plain = (await service.submit(ann, { kind: 'adding', params: 1 })).task
    await assert.rejects(service.edit(ann, plain.id, { title: 'y' }, null), { code: 'NOT_FOR_PEOPLE' })
  })
})
