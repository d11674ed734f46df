// The index in memory, against a plain list that does the same the slow way.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fits } from '../../../src/core/filter.ts'
import {
  compareSortKeys,
  SORT_NAMES,
  SORTS,
  type Sort,
  type SortKey,
  sortKeyOf,
  USUAL_SORT,
} from '../../../src/core/sort.ts'
import type { TaskFilter } from '../../../src/core/store.ts'
import { isFinal, isRunning, STATUSES, type TaskRecord } from '../../../src/core/task.ts'
import { createTaskIndex, type TaskIndex } from '../../../src/stores/files/index/task-index.ts'
import { STRETCH } from '../../../src/stores/files/index/walks.ts'
import { newTaskOf } from '../../support/new-task.ts'

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString()
/** As it begins, with whatever else of a record is given. */
const newTask = (task: Partial<TaskRecord>): TaskRecord => ({ ...newTaskOf({ createdAt: at(0) }), ...task })
const idOf = (number: number): string =>
  `${(number * 2654435761).toString(16).padStart(8, '0').slice(-8)}-0000-7000-8000-${number.toString(16).padStart(12, '0')}`

/** Those that fit, as whoever goes on from place to place finds them. */
const places = (
  index: TaskIndex,
  filter: TaskFilter,
  after: SortKey | null = null,
  sort: Sort = USUAL_SORT,
): SortKey[] => [...index.walk(filter, sort, after)].flatMap(({ fits, id, at }) => (fits ? [{ at, id }] : []))

interface Known {
  task: TaskRecord
  removedAt: number | null
}
/** What the index should know: every task by id, also those that were removed. */
const createModel = () => {
  const known = new Map<string, Known>()
  const live = (): TaskRecord[] =>
    [...known.values()].flatMap(({ task, removedAt }) => (removedAt === null ? [task] : []))
  return {
    put(task: TaskRecord): boolean {
      const before = known.get(task.id)
      if (before?.removedAt != null && task.claim <= before.removedAt) return false
      if (before && before.removedAt === null) {
        const order = task.claim - before.task.claim || task.rev - before.task.rev
        if (order <= 0) return order === 0
      }
      known.set(task.id, { task, removedAt: null })
      return true
    },
    remove(id: string, claim: number): boolean {
      const before = known.get(id)
      if (before && before.removedAt === null && before.task.claim > claim) return false
      known.set(id, { task: before?.task ?? newTask({ id }), removedAt: claim })
      return true
    },
    places(filter: TaskFilter, sort: Sort): SortKey[] {
      const { by, isDescending } = SORTS[sort]
      const found = live().flatMap(task => (fits(task, filter) ? (sortKeyOf(task, by) ?? []) : []))
      found.sort(compareSortKeys)
      return isDescending ? found.reverse() : found
    },
    live,
  }
}

const task = fc
  .record({
    number: fc.nat(11),
    claim: fc.nat(3),
    rev: fc.nat(3),
    status: fc.constantFrom(...STATUSES),
    kind: fc.constantFrom('calcpi', 'sleep', 'other'),
    second: fc.nat(5),
    owner: fc.constantFrom(null, 'ada', 'euler', ''),
    parentId: fc.constantFrom(null, idOf(0), idOf(1)),
    title: fc.constantFrom(null, 'Digits of PI', 'A nap'),
    description: fc.constantFrom(null, 'çà et là', 'nothing'),
    expires: fc.option(fc.nat(9)),
    notBefore: fc.option(fc.nat(9)),
  })
  .map(({ number, second, expires, notBefore, status, ...rest }) =>
    newTask({
      ...rest,
      status,
      id: idOf(number),
      // a record's time of creation never changes
      createdAt: at(number % 6),
      finishedAt: isFinal(status) ? at(second) : null,
      expiresAt: expires === null ? null : at(expires),
      notBefore: notBefore === null ? null : at(notBefore),
    }),
  )
