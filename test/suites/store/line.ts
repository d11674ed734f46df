// What comes before a waiting task, and what the limits of its kind leave: in every store what the picks would show.
import assert from 'node:assert/strict'
import { isDue } from '../../../src/core/due.ts'
import type { KindLimits } from '../../../src/core/kind-limits.ts'
import { type LineQuery, nextFirst } from '../../../src/core/line.ts'
import { start, succeed } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import type { TaskRecord } from '../../../src/core/task.ts'
import { add, at, type Check, newTask, take } from './world.ts'

const query = (over: Partial<LineQuery> = {}): LineQuery => ({
  now: at(100),
  kinds: null,
  limits: new Map(),
  most: 1_000,
  ...over,
})

const limited = (limit: Partial<KindLimits>): LineQuery['limits'] =>
  new Map([['adding', { maxConcurrency: null, rate: null, ...limit }]])

const plainOf = (counts: ReadonlyMap<string, number> | null | undefined) =>
  counts ? Object.fromEntries([...counts].sort()) : counts

const begin = (store: TaskStore, now: string, limits: LineQuery['limits']) =>
  store.claimNext({ kinds: ['adding'], now, limits: Object.fromEntries(limits) }, start(store.instance, now))

export const line = (check: Check): void => {
  check('before a task stand those of higher priority, and older ones of the same, by kind', async world => {
    const store = await world.open()
    const tasks: TaskRecord[] = []
    for (let n = 0; n < 40; n += 1)
      tasks.push(
        await add(store, {
          kind: ['adding', 'other', 'third'][n % 3] ?? '',
          priority: n % 4,
          // several of one moment
          createdAt: at(n % 5),
          notBefore: n % 7 === 0 ? at(200) : null,
          expiresAt: n % 11 === 0 ? at(50) : null,
        }),
      )
    await take(store, tasks[3]?.id ?? '')
    const standing = (kinds: readonly string[] | null, now: string) =>
      tasks.filter((task, n) => n !== 3 && isDue(task, now) && (kinds?.includes(task.kind) ?? true))
    for (const kinds of [null, ['adding', 'third'], ['nobody'], []])
      for (const now of [at(20), at(100), at(300), at(100)]) {
        const { before } = await store.line(tasks, query({ kinds, now }))
        for (const [n, task] of tasks.entries()) {
          const wanted: Record<string, number> = {}
          for (const other of standing(kinds, now))
            if (nextFirst(other, task) < 0) wanted[other.kind] = (wanted[other.kind] ?? 0) + 1
          assert.deepEqual(
            plainOf(before[n]),
            plainOf(new Map(Object.entries(wanted))),
            `task ${n} at ${now}`,
          )
        }
      }
  })

  check('the line is the order in which tasks are given out, and asking takes none', async world => {
    const [store, other] = [await world.open(), await world.open()]
    for (let n = 0; n < 12; n += 1) await add(store, { priority: n % 3, createdAt: at(12 - n) })
    const { tasks } = await store.list({}, { limit: 50, cursor: null })
    const { before } = await other.line(tasks, query())
    const place = new Map(tasks.map((task, n) => [task.id, before[n]?.get('adding') ?? 0]))
    for (let turn = 0; turn < 12; turn += 1) {
      const task = await begin(store, at(100), new Map())
      assert.equal(place.get(task?.id ?? ''), turn)
    }
    const nobody = await other.line([], query())
    assert.deepEqual([nobody.before, nobody.closed], [[], null])
  })

  check('a task that is not in the line is told what would come before it', async world => {
    const store = await world.open()
    await add(store, { createdAt: at(1) })
    await add(store, { createdAt: at(2), kind: 'other' })
    const strangers = [newTask({ createdAt: at(0) }), newTask({ createdAt: at(9) }), newTask({ priority: 9 })]
    const { before } = await store.line(strangers, query())
    assert.deepEqual(before.map(plainOf), [{}, { adding: 1, other: 1 }, {}])
  })

  check('so many of a kind run, and what has ended or belongs to the dead makes room', async world => {
    const [store, other] = [await world.open(), await world.open()]
    const limits = limited({ maxConcurrency: 2 })
    const running = async () => (await other.line([], query({ limits }))).rooms.get('adding')
    for (let n = 0; n < 5; n += 1) await add(store, { createdAt: at(n) })
    assert.deepEqual(await running(), { running: 0, permits: null })
    const [first, second] = [await begin(store, at(100), limits), await begin(store, at(100), limits)]
    assert.ok(first && second)
    assert.deepEqual(await running(), { running: 2, permits: null })
    await store.move(first.id, first.claim, succeed(1, null, at(101)))
    assert.deepEqual(await running(), { running: 1, permits: null })
    await store.move(second.id, second.claim, succeed(1, null, at(101)))
    const { tasks } = await store.list({ statuses: ['PENDING'] }, { limit: 2, cursor: null })
    await world.lose(tasks.map(({ id }) => id))
    // another taker finds that they are dead
    assert.ok(await begin(store, at(102), limits))
    assert.ok(((await running())?.running ?? 0) < 2 || (await begin(store, at(102), limits)) === null)
  })

  check('so many may begin by the rate, and asking uses up none', async world => {
    const [store, other] = [await world.open(), await world.open()]
    const limits = limited({ rate: { count: 50, perMs: 1_000 } })
    const permits = async (now: string) => (await other.line([], query({ now, limits }))).rooms.get('adding')
    for (let n = 0; n < 8; n += 1) await add(store, { createdAt: at(n) })
    // a tenth of a second's worth
    for (const left of [5, 4, 3, 2, 1, 0]) {
      assert.deepEqual(await permits(at(100)), { running: null, permits: left })
      assert.equal((await begin(store, at(100), limits)) !== null, left > 0)
    }
    assert.deepEqual(await permits(at(100.02)), { running: null, permits: 1 })
    assert.deepEqual((await other.line([], query())).rooms, new Map())
  })

  check('a task with more before it than are to be counted is told so', async world => {
    const store = await world.open()
    for (let n = 0; n < 30; n += 1) await add(store, { kind: n % 2 ? 'adding' : 'other', createdAt: at(n) })
    const asked = [19, 20, 21, 29].map(second => newTask({ createdAt: at(second), id: LAST }))
    const { before } = await store.line(asked, query({ most: 21 }))
    // each has the one of its own second before it, too, since its id is the last of all
    assert.deepEqual(before.map(plainOf), [{ adding: 10, other: 10 }, { adding: 10, other: 11 }, null, null])
  })
}

/** No id that was made comes after it. */
const LAST = 'ffffffff-ffff-7fff-bfff-ffffffffffff'
