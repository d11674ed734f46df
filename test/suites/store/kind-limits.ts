// Limits of kinds: how many run, how often one begins, over all the stores of a world.
import assert from 'node:assert/strict'
import type { KindLimits } from '../../../src/core/kind-limits.ts'
import { giveBack, start, succeed } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { add, at, type Check } from './world.ts'

const limitsOf = (limit: Partial<KindLimits>): Record<string, KindLimits> => ({
  adding: { maxConcurrency: null, rate: null, ...limit },
})

/** The next task under this limit, and when to look again if a rate holds the kind back; `onKindFull` where so many run. */
const next = async (
  store: TaskStore,
  limit: Partial<KindLimits>,
  now = at(100),
  kinds = ['adding', 'other'],
  onKindFull: (kind: string) => void = () => {},
) => {
  let heldUntil: number | null = null
  const task = await store.claimNext(
    {
      kinds,
      now,
      limits: limitsOf(limit),
      onKindFull,
      onRateLimited(kind, untilMs) {
        assert.equal(kind, 'adding')
        heldUntil = untilMs
      },
    },
    start(store.instance, now),
  )
  return { task, heldUntil }
}

const addMany = async (store: TaskStore, count: number, fields: Parameters<typeof add>[1] = {}) => {
  const ids: string[] = []
  for (let n = 0; n < count; n += 1)
    ids.push((await add(store, { createdAt: at(n), priority: 9, ...fields })).id)
  return ids
}

