// What is due, has expired, and comes next: in every store what core/due.ts says of the records.
import assert from 'node:assert/strict'
import { dueChangesAt, isDue, isExpired } from '../../../src/core/due.ts'
import { fail, giveBack, revoke, start, succeed } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import type { TaskRecord } from '../../../src/core/task.ts'
import { add, at, type Check, read, take } from './world.ts'

const TIMES = [null, at(20), at(30), at(40)]
/** How a task comes to the status in which it is looked at. */
const WAYS: Record<string, (store: TaskStore, task: TaskRecord) => Promise<unknown>> = {
  'as it was submitted': async () => {},
  'held by a worker': (store, { id }) => take(store, id),
  'to be tried again': async (store, { id, notBefore }) => {
    const { claim } = await take(store, id)
    const error = { code: 'KIND_FAILED', message: 'no', detail: null }
    return store.move(id, claim, fail(error, notBefore ?? at(1), at(2)))
  },
  'given back before it began': async (store, { id }) => {
    const { claim } = await take(store, id)
    return store.move(id, claim, giveBack(at(2), false))
  },
  ended: async (store, { id }) => {
    const { claim } = await take(store, id)
    return store.move(id, claim, succeed(1, null, at(2)))
  },
  cancelled: (store, { id }) => store.claim(id, revoke(at(2))),
}
/** Before, at and after each time; forwards, then to and fro. */
const NOWS = [10, 19.999, 20, 20.001, 25, 30, 39, 40, 41, 29, 20, 5, 35, 100, 15, 35]

const better = (a: TaskRecord, b: TaskRecord): number =>
  b.priority - a.priority || (a.createdAt < b.createdAt ? -1 : 1)

export const due = (check: Check): void => {
  check(
    'the agenda and the picks are what the record of each task says, wherever the clock is',
    async world => {
      const store = await world.open()
      const cases = Object.values(WAYS).flatMap(go =>
        TIMES.flatMap(notBefore => TIMES.map(expiresAt => ({ go, notBefore, expiresAt }))),
      )
      const tasks = await Promise.all(
        cases.map(async ({ go, ...times }, number) => {
          // younger ones first, so that the order is not that of the ids
          const createdAt = new Date(Date.parse(at(0)) - number).toISOString()
          const task = await add(store, { ...times, priority: number % 3, createdAt })
          await go(store, task)
          return read(store, task.id)
        }),
      )
      const dueAt = (now: string): string[] =>
        tasks
          .filter(task => isDue(task, now))
          .sort(better)
          .map(({ id }) => id)

      for (const [place, second] of NOWS.entries()) {
        const now = at(second)
        const agenda = await store.agenda(now, tasks.length)
        const said = `at second ${second}, look ${place}`
        assert.deepEqual(agenda.dueIds, dueAt(now), `due ${said}`)
        assert.equal(agenda.due, agenda.dueIds.length, `number of those due ${said}`)
        const expired = tasks.filter(task => isExpired(task, now)).map(({ id }) => id)
        assert.deepEqual(agenda.expired.toSorted(), expired.toSorted(), `expired ${said}`)
        const changes = tasks.flatMap(task => dueChangesAt(task, now) ?? []).sort()
        assert.equal(
          agenda.nextAt === null ? null : Date.parse(agenda.nextAt),
          changes[0] === undefined ? null : Date.parse(changes[0]),
          `the next change ${said}`,
        )
      }

      const now = at(35)
      const wanted = dueAt(now)
      assert.ok(wanted.length > 10)
      for (const id of wanted)
        assert.equal((await store.claimNext({ kinds: ['adding'], now }, start(store.instance, now)))?.id, id)
      assert.equal(await store.claimNext({ kinds: ['adding'], now }, start(store.instance, now)), null)
    },
  )
}
