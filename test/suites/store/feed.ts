// The change feed: the latest state of every task arrives, none goes backwards, any cursor resumes.

import assert from 'node:assert/strict'
import { giveBack, report, succeed } from '../../../src/core/moves.ts'
import type { Change, TaskStore } from '../../../src/core/store.ts'
import { compareVersions, type TaskRecord } from '../../../src/core/task.ts'
import { until } from '../../support/until.ts'
import { SAMPLE } from './sample.ts'
import {
  add,
  addEnded,
  at,
  type Check,
  caughtUp,
  follow,
  latest,
  newTask,
  read,
  refused,
  take,
} from './world.ts'

const progress = (percent: number) => report({ percent, note: null, etaSeconds: null }, percent, at(2))

/** Tasks that are moved by turns in two stores. */
const history = async (one: TaskStore, other: TaskStore, tasks: number): Promise<string[]> => {
  const ids: string[] = []
  for (let n = 0; n < tasks; n += 1) {
    const [first, second] = n % 2 === 0 ? [one, other] : [other, one]
    const { id } = await add(first)
    ids.push(id)
    const started = await take(second, id)
    for (let step = 1; step < 5; step += 1) await second.move(id, started.claim, progress(step))
    await second.move(id, started.claim, giveBack(at(3)))
    if (n % 3 === 0) continue
    const anew = await take(first, id)
    await first.move(id, anew.claim, progress(50))
    if (n % 3 === 1) await first.move(id, anew.claim, succeed(1, null, at(4)))
  }
  return ids
}