const step = fc.oneof(
  { weight: 4, arbitrary: task.map(made => ({ act: 'put', task: made }) as const) },
  {
    weight: 1,
    arbitrary: fc
      .record({ number: fc.nat(11), claim: fc.nat(4) })
      .map(({ number, claim }) => ({ act: 'remove', id: idOf(number), claim }) as const),
  },
  { weight: 1, arbitrary: fc.constant({ act: 'wait' } as const) },
)
const filter = fc.record(
  {
    statuses: fc.subarray([...STATUSES], { minLength: 1 }),
    kinds: fc.subarray(['calcpi', 'sleep', 'unknown'], { minLength: 1 }),
    owner: fc.constantFrom('ada', 'nobody', ''),
    owners: fc.subarray(['ada', 'euler', '', 'nobody']),
    parentId: fc.constantFrom(idOf(0), idOf(9)),
    from: fc.nat(6).map(at),
    to: fc.nat(6).map(at),
    text: fc.constantFrom('PI', 'nap', 'ÇÀ', 'sleep', '0000-7000', '3', 'not there'),
  },
  { requiredKeys: [] },
)

describe('task index', () => {
  it('agrees with a plain list after any puts and removals', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.array(filter, { minLength: 3, maxLength: 3 }),
        (steps, filters) => {
          const index = createTaskIndex()
          const model = createModel()
          for (const one of steps) {
            if (one.act === 'put') assert.equal(index.put(one.task), model.put(one.task))
            else if (one.act === 'remove')
              assert.equal(index.remove(one.id, one.claim), model.remove(one.id, one.claim))
            // from here on the list of waiting tasks is kept, no longer made
            else index.waiting()
          }
          const live = model.live()
          for (const one of [{}, ...filters])
            for (const sort of SORT_NAMES) {
              const expected = model.places(one, sort)
              assert.deepEqual(places(index, one, null, sort), expected)
              const middle = expected[expected.length >> 1]
              if (middle)
                assert.deepEqual(places(index, one, middle, sort), expected.slice((expected.length >> 1) + 1))
            }
          for (const { owners } of filters) {
            if (!owners) continue
            const mine = live.filter(one => fits(one, { owners }))
            const counts = index.counts(owners)
            assert.equal(counts.total, mine.length)
            for (const { kind, status } of mine)
              assert.equal(
                counts.byKind[kind]?.[status],
                mine.filter(one => one.kind === kind && one.status === status).length,
              )
          }
          const { total, byStatus, byKind } = index.counts()
          assert.equal(total, live.length)
          for (const status of STATUSES)
            assert.equal(byStatus[status], live.filter(one => one.status === status).length)
          for (const { kind, status } of live)
            assert.equal(
              byKind[kind]?.[status],
              live.filter(one => one.kind === kind && one.status === status).length,
            )
          assert.equal(
            Object.values(byKind)
              .flatMap(Object.values)
              .reduce<number>((a, b) => a + Number(b), 0),
            total,
          )
          const sorted = (ids: string[]): string[] => ids.sort()
          assert.deepEqual(
            sorted(index.running().map(({ id }) => id)),
            sorted(live.filter(({ status }) => isRunning(status)).map(({ id }) => id)),
          )
          const ended = index.ended()
          const ends = live.filter(({ status }) => isFinal(status)).map(({ finishedAt }) => finishedAt)
          assert.deepEqual(
            Array.from({ length: ended.length }, (_, place) => ended.finishedAt(place)),
            ends.sort().reverse(),
          )
          assert.deepEqual(
            index
              .endedIn(new Set(Array.from({ length: 256 }, (_, shard) => shard)))
              .map(({ id, claim, owner }) => `${id} ${claim} ${owner}`)
              .sort(),
            live
              .filter(({ status }) => isFinal(status))
              .map(({ id, claim, owner }) => `${id} ${claim} ${owner}`)
              .sort(),
          )
          const soon = at(4)
          assert.deepEqual(
            sorted(index.expired(soon).map(({ id }) => id)),
            sorted(
              live
                .filter(one => one.status === 'PENDING' && one.expiresAt !== null && one.expiresAt <= soon)
                .map(({ id }) => id),
            ),
          )
          const due = live
            .filter(one => ['PENDING', 'RETRY'].includes(one.status) && (one.notBefore ?? '') <= soon)
            .sort((a, b) => b.priority - a.priority || (a.createdAt + a.id < b.createdAt + b.id ? -1 : 1))
          assert.deepEqual(
            [...index.waiting().due(soon)].map(({ id }) => id),
            due.map(({ id }) => id),
          )
        },
      ),
      { numRuns: 300 },
    )
  })

  it('gives up the rows of removed tasks and stays right', () => {
    const index = createTaskIndex()
    const ids = Array.from({ length: 6_000 }, (_, number) => idOf(number))
    for (const [number, id] of ids.entries())
      index.put(newTask({ id, createdAt: at(number), kind: number % 2 ? 'odd' : 'even', owner: 'ada' }))
    for (const id of ids.slice(0, 5_000)) assert.ok(index.remove(id, 1))
    assert.equal(index.counts().total, 1_000)
    assert.deepEqual(
      places(index, { owner: 'ada', kinds: ['odd'] }).map(({ id }) => id),
      ids.filter((_, number) => number >= 5_000 && number % 2 === 1).reverse(),
    )
    assert.equal(index.version(ids[4_999] as string), null)
    assert.deepEqual(index.version(ids[5_000] as string), { claim: 0, rev: 0, status: 'PENDING' })
    assert.equal([...index.waiting().due(at(9_000))].length, 1_000)
  })

  it('counts for some owners alone, also when the rows of removed tasks were given up', () => {
    const index = createTaskIndex()
    const owners = [null, 'ada', 'euler']
    for (let number = 0; number < 6_000; number += 1)
      index.put(newTask({ id: idOf(number), createdAt: at(number), owner: owners[number % 3] ?? null }))
    for (let number = 0; number < 5_000; number += 1) index.remove(idOf(number), 1)
    const totals = [['ada'], ['ada', ''], ['', 'nobody'], ['nobody'], []].map(
      each => index.counts(each).total,
    )
    assert.deepEqual(totals, [333, 666, 333, 0, 0])
    assert.equal(index.counts().total, 1_000)
  })

  it('knows the same of the others when the rows of removed tasks are given up', () => {
    const [index, whole] = [createTaskIndex(), createTaskIndex()]
    const kept = [
      { id: idOf(1), title: 'Digits', owner: 'ada', priority: 7, claim: 4, rev: 2 },
      { id: idOf(2), workersLost: 2, claim: 3 },
      { id: idOf(3), notBefore: at(20), expiresAt: at(30), parentId: idOf(1) },
      { id: idOf(4), status: 'RETRY' as const, notBefore: at(40) },
      { id: idOf(5), status: 'SUCCESS' as const, finishedAt: at(7) },
      { id: idOf(6), status: 'STARTED' as const, claim: 1 },
    ]
    const gone = Array.from({ length: 2_000 }, (_, number) => idOf(100 + number))
    for (const id of gone) index.put(newTask({ id }))
    for (const task of kept) for (const each of [index, whole]) each.put(newTask(task))
    for (const id of gone) index.remove(id, 0)
    const known = (each: TaskIndex) => ({
      versions: kept.map(({ id }) => each.version(id)),
      due: [10, 25, 50].map(second => [...each.waiting().due(at(second))]),
      nextAt: each.waiting().nextAt(at(10)),
      expired: each.expired(at(30)),
      nextExpiry: each.nextExpiry(at(10)),
      running: each.running(),
      ended: each.ended().finishedAt(0),
      lists: [{}, { owner: 'ada' }, { parentId: idOf(1) }, { text: 'digits' }].map(filter =>
        SORT_NAMES.map(sort => places(each, filter, null, sort)),
      ),
    })
    assert.deepEqual(known(index), known(whole))
    assert.equal(known(index).due[0]?.find(({ suspect }) => suspect)?.id, idOf(2))
  })

  it('does not bring back what was removed a second time, however late an older record comes', () => {
    const index = createTaskIndex()
    const remembered = 10_000
    index.remove(idOf(0), 1)
    for (let number = 1; number < remembered; number += 1) index.remove(idOf(number), 1)
    index.remove(idOf(0), 3)
    for (let number = 0; number < 10; number += 1) index.remove(idOf(remembered + number), 1)
    assert.equal(index.put(newTask({ id: idOf(0), claim: 2 })), false)
    assert.equal(index.version(idOf(0)), null)
  })

  it('yields its position in a long run of rows that do not fit, so that it can go on from there', async () => {
    const index = createTaskIndex()
    const count = 2 * STRETCH + 10
    await index.load(async () => {
      for (let number = 0; number < count; number += 1)
        index.put(newTask({ id: idOf(number), createdAt: at(number), owner: number === 3 ? 'ada' : 'bob' }))
    })
    const told = [...index.walk({ owner: 'ada' }, '-createdAt', null)]
    assert.deepEqual(
      told.map(place => [place.at, place.fits]),
      [
        [at(count - STRETCH), false],
        [at(count - 2 * STRETCH), false],
        [at(3), true],
      ],
    )
    assert.deepEqual([...index.walk({ owner: 'ada' }, '-createdAt', told[1] as SortKey)], told.slice(2))
    const up = [...index.walk({ owner: 'ada' }, 'createdAt', null)]
    assert.deepEqual(
      up.map(place => [place.at, place.fits]),
      [
        [at(3), true],
        [at(3 + STRETCH), false],
        [at(3 + 2 * STRETCH), false],
      ],
    )
    assert.deepEqual([...index.walk({ owner: 'ada' }, 'createdAt', up[1] as SortKey)], up.slice(2))
  })

  it('sorts by the end what ended in no order, however much it is, also where many end in one moment', () => {
    const index = createTaskIndex()
    const count = 2_300
    const ended = Array.from({ length: count }, (_, number) => {
      const finishedAt = number % 3 === 0 ? at(5_000) : at((number * 7_919) % count)
      return newTask({ id: idOf(number), status: number % 2 ? 'SUCCESS' : 'FAILURE', finishedAt })
    })
    for (const task of [...ended, newTask({ id: idOf(count) })]) index.put(task)
    const expected = ended.flatMap(task => sortKeyOf(task, 'finishedAt') ?? []).sort(compareSortKeys)
    assert.equal(expected.length, count)
    assert.deepEqual(places(index, {}, null, 'finishedAt'), expected)
    assert.deepEqual(places(index, {}, null, '-finishedAt'), expected.toReversed())
    for (const place of [0, 499, 500, 1_800, count - 1])
      assert.deepEqual(places(index, {}, expected[place], 'finishedAt'), expected.slice(place + 1))
    const failed = new Set(ended.filter(({ status }) => status === 'FAILURE').map(({ id }) => id))
    assert.deepEqual(
      places(index, { statuses: ['FAILURE'] }, null, 'finishedAt'),
      expected.filter(({ id }) => failed.has(id)),
    )
  })

  it('sorts once what is loaded in no order', async () => {
    const index = createTaskIndex()
    const numbers = Array.from({ length: 1_000 }, (_, number) => (number * 7_919) % 1_000)
    await index.load(async () => {
      for (const number of numbers) index.put(newTask({ id: idOf(number), createdAt: at(number) }))
    })
    assert.deepEqual(
      places(index, {}).map(place => place.at),
      Array.from({ length: 1_000 }, (_, number) => at(999 - number)),
    )
  })
})
