// list and counts: every filter, a steady order, pages that cover everything once, numbers that are exact.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { fail, retryByHand, revoke } from '../../../src/core/moves.ts'
import { SORT_NAMES, type Sort } from '../../../src/core/sort.ts'
import type { TaskFilter, TaskStore } from '../../../src/core/store.ts'
import { newTaskId, STATUSES, type TaskRecord } from '../../../src/core/task.ts'
import { add, addEnded, at, type Check, refused, take } from './world.ts'

const all = async (
  store: TaskStore,
  filter: TaskFilter = {},
  limit = 1000,
  sort?: Sort,
): Promise<TaskRecord[]> => {
  const found: TaskRecord[] = []
  let cursor: string | null = null
  do {
    const page = await store.list(filter, { limit, cursor, ...(sort ? { sort } : {}) })
    assert.ok(page.tasks.length <= limit)
    found.push(...page.tasks)
    cursor = page.next
  } while (cursor !== null)
  return found
}
const ids = (tasks: readonly TaskRecord[]): string[] => tasks.map(task => task.id)

/** What the filter means, said anew. */
const expected = (tasks: readonly TaskRecord[], filter: TaskFilter, sort: Sort = '-createdAt'): string[] => {
  let left = [...tasks]
  if (filter.statuses) left = left.filter(task => filter.statuses?.some(status => status === task.status))
  if (filter.kinds) left = left.filter(task => filter.kinds?.some(kind => kind === task.kind))
  if (filter.owner) left = left.filter(task => task.owner === filter.owner)
  const seen = filter.owners
  if (seen) left = left.filter(task => seen.some(owner => (owner === '' ? null : owner) === task.owner))
  if (filter.parentId) left = left.filter(task => task.parentId === filter.parentId)
  const time = (text: string | undefined, otherwise: number) => (text ? Date.parse(text) : otherwise)
  left = left.filter(task => Date.parse(task.createdAt) >= time(filter.from, Number.NEGATIVE_INFINITY))
  left = left.filter(task => Date.parse(task.createdAt) < time(filter.to, Number.POSITIVE_INFINITY))
  const ended = (task: TaskRecord) => (task.finishedAt ? Date.parse(task.finishedAt) : Number.NaN)
  if (filter.finishedFrom) left = left.filter(task => ended(task) >= time(filter.finishedFrom, 0))
  if (filter.finishedTo) left = left.filter(task => ended(task) < time(filter.finishedTo, 0))
  if (filter.errorCodes)
    left = left.filter(task => filter.errorCodes?.some(code => code === task.error?.code))
  const words = filter.errorText?.toLowerCase()
  if (words !== undefined) left = left.filter(task => task.error?.message.toLowerCase().includes(words))
  const like = filter.errorLike?.replace(/\d+|…/, '#')
  if (like !== undefined) left = left.filter(task => task.error?.message.replace(/\d+/, '#') === like)
  const text = filter.text?.toLowerCase() ?? ''
  left = left.filter(task =>
    `${task.id}\n${task.kind}\n${task.title ?? ''}\n${task.description ?? ''}`.toLowerCase().includes(text),
  )
  const age = (task: TaskRecord) => Date.parse(task.createdAt)
  if (sort === 'createdAt') left.sort((a, b) => age(a) - age(b))
  else if (sort === '-createdAt') left.sort((a, b) => age(b) - age(a))
  else {
    left = left.filter(task => !Number.isNaN(ended(task)))
    left.sort((a, b) => (sort === 'finishedAt' ? ended(a) - ended(b) : ended(b) - ended(a)))
  }
  return ids(left)
}

const PARENTS = [newTaskId(), newTaskId()]
const TEXTS = ['pi', 'PI', 'calc', 'straße', '.*', '%', '(', '100%', 'nothing has this']

