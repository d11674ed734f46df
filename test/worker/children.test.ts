// Tasks that tasks submit, by the runner on a memory store.
import assert from 'node:assert/strict'
import { after, describe, it, type TestContext } from 'node:test'
import { MadhavaError } from '../../src/core/errors.ts'
import { retryPolicySchema } from '../../src/core/task.ts'
import { openPool, setUp } from './runner-fixture.ts'

const OUTER = { timeout: 300_000 }
const threads = openPool()
after(() => threads.close())
const now = () => new Date().toISOString()
const retry = (delaySeconds: number) => retryPolicySchema.parse({ delaySeconds })

describe('children', () => {
  const start = (t: TestContext) => {
    const world = setUp(t, threads)
    return { ...world, ...world.openRunner('w1') }
  }
  const childrenOf = async ({ client }: ReturnType<typeof start>, parentId: string) =>
    (await client.list({ parentId }, { limit: 50, cursor: null })).tasks

  it('name their parent, have its owner, are announced, and run for themselves', OUTER, async t => {
    const world = start(t)
    const id = await world.submit('submit children', { count: 3 }, { owner: 'ada' })
    await (await world.runner.take())?.ended
    const parent = await world.get(id)
    assert.equal(parent.status, 'SUCCESS')
    const children = await childrenOf(world, id)
    assert.deepEqual(parent.result, children.map(child => child.id).reverse())
    assert.deepEqual(
      children.map(({ owner, status, kind }) => [owner, status, kind]),
      children.map(() => ['ada', 'PENDING', 'unruly']),
    )
    assert.deepEqual(
      world.announced,
      (parent.result as string[]).map(child => ({ id: child, kind: 'unruly' })),
    )
    for (const _ of children) await (await world.runner.take())?.ended
    for (const { id } of children) assert.equal((await world.get(id)).status, 'SUCCESS')
  })

  it('are there once when a later attempt submits them with the same key', OUTER, async t => {
    const world = start(t)
    const id = await world.submit('submit a child and fail, then submit it again', null, { retry: retry(0) })
    await (await world.runner.take())?.ended
    assert.equal((await world.get(id)).status, 'RETRY')
    const [child, ...others] = await childrenOf(world, id)
    assert.ok(child && others.length === 0, 'not one child')
    assert.deepEqual([child.priority, child.title], [7, 'a child'])
    // the child has the higher priority
    for (const _ of [child, id]) await (await world.runner.take())?.ended
    assert.deepEqual((await world.get(id)).result, child.id)
    assert.equal((await childrenOf(world, id)).length, 1)
  })

  it('of another task may have the same key', OUTER, async t => {
    const world = start(t)
    const ids = await Promise.all(
      ['one', 'other'].map(() => world.submit('submit children', { count: 1, key: 'the-one' })),
    )
    for (const _ of ids) await (await world.runner.take())?.ended
    const results = await Promise.all(ids.map(async id => (await world.get(id)).result))
    assert.notDeepEqual(results[0], results[1])
  })

  it('with one key and another body are refused', OUTER, async t => {
    const world = start(t)
    const id = await world.submit('submit children', { count: 2, key: 'the-one' })
    await (await world.runner.take())?.ended
    const { status, error } = await world.get(id)
    assert.deepEqual([status, error?.code], ['FAILURE', 'IDEMPOTENCY_MISMATCH'])
  })

  it('that nobody waited for are stored before the parent ends', OUTER, async t => {
    const seen: string[] = []
    const world = setUp(t, threads, {
      wrap: store => ({
        ...store,
        create: async (...args) => {
          await new Promise(resolve => setTimeout(resolve, 50))
          const answer = await store.create(...args)
          seen.push('child')
          return answer
        },
        move: async (...args) => {
          const task = await store.move(...args)
          seen.push(task.status)
          return task
        },
      }),
    })
    const { runner } = world.openRunner('w1')
    await world.submit('submit and not wait')
    await (await runner.take())?.ended
    assert.deepEqual(seen, ['child', 'SUCCESS'])
  })

  it(
    'that nobody waited for are all there, however many, and one that is refused fails the attempt',
    OUTER,
    async t => {
      const world = start(t)
      const many = await world.submit('submit a hundred and wait for none')
      await (await world.runner.take())?.ended
      assert.equal((await world.get(many)).status, 'SUCCESS')
      const { tasks } = await world.client.list({ parentId: many }, { limit: 200, cursor: null })
      assert.equal(tasks.length, 100)
      for (const { id } of tasks) await world.client.revoke(id, now())
      const refused = await world.submit('submit what is refused and not wait')
      await (await world.runner.take())?.ended
      const { status, error } = await world.get(refused)
      assert.deepEqual([status, error?.code], ['FAILURE', 'PARAMS_INVALID'])
      // the thread is as good as before
      const after = await world.submit('return the value', 1)
      await (await world.runner.take())?.ended
      assert.equal((await world.get(after)).status, 'SUCCESS')
    },
  )

  it('of a kind that is not there, or after the signal, are refused', OUTER, async t => {
    const world = start(t)
    const unknown = await world.submit('submit to a kind that is not there')
    await (await world.runner.take())?.ended
    assert.equal((await world.get(unknown)).error?.code, 'KIND_UNKNOWN')
    const late = await world.submit('submit after the signal')
    const taken = await world.runner.take()
    await world.client.revoke(late, now())
    await taken?.ended
    assert.deepEqual(await childrenOf(world, late), [])
  })

  it('wait with their parent while the store has no room', OUTER, async t => {
    let full = true
    const world = setUp(t, threads, {
      wrap: store => ({
        ...store,
        create: async (...args) => {
          if (full) throw new MadhavaError('STORE_FULL')
          return store.create(...args)
        },
      }),
    })
    const { runner } = world.openRunner('w1')
    const id = await world.submit('submit children', { count: 1 }, { retry: retry(0) })
    await (await runner.take())?.ended
    const { status, error } = await world.get(id)
    assert.deepEqual([status, error?.code], ['RETRY', 'STORE_FULL'])
    full = false
    await (await runner.take())?.ended
    assert.equal((await world.get(id)).status, 'SUCCESS')
  })
})