export const kindLimits = (check: Check): void => {
  check('so many of a kind run at a time over all stores, and other kinds pass by', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const two = { maxConcurrency: 2 }
    const ids = await addMany(one, 3)
    const [first, second] = [(await next(one, two)).task, (await next(other, two)).task]
    assert.deepEqual([first?.id, second?.id], ids.slice(0, 2))
    assert.deepEqual(await next(one, two), { task: null, heldUntil: null })
    assert.deepEqual(await next(other, two), { task: null, heldUntil: null })
    const { id: passing } = await add(one, { kind: 'other', priority: 0 })
    assert.equal((await next(other, two)).task?.id, passing)
    assert.ok(first)
    await one.move(first.id, first.claim, succeed(1, null, at(101)))
    assert.equal((await next(other, two)).task?.id, ids[2])
    await addMany(one, 1)
    assert.equal((await next(one, two)).task, null)
    // without the limit it may
    assert.notEqual(
      await one.claimNext({ kinds: ['adding'], now: at(100) }, start(one.instance, at(100))),
      null,
    )
  })

  check('what is given back, and what a dead process ran, makes room', async world => {
    const store = await world.open()
    const one = { maxConcurrency: 1 }
    const ids = await addMany(store, 3)
    const first = (await next(store, one)).task
    assert.ok(first)
    await store.move(first.id, first.claim, giveBack(at(101)))
    const again = (await next(store, one)).task
    assert.equal(again?.id, first.id)
    await store.move(again.id, again.claim, succeed(1, null, at(102)))
    await world.lose([ids[1] ?? ''])
    assert.equal((await next(store, one)).task?.id, ids[2])
  })

  check('of many takers at once exactly as many get one as there is room for', async world => {
    const stores = [await world.open(), await world.open(), await world.open()]
    const [store] = stores
    assert.ok(store)
    await addMany(store, 12)
    for (let round = 0; round < 4; round += 1) {
      const takers = [...stores, ...stores].map(each => next(each, { maxConcurrency: 2 }))
      const taken = (await Promise.all(takers)).flatMap(({ task }, n) =>
        task ? [{ task, store: stores[n % 3] }] : [],
      )
      assert.ok(taken.length <= 2, `${taken.length} run at once`)
      assert.ok(taken.length > 0, 'nobody got one')
      for (const { task, store: holder } of taken)
        await holder?.move(task.id, task.claim, succeed(1, null, at(101)))
    }
  })

  check('tasks of a kind with a rate begin one after another, over all stores', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const rate = { rate: { count: 10, perMs: 1_000 } }
    const ids = await addMany(one, 3)
    assert.equal((await next(one, rate)).task?.id, ids[0])
    const held = await next(other, rate)
    assert.deepEqual(held, { task: null, heldUntil: Date.parse(at(100)) + 100 })
    const { id: passing } = await add(one, { kind: 'other', priority: 0 })
    assert.equal((await next(other, rate)).task?.id, passing)
    const later = (ms: number) => new Date(Date.parse(at(100)) + ms).toISOString()
    assert.equal((await next(other, rate, later(99))).task, null)
    assert.equal((await next(other, rate, later(100))).task?.id, ids[1])
    assert.equal((await next(one, rate, later(199))).task, null)
    // what was not used long ago is not made up for
    assert.equal((await next(one, rate, later(5_000))).task?.id, ids[2])
    await addMany(one, 1)
    assert.equal((await next(one, rate, later(5_050))).task, null)
  })

  check('what its rate holds back keeps its turn, however often it is refused', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const rate = { rate: { count: 10, perMs: 1_000 } }
    const ids = await addMany(one, 12)
    const later = (ms: number) => new Date(Date.parse(at(100)) + ms).toISOString()
    for (const [n, id] of ids.entries()) {
      const store = n % 2 === 0 ? one : other
      assert.equal((await next(store, rate, later(100 * n))).task?.id, id, `${n}`)
      // asked again at once when the permit is ripe: the next round
      for (const each of [one, other]) assert.equal((await next(each, rate, later(100 * n + 99))).task, null)
    }
  })

  check(
    'of several takers at once, the one that gets the only place or permit gets the oldest task',
    async world => {
      const stores = [await world.open(), await world.open(), await world.open()]
      const [store] = stores
      assert.ok(store)
      const ids = await addMany(store, 16)
      for (const [n, id] of ids.entries()) {
        const limit = n % 2 === 0 ? { maxConcurrency: 1 } : { rate: { count: 1, perMs: 1_000 } }
        const takers = [...stores, ...stores].map(each => next(each, limit, at(100 + n)))
        const taken = (await Promise.all(takers)).flatMap(({ task }, place) =>
          task ? [{ task, holder: stores[place % 3] }] : [],
        )
        assert.deepEqual(
          taken.map(({ task }) => task.id),
          [id],
          `${n}`,
        )
        for (const { task, holder } of taken)
          await holder?.move(task.id, task.claim, succeed(1, null, at(101 + n)))
      }
    },
  )

  check(
    'a taker hears of a kind that is full while a task of it waits, and of no other kind',
    async world => {
      const [one, other] = [await world.open(), await world.open()]
      const full: string[] = []
      const look = async (store: TaskStore) => {
        full.length = 0
        const { task } = await next(store, { maxConcurrency: 1 }, at(100), ['adding', 'other'], kind => {
          full.push(kind)
        })
        return { task, full: [...new Set(full)] }
      }
      assert.deepEqual(await look(one), { task: null, full: [] })
      await addMany(one, 2)
      const first = await look(one)
      assert.deepEqual(first.full, [])
      assert.ok(first.task)
      for (const store of [one, other]) assert.deepEqual(await look(store), { task: null, full: ['adding'] })
      await add(one, { kind: 'other', priority: 0 })
      const passing = await look(other)
      assert.deepEqual([passing.task?.kind, passing.full], ['other', ['adding']])
      await one.move(first.task.id, first.task.claim, succeed(1, null, at(101)))
      const last = await look(other)
      assert.deepEqual([last.task?.kind, last.full], ['adding', []])
      assert.deepEqual(await look(one), { task: null, full: [] })
    },
  )

  check('a permit of a rate is spent only on a task that begins', async world => {
    const store = await world.open()
    const both = { maxConcurrency: 1, rate: { count: 1, perMs: 1_000 } }
    assert.deepEqual(await next(store, both), { task: null, heldUntil: null })
    const [first] = await addMany(store, 2)
    const { task } = await next(store, both)
    assert.equal(task?.id, first)
    // full: the permit of this second is not touched
    assert.deepEqual(await next(store, both, at(105)), { task: null, heldUntil: null })
    assert.ok(task)
    await store.move(task.id, task.claim, succeed(1, null, at(102)))
    assert.ok((await next(store, both, at(105))).task)
    // nor is it where the move refuses to begin
    const [last] = await addMany(store, 1)
    const rate = { rate: both.rate }
    const want = { kinds: ['adding'], now: at(110), limits: limitsOf(rate) }
    await assert.rejects(
      store.claimNext(want, () => {
        throw new Error('not now')
      }),
      /not now/,
    )
    assert.equal((await next(store, rate, at(110))).task?.id, last)
  })

  check('a fast rate may make up for a tenth of a second', async world => {
    const store = await world.open()
    const rate = { rate: { count: 50, perMs: 1_000 } }
    await addMany(store, 8)
    for (let n = 0; n < 5; n += 1) assert.ok((await next(store, rate)).task, `${n}`)
    assert.deepEqual(await next(store, rate), { task: null, heldUntil: Date.parse(at(100)) + 20 })
  })

  check(
    'permits that were taken before the clock went back are waited for twice as long as for one at the most',
    async world => {
      const store = await world.open()
      const rate = { rate: { count: 6, perMs: 60_000 } }
      await addMany(store, 12)
      for (let n = 0; n < 10; n += 1) assert.ok((await next(store, rate, at(n * 10))).task, `${n}`)
      // back to where a permit was taken already
      await next(store, rate, at(20))
      await next(store, rate, at(30))
      assert.ok((await next(store, rate, at(40))).task, 'those after it are free again')
      assert.ok((await next(store, rate, at(50))).task)
    },
  )

  check('the clock may go back, and the rate goes on', async world => {
    const store = await world.open()
    const rate = { rate: { count: 1, perMs: 1_000 } }
    await addMany(store, 3)
    assert.ok((await next(store, rate, at(7_300))).task)
    assert.ok((await next(store, rate, at(100))).task)
    assert.equal((await next(store, rate, at(100))).task, null)
    assert.ok((await next(store, rate, at(101))).task)
  })
}