export const feed = (check: Check): void => {
  check(
    'every subscriber in every store gets the latest state of every task, and never an older one after a newer',
    async world => {
      const [one, other] = [await world.open(), await world.open()]
      const followers = [
        follow(one, await one.cursor()),
        follow(one, await one.cursor()),
        follow(other, await other.cursor()),
      ]
      const ids = await history(one, other, 12)
      for (const follower of followers) {
        await caughtUp(follower, one, ids)
        await follower.stop()
        const told = latest(follower.seen)
        assert.deepEqual([...told.keys()].toSorted(), ids.toSorted())
      }
    },
  )

  check('a change in one store is seen in another within a second', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const follower = follow(other, await other.cursor())
    const delays: number[] = []
    for (let n = 0; n < 7; n += 1) {
      const { id } = await add(one)
      const begin = performance.now()
      await until('the other store tells of the task', () => latest(follower.seen).has(id))
      delays.push(performance.now() - begin)
    }
    await follower.stop()
    // the middle one, so that one pause of a busy machine does not count
    assert.ok((delays.toSorted((a, b) => a - b)[3] ?? 0) < 1000, `it took ${delays.map(Math.round)} ms`)
  })

  check(
    'any cursor resumes: nothing after it is lost, and no task goes back to an older state',
    async world => {
      const [one, other] = [await world.open(), await world.open()]
      const follower = follow(one, await one.cursor())
      const ids = await history(one, other, 8)
      await caughtUp(follower, one, ids)
      await follower.stop()
      const resumed = async (store: TaskStore, places: readonly number[]): Promise<void> => {
        for (const place of places) {
          const entry = follower.seen[place]
          assert.ok(entry)
          const before = latest(follower.seen.slice(0, place + 1))
          const later = follow(store, entry.cursor)
          await until('the resumed feed has caught up', () =>
            [...latest(follower.seen)].every(([id, task]) => {
              const told = latest([...follower.seen.slice(0, place + 1), ...later.seen]).get(id)
              return told !== undefined && compareVersions(told, task) === 0
            }),
          )
          await later.stop()
          for (const change of later.seen)
            if (change.type === 'task') {
              const known = before.get(change.task.id)
              assert.ok(
                !known || compareVersions(known, change.task) <= 0,
                'not older than what was told before',
              )
            }
        }
      }
      const last = follower.seen.length - 1
      const places = [0, 1, 2, Math.floor(last / 3), Math.floor(last / 2), last - 1, last]
      await resumed(one, places)
      await resumed(other, places)
      await one.close()
      await other.close()
      await resumed(await world.open(), places)
    },
  )

  check('a subscriber that resumes gets what happened while nobody listened', async world => {
    const one = await world.open()
    const first = await add(one)
    const cursor = await one.cursor()
    await one.close()
    const other = await world.open()
    const { id } = await add(other)
    const ended = await other.revoke(first.id, at(3))
    await other.close()
    const later = await world.open()
    const follower = follow(later, cursor)
    await until('both changes arrive', () => latest(follower.seen).size === 2)
    await caughtUp(follower, later, [id, first.id])
    await follower.stop()
    assert.deepEqual(latest(follower.seen).get(first.id), ended.task)
  })

  check('a cancel request is in the feed before the holder acts', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const { id } = await add(one)
    const { claim } = await take(one, id)
    const followers = [follow(one, await one.cursor()), follow(other, await other.cursor())]
    await other.revoke(id, at(7))
    for (const follower of followers) {
      const request = (change: Change) => change.type === 'revoke' && change.id === id && change.at === at(7)
      await until('the cancel request is told', () => follower.seen.some(request))
    }
    await one.move(id, claim, giveBack(at(8)))
    for (const follower of followers) {
      await caughtUp(follower, one, [id])
      await follower.stop()
      assert.equal(latest(follower.seen).get(id)?.status, 'REVOKED')
    }
  })

  check('a removal is in the feed, whether by hand or by retention', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const tasks = [await addEnded(one, {}, at(2)), await addEnded(other, {}, at(3))]
    const followers = [follow(one, await one.cursor()), follow(other, await other.cursor())]
    await one.remove(tasks[0]?.id ?? '')
    await other.retain({ finishedBefore: at(4), maxCount: null, maxBytes: null })
    for (const follower of followers) {
      await until('both removals are told', () =>
        tasks.every(({ id }) => follower.seen.some(change => change.type === 'removed' && change.id === id)),
      )
      await follower.stop()
      assert.equal(latest(follower.seen).size, 0)
    }
  })

  check('a removal says whose task it was, now and after a restart', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const owners = ['ann', null, 'b"o b\n', null] as const
    const cursor = await one.cursor()
    const tasks: TaskRecord[] = []
    for (const [n, owner] of owners.entries())
      tasks.push(await addEnded(one, { owner, kind: `kind-${n % 3}` }, at(2 + n)))
    const kept = await addEnded(other, { owner: 'ann' }, at(99))
    const followers = [follow(one, await one.cursor()), follow(other, await other.cursor())]
    await one.remove(tasks[0]?.id ?? '')
    await other.remove(tasks[1]?.id ?? '')
    await other.retain({ finishedBefore: at(50), maxCount: null, maxBytes: null })
    const expected = Object.fromEntries(tasks.map(({ id, owner, kind }) => [id, { owner, kind }]))
    const told = (seen: readonly Change[]) =>
      Object.fromEntries(
        seen.flatMap(change => {
          if (change.type !== 'removed') return []
          const { id, owner, kind } = change
          return [[id, { owner, kind }]]
        }),
      )
    for (const follower of followers) {
      await until('all removals are told', () => Object.keys(told(follower.seen)).length === 4)
      await follower.stop()
      assert.deepEqual(told(follower.seen), expected)
    }
    const looks = async (store: TaskStore): Promise<void> => {
      const { ids, removed } = await store.changedSince(cursor)
      assert.deepEqual(ids.toSorted(), [...tasks, kept].map(({ id }) => id).toSorted())
      assert.deepEqual(Object.fromEntries(removed), expected)
      assert.equal((await store.changedSince(await store.cursor())).removed.size, 0)
    }
    for (const store of [one, other]) await looks(store)
    await one.close()
    await other.close()
    const later = await world.open()
    await looks(later)
    const replay = follow(later, cursor)
    await until('they are told again', () => Object.keys(told(replay.seen)).length === 4)
    await replay.stop()
    assert.deepEqual(told(replay.seen), expected)
  })

  check('a removed task that is made anew is no longer among the removed', async world => {
    const store = await world.open()
    const { id, owner, kind } = await addEnded(store, { owner: 'ann' })
    const cursor = await store.cursor()
    await store.remove(id)
    assert.deepEqual([...(await store.changedSince(cursor)).removed], [[id, { owner, kind }]])
    // as an import would
    await store.create({ ...newTask({ owner: 'ann' }), id, claim: 9 }, null)
    const { ids, removed } = await store.changedSince(cursor)
    assert.deepEqual([ids, [...removed]], [[id], []])
  })

  check('many changes can be resumed over, by a reader that takes its time', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const cursor = await one.cursor()
    const { id } = await add(one)
    const { claim } = await take(one, id)
    for (let n = 1; n < SAMPLE.changes; n += 25)
      await Promise.all(
        Array.from({ length: 25 }, (_, step) => one.move(id, claim, progress((n + step) / 1000))),
      )
    const last = await one.move(id, claim, succeed(1, null, at(9)))
    const late = await add(one)
    const stopping = new AbortController()
    const seen: Change[] = []
    for await (const change of other.changes(cursor, stopping.signal)) {
      seen.push(change)
      if (seen.length % 100 === 0) await new Promise(setImmediate)
      if (change.type === 'task' && change.task.id === late.id) break
    }
    const told = latest(seen).get(id)
    assert.ok(told && compareVersions(told, last) <= 0)
    const rest = follow(other, seen.at(-1)?.cursor ?? '')
    await until('the end is told', () => latest([...seen, ...rest.seen]).get(id)?.status === 'SUCCESS')
    await rest.stop()
    for (const store of [one, other]) {
      const { ids, cursor: behind } = await store.changedSince(cursor)
      assert.deepEqual(ids.toSorted(), [id, late.id].toSorted())
      assert.deepEqual((await store.changedSince(behind)).ids, [])
    }
  })

  check('a look at what changed since a cursor names each task once, and goes on behind it', async world => {
    const [one, other] = [await world.open(), await world.open()]
    await add(one)
    const gone = await addEnded(other)
    const cancelRequested = await add(one)
    await take(one, cancelRequested.id)
    const cursor = await one.cursor()
    for (const store of [one, other]) assert.deepEqual((await store.changedSince(cursor)).ids, [])
    const [mine, theirs] = [await add(one), await add(other)]
    await take(other, mine.id)
    await other.remove(gone.id)
    await other.revoke(cancelRequested.id, at(3))
    const places: string[] = []
    for (const store of [one, other]) {
      const { ids, cursor: behind } = await store.changedSince(cursor)
      assert.deepEqual(ids.toSorted(), [mine.id, theirs.id, gone.id, cancelRequested.id].toSorted())
      assert.deepEqual((await store.changedSince(behind)).ids, [])
      places.push(behind)
    }
    const late = await add(one)
    await one.close()
    await other.close()
    const later = await world.open()
    for (const place of places) {
      assert.deepEqual((await later.changedSince(place)).ids, [late.id])
      const follower = follow(later, place)
      await until('the feed goes on from there too', () => latest(follower.seen).has(late.id))
      await follower.stop()
    }
  })

  check('a cursor that the store did not give out is refused at the first step', async world => {
    const store = await world.open()
    await add(store)
    await add(store)
    const page = (await store.list({}, { limit: 1, cursor: null })).next ?? ''
    const bad = [
      '',
      'x',
      '-1',
      '1e9',
      '\0',
      '{}',
      'null',
      '[]',
      '../../etc/passwd',
      'x'.repeat(100_000),
      page,
    ]
    for (const text of ['null', '{}', '[]', '{"a":-1}', '{"../x":0}', '{"__proto__":1}'])
      bad.push(Buffer.from(text).toString('base64url'))
    for (const cursor of bad) {
      const iteration = store.changes(cursor, new AbortController().signal)[Symbol.asyncIterator]()
      await refused(() => iteration.next(), 'BAD_CURSOR')
      await refused(() => store.changedSince(cursor), 'BAD_CURSOR')
    }
  })

  check('the signal ends the iteration, also one that waits and one that has not begun', async world => {
    const store = await world.open()
    const waiting = follow(store, await store.cursor())
    const { id } = await add(store)
    await until('the change is told', () => latest(waiting.seen).has(id))
    await waiting.stop()
    const count = waiting.seen.length
    for await (const change of store.changes(await store.cursor(), AbortSignal.abort()))
      assert.fail(`told of ${change.type} after the end`)
    await add(store)
    await new Promise(setImmediate)
    assert.equal(waiting.seen.length, count)
  })

  check('leaving the loop and closing the store end the iteration', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const cursor = await one.cursor()
    const task = newTask()
    await one.create(task, null)
    for await (const change of one.changes(cursor, new AbortController().signal)) {
      assert.equal(change.type === 'task' && change.task.id, task.id)
      break
    }
    const follower = follow(other, await other.cursor())
    let ended = false
    const iteration = other.changes(await other.cursor(), new AbortController().signal)
    const reading = (async () => {
      for await (const _ of iteration);
    })()
    const settled = reading.then(
      () => {
        ended = true
      },
      async (error: unknown) => {
        ended = true
        await refused(() => Promise.reject(error), 'STORE_UNAVAILABLE')
      },
    )
    await new Promise(setImmediate)
    await other.close()
    await until('the iteration ends with its store', () => ended)
    await settled
    await follower.stop().catch(() => {})
    assert.deepEqual(await read(one, task.id), task)
  })
}