const mixed = async (store: TaskStore): Promise<TaskRecord[]> => {
  const tasks: TaskRecord[] = []
  for (let n = 0; n < 24; n += 1) {
    const { id } = await add(store, {
      kind: ['calcpi', 'sleep', 'constructor'][n % 3] ?? '',
      owner: [null, 'ann', 'bob'][(n >> 1) % 3] ?? null,
      parentId: [null, PARENTS[0], PARENTS[1], null][(n >> 2) % 4] ?? null,
      createdAt: at(n * 10),
      title: [null, 'Pi to 100 digits', '100% of (it)', 'Straße'][n % 4] ?? null,
      description: n % 5 === 0 ? 'has .* and calculus' : null,
    })
    const step = n % 6
    if (step === 1) await store.revoke(id, at(500 + n))
    if (step >= 2) {
      const { claim } = await take(store, id)
      const code = n % 4 < 2 ? 'KIND_FAILED' : 'TIME_LIMIT'
      const error = { code, message: n % 3 === 0 ? 'No answer from db-1' : 'straße, %', detail: null }
      if (step === 3) await store.move(id, claim, fail(error, null, at(500 + n)))
      if (step === 4) await store.move(id, claim, fail(error, at(600), at(500 + n)))
      if (step === 5) await store.move(id, claim, revoke(at(500 + n)))
    }
    const task = await store.get(id)
    assert.ok(task)
    tasks.push(task)
  }
  return tasks
}

export const lists = (check: Check): void => {
  check('each filter and every combination of filters finds what fits, in every order', async world => {
    const [store, other] = [await world.open(), await world.open()]
    const tasks = await mixed(store)
    const rarely = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 1 })
    const some = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 })
    const part = tasks.map(task => task.id.slice(20, 30))
    const filters = fc.record({
      statuses: some(fc.subarray([...STATUSES])),
      kinds: some(fc.subarray(['calcpi', 'sleep', 'constructor', 'unknown'])),
      owner: some(fc.constantFrom('ann', 'bob', 'nobody')),
      owners: some(fc.subarray(['ann', 'bob', '', 'nobody'])),
      parentId: some(fc.constantFrom(...PARENTS)),
      from: some(fc.integer({ min: 0, max: 250 }).map(at)),
      to: some(fc.integer({ min: 0, max: 250 }).map(at)),
      text: fc.option(fc.constantFrom(...TEXTS, ...part), { nil: undefined, freq: 1 }),
      errorCodes: rarely(fc.subarray(['KIND_FAILED', 'TIME_LIMIT', 'EXPIRED'])),
      errorText: rarely(fc.constantFrom('NO answer', 'db-1', 'STRASSE', 'straße', '%', '')),
      errorLike: rarely(
        fc.constantFrom('No answer from db-…', 'No answer from db-22', 'straße', 'straße, %'),
      ),
      finishedFrom: rarely(fc.integer({ min: 495, max: 530 }).map(at)),
      finishedTo: rarely(fc.integer({ min: 495, max: 530 }).map(at)),
    })
    const sorts = fc.constantFrom(undefined, ...SORT_NAMES)
    await fc.assert(
      fc.asyncProperty(filters, fc.constantFrom(1, 2, 7, 100), sorts, async (drawn, limit, sort) => {
        const filter = Object.fromEntries(
          Object.entries(drawn).filter(([, value]) => value !== undefined),
        ) as TaskFilter
        assert.deepEqual(ids(await all(store, filter, limit, sort)), expected(tasks, filter, sort))
      }),
      { numRuns: 200 },
    )
    for (const filter of [{ kinds: ['calcpi'] }, { owner: 'ann' }, { text: 'PI' }] as TaskFilter[])
      assert.deepEqual(await all(other, filter), await all(store, filter))
  })

  check('bounds in time: `from` is inclusive, `to` exclusive', async world => {
    const store = await world.open()
    const { id } = await add(store, { createdAt: at(5) })
    assert.deepEqual(ids(await all(store, { from: at(5), to: at(6) })), [id])
    assert.deepEqual(await all(store, { from: at(6) }), [])
    assert.deepEqual(await all(store, { to: at(5) }), [])
  })

  check(
    'what failed is found by its code, by its words and by its end, in every store, and not before',
    async world => {
      const [store, other] = [await world.open(), await world.open()]
      const { id } = await add(store)
      const { claim } = await take(store, id)
      const error = { code: 'KIND_FAILED', message: 'No answer from db-1', detail: null }
      const filters: TaskFilter[] = [
        { errorCodes: ['EXPIRED', 'KIND_FAILED'] },
        { errorText: 'no ANSWER' },
        { errorLike: 'No answer from db-2' },
        { finishedFrom: at(500), finishedTo: at(501) },
        { statuses: ['FAILURE'], kinds: ['adding'], errorCodes: ['KIND_FAILED'], text: id.slice(0, 8) },
      ]
      const found = async (by: TaskStore) => {
        for (const filter of filters)
          assert.deepEqual(ids(await all(by, filter)), [id], JSON.stringify(filter))
      }
      for (const filter of filters) assert.deepEqual(await all(store, filter), [])
      await store.move(id, claim, fail(error, null, at(500)))
      await found(store)
      await found(other)
      for (const filter of [
        { finishedFrom: at(501) },
        { finishedTo: at(500) },
        { errorCodes: [] },
        { errorText: 'db-2' },
        { errorLike: 'No answer from' },
      ])
        assert.deepEqual(await all(other, filter), [])
      await store.close()
      await other.close()
      await found(await world.open())
    },
  )

  check('tasks of one moment have one order, whatever the size of the page', async world => {
    const [store, other] = [await world.open(), await world.open()]
    for (let n = 0; n < 9; n += 1) await add(store, { createdAt: at(n < 3 ? 0 : 1) })
    const whole = ids(await all(store))
    assert.equal(new Set(whole).size, 9)
    for (const limit of [1, 2, 4, 9, 10]) {
      assert.deepEqual(ids(await all(store, {}, limit)), whole)
      assert.deepEqual(ids(await all(other, {}, limit)), whole)
    }
  })

  check('pages show all of a moment with many tasks, from whatever place they go on', async world => {
    const store = await world.open()
    const made: Promise<TaskRecord>[] = []
    for (let n = 0; n < 450; n += 1) made.push(add(store, { createdAt: at(n < 430 ? 1 : n) }))
    const expected = new Set(ids(await Promise.all(made)))
    const found = ids(await all(store, {}, 110))
    assert.equal(found.length, expected.size)
    assert.deepEqual(new Set(found), expected)
  })

  check('an order turned round is the same list backwards, also of tasks of one moment', async world => {
    const [store, other] = [await world.open(), await world.open()]
    for (let n = 0; n < 9; n += 1) await addEnded(store, { createdAt: at(n % 2) })
    await add(store, { createdAt: at(0) })
    for (const sort of ['createdAt', 'finishedAt'] as const) {
      const down = ids(await all(store, {}, 1000, `-${sort}`))
      assert.equal(down.length, sort === 'createdAt' ? 10 : 9)
      for (const limit of [1, 2, 4, 9, 10])
        for (const each of [store, other]) {
          assert.deepEqual(ids(await all(each, {}, limit, `-${sort}`)), down)
          assert.deepEqual(ids(await all(each, {}, limit, sort)), down.toReversed())
        }
    }
  })

  check(
    'by the end, a task stands where it last ended: run again it leaves the list, and comes anew',
    async world => {
      const [store, other] = [await world.open(), await world.open()]
      const [first, second] = [await add(store), await add(store)]
      const failAt = async (id: string, second: number): Promise<void> => {
        const { claim } = await take(store, id)
        await store.move(
          id,
          claim,
          fail({ code: 'KIND_FAILED', message: 'no', detail: null }, null, at(second)),
        )
      }
      await failAt(first.id, 500)
      await failAt(second.id, 501)
      const byEnd = async (by: TaskStore) => ids(await all(by, {}, 1, '-finishedAt'))
      assert.deepEqual(await byEnd(other), [second.id, first.id])
      await store.claim(first.id, retryByHand(at(502)))
      for (const each of [store, other]) assert.deepEqual(await byEnd(each), [second.id])
      await failAt(first.id, 503)
      for (const each of [store, other]) assert.deepEqual(await byEnd(each), [first.id, second.id])
    },
  )

  check('a cursor is good for the time that its list was sorted by, and for no other', async world => {
    const store = await world.open()
    for (let n = 0; n < 3; n += 1) await addEnded(store, { createdAt: at(n) })
    for (const [sort, other] of [
      ['-createdAt', '-finishedAt'],
      ['finishedAt', 'createdAt'],
    ] as const) {
      const { next } = await store.list({}, { limit: 1, cursor: null, sort })
      assert.ok(next)
      await refused(() => store.list({}, { limit: 1, cursor: next, sort: other }), 'BAD_CURSOR')
      assert.equal((await store.list({}, { limit: 1, cursor: next, sort })).tasks.length, 1)
    }
  })

  check('the last page has no next, also when it is full', async world => {
    const store = await world.open()
    assert.deepEqual(await store.list({}, { limit: 2, cursor: null }), { tasks: [], next: null })
    for (let n = 0; n < 4; n += 1) await add(store, { createdAt: at(n) })
    const first = await store.list({}, { limit: 2, cursor: null })
    assert.ok(first.next)
    const second = await store.list({}, { limit: 2, cursor: first.next })
    assert.deepEqual([second.tasks.length, second.next], [2, null])
  })

  check('pages show each task exactly once while others come, go and move', async world => {
    const [store, other] = [await world.open(), await world.open()]
    const old: string[] = []
    for (let n = 0; n < 30; n += 1) old.push((await addEnded(store, { createdAt: at(Math.floor(n / 3)) })).id)
    const removed = new Set<string>()
    const seen: string[] = []
    let cursor: string | null = null
    let page = 0
    do {
      const answer = await store.list({}, { limit: 4, cursor })
      seen.push(...ids(answer.tasks))
      cursor = answer.next
      page += 1
      await add(other, { createdAt: at(1000 + page) })
      // the one that the cursor stands on, and one that is still to come
      for (const gone of [answer.tasks.at(-1)?.id, old[page]])
        if (gone !== undefined && !removed.has(gone) && old.includes(gone)) {
          removed.add(gone)
          await other.remove(gone)
        }
    } while (cursor !== null)
    assert.equal(new Set(seen).size, seen.length, 'no task is shown twice')
    for (const id of old) assert.ok(seen.includes(id) || removed.has(id), 'no task that stays is left out')
    assert.ok(removed.size > 8)
  })

  check('a cursor that the store did not give out is refused', async world => {
    const store = await world.open()
    await add(store)
    const feed = await store.cursor()
    const bad = ['', 'x', '../../etc/passwd', '\0', 'null', '{}', '0', 'x'.repeat(100_000), 'ÿ', feed]
    for (const text of ['null', '{}', '[]', '["",""]', '[1,2]', '{"createdAt":"x"}', 'a b'])
      bad.push(Buffer.from(text).toString('base64url'))
    // as its own are, but for a month that no year has
    await add(store)
    const { next } = await store.list({}, { limit: 1, cursor: null })
    const own = Buffer.from(next ?? '', 'base64url').toString()
    assert.ok(own.includes(at(0)))
    bad.push(Buffer.from(own.replace(at(0), at(0).replace('-01-', '-13-'))).toString('base64url'))
    for (const cursor of bad) await refused(() => store.list({}, { limit: 5, cursor }), 'BAD_CURSOR')
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), cursor =>
        refused(() => store.list({}, { limit: 5, cursor }), 'BAD_CURSOR'),
      ),
      { numRuns: 100 },
    )
  })

  check('counts are exact by status and kind, in every store, after removal too', async world => {
    const [store, other] = [await world.open(), await world.open()]
    const tasks = await mixed(store)
    const byHand = (left: readonly TaskRecord[]): Record<string, number> => {
      const numbers: Record<string, number> = {}
      for (const { kind, status } of left)
        numbers[`${kind} ${status}`] = (numbers[`${kind} ${status}`] ?? 0) + 1
      return numbers
    }
    const counted = async (from: TaskStore, left: readonly TaskRecord[]): Promise<void> => {
      const counts = await from.counts()
      const numbers: Record<string, number> = {}
      for (const [kind, statuses] of Object.entries(counts.byKind))
        for (const [status, count] of Object.entries(statuses))
          if (count > 0) numbers[`${kind} ${status}`] = count
      assert.deepEqual(numbers, byHand(left))
      assert.equal(counts.total, left.length)
      for (const status of STATUSES)
        assert.equal(counts.byStatus[status], left.filter(task => task.status === status).length)
    }
    await counted(store, tasks)
    await counted(other, tasks)
    const gone = tasks.filter(task => task.status === 'REVOKED')
    for (const { id } of gone) await other.remove(id)
    const left = tasks.filter(task => task.status !== 'REVOKED')
    await counted(store, left)
    await counted(other, left)
  })
}
