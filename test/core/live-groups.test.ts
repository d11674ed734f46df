// Readers who want the same tasks share one reading of the feed, and each has a place of its own.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { MadhavaError } from '../../src/core/errors.ts'
import { createFeed, type SharedFeed } from '../../src/core/feed.ts'
import type { TaskFilter } from '../../src/core/filter.ts'
import { createLiveGroups, type LiveChange, type LiveMember } from '../../src/core/live-groups.ts'
import { report, succeed } from '../../src/core/moves.ts'
import type { TaskStore } from '../../src/core/store.ts'
import { createMemoryStore } from '../../src/stores/memory/open.ts'
import { add, addEnded, at, refused, take } from '../suites/store/world.ts'
import { until } from '../support/until.ts'

let store: TaskStore
let feed: SharedFeed
let ending: AbortController
beforeEach(() => {
  store = createMemoryStore({ clock: () => new Date() })
  feed = createFeed(store)
  ending = new AbortController()
})
afterEach(async () => {
  ending.abort()
  await store.close()
})

const groupsOf = (limits = { pending: 1_000, pendingSize: 1_000_000 }) =>
  createLiveGroups({
    feed,
    limits,
    stateAfter: async change =>
      change.type === 'task' ? change.task : store.get('id' in change ? change.id : ''),
  })

/** A reader whose reader takes as much as the test allows. */
const readerOf = async (
  groups: ReturnType<typeof groupsOf>,
  filter: TaskFilter = {},
  signal: AbortSignal = ending.signal,
) => {
  const member = await groups.join(filter, signal)
  const seen: LiveChange[] = []
  let isFull = false
  let wake = () => {}
  const flowing = member.flow({
    take: change => void seen.push(change),
    isFull: () => isFull,
    room: () =>
      new Promise(resolve => {
        wake = resolve
      }),
  })
  flowing.catch(() => {})
  return {
    member,
    seen,
    flowing,
    stop() {
      isFull = true
    },
    goOn() {
      isFull = false
      wake()
    },
    words: () =>
      seen.map(({ event, task }) => {
        if (!task) return event.type
        return task.status === 'PROGRESS' ? `PROGRESS ${task.progress?.note}` : task.status
      }),
  }
}

/** A held task, and a way to move it. */
const held = async () => {
  const { id } = await add(store)
  const { claim } = await take(store, id)
  return {
    id,
    move: (note: string) =>
      store.move(id, claim, report({ percent: 1, note, etaSeconds: null }, null, at(2))),
    end: () => store.move(id, claim, succeed(1, null, at(3))),
  }
}

describe('live groups', { timeout: 300_000 }, () => {
  it('read the feed once for all who want the same, and hand all of them the same events', async () => {
    const groups = groupsOf()
    const readers = [
      await readerOf(groups, { kinds: ['adding'], statuses: ['PENDING'] }),
      await readerOf(groups, { statuses: ['PENDING'], kinds: ['adding'] }),
    ]
    const other = await readerOf(groups, { kinds: ['other'] })
    assert.deepEqual([groups.count(), feed.readers()], [2, 2])
    await add(store, { kind: 'other' })
    await add(store)
    await until('all are told', () => [...readers, other].every(({ seen }) => seen.length === 1))
    const [one, two] = readers.map(({ seen }) => seen[0])
    assert.equal(one, two)
    assert.deepEqual([one?.task?.kind, other.seen.map(({ task }) => task?.kind)], ['adding', ['other']])
    for (const { member } of [...readers, other]) member.close()
    assert.equal(groups.count(), 0)
    await until('the feed is left', () => feed.readers() === 0)
  })

  it('keep the last state of each task for a reader that is slow, in the order of the changes, and hold up nobody', async () => {
    const groups = groupsOf()
    const [slow, quick] = [await readerOf(groups), await readerOf(groups)]
    const first = await held()
    await until('both are told', () => [slow, quick].every(({ seen }) => seen.length === 2))
    slow.stop()
    await first.move('1')
    const second = await add(store)
    await first.move('2')
    await until('the quick one is told all', () => quick.seen.length === 5)
    assert.equal(slow.seen.length, 2)
    slow.goOn()
    await until('the slow one is told the last ones', () => slow.seen.length === 4)
    assert.deepEqual(
      slow.seen.slice(2).map(({ id }) => id),
      [second.id, first.id],
    )
    assert.deepEqual(slow.words(), ['PENDING', 'STARTED', 'PENDING', 'PROGRESS 2'])
    // what comes next goes straight on
    await first.end()
    await until('both are told the end', () =>
      [slow, quick].every(reader => reader.words().at(-1) === 'SUCCESS'),
    )
    assert.equal(slow.seen.length, 5)
  })

  it('take back a state that waits when the task fits no longer', async () => {
    const groups = groupsOf()
    const slow = await readerOf(groups, { statuses: ['PROGRESS', 'SUCCESS'] })
    const running = await readerOf(groups, { statuses: ['PROGRESS'] })
    const all = await readerOf(groups)
    for (const reader of [slow, running]) reader.stop()
    const task = await held()
    await task.move('1')
    await task.end()
    await until('all are told', () => all.words().at(-1) === 'SUCCESS')
    for (const reader of [slow, running]) reader.goOn()
    await until('the end is told', () => slow.seen.length === 1)
    assert.deepEqual([slow.words(), running.words()], [['SUCCESS'], []])
  })

  it('let a reader go for whom too much waits, by number or by size, and keep the others', async () => {
    for (const limits of [
      { pending: 2, pendingSize: 1_000_000 },
      { pending: 1_000, pendingSize: 10 },
    ]) {
      const groups = groupsOf(limits)
      const [slow, quick] = [await readerOf(groups), await readerOf(groups)]
      slow.stop()
      for (let n = 0; n < 3; n += 1) await add(store)
      await until('the others are told', () => quick.seen.length === 3)
      slow.goOn()
      await refused(() => slow.flowing, 'CURSOR_TOO_OLD')
      assert.equal(slow.seen.length, 0)
      slow.member.close()
      assert.equal(groups.count(), 1)
      quick.member.close()
    }
  })

  it('tell who joins in the middle of a change all that comes after its position', async () => {
    const groups = groupsOf()
    const joined: { member: LiveMember; seen: string[] }[] = []
    const joining: Promise<void>[] = []
    const join = async (): Promise<void> => {
      const member = await groups.join({}, ending.signal)
      const seen: string[] = []
      joined.push({ member, seen })
      void member.flow({ take: ({ id }) => void seen.push(id), isFull: () => false, room: async () => {} })
    }
    // each change makes one more reader while it is handed out
    const first = await groups.join({}, ending.signal)
    let left = 40
    void first.flow({
      take() {
        if (left > 0) joining.push(join())
        left -= 1
      },
      isFull: () => false,
      room: async () => {},
    })
    const begin = await store.cursor()
    const ids: string[] = []
    for (let n = 0; n < 60; n += 1) ids.push((await add(store)).id)
    await until(
      'all have joined and have the last',
      () => joined.length === 40 && joined.every(({ seen }) => seen.includes(ids.at(-1) ?? '')),
    )
    await Promise.all(joining)
    const { ids: all } = await store.changedSince(begin)
    assert.equal(all.length, 60)
    for (const { member, seen } of joined) {
      const after = (await store.changedSince(member.position)).ids
      const missing = after.filter(id => !seen.includes(id))
      assert.deepEqual(missing, [], 'nothing behind its position is missing')
    }
  })

  it('tell of removals, and of a place after many changes that do not fit', async () => {
    const groups = groupsOf()
    const reader = await readerOf(groups, { kinds: ['other'] })
    const { id } = await addEnded(store)
    await store.remove(id)
    for (let n = 0; n < 1_001; n += 1) await add(store)
    await until('a place is told', () => reader.seen.length === 2)
    assert.deepEqual(reader.words(), ['removed', 'place'])
    const [, place] = reader.seen
    const cursor = place?.event.type === 'place' ? place.event.cursor : ''
    assert.ok((await store.changedSince(cursor)).ids.length <= 1)
  })

  it('end for all when the feed breaks off, and begin anew for who comes then', async () => {
    const groups = groupsOf()
    const readers = [await readerOf(groups), await readerOf(groups)]
    const member = await groups.join({}, ending.signal)
    const taking = member.take(1)
    await store.close()
    for (const { flowing } of readers) await refused(() => flowing, 'STORE_UNAVAILABLE')
    await refused(() => taking, 'STORE_UNAVAILABLE')
    assert.equal(groups.count(), 0)
    await refused(() => groups.join({}, ending.signal), 'STORE_UNAVAILABLE')
    assert.equal(groups.count(), 0)
  })

  it('let a reader go that throws, and keep the others', async () => {
    const groups = groupsOf()
    const member = await groups.join({}, ending.signal)
    const flowing = member.flow({
      take() {
        throw new MadhavaError('STORE_FULL')
      },
      isFull: () => false,
      room: async () => {},
    })
    const other = await readerOf(groups)
    await add(store)
    await refused(() => flowing, 'STORE_FULL')
    await add(store)
    await until('the other is told', () => other.seen.length === 2)
  })

  it('let a reader go when its signal fires, and tell it nothing more', async () => {
    const groups = groupsOf()
    const leaving = new AbortController()
    const [one, other] = [await readerOf(groups, {}, leaving.signal), await readerOf(groups)]
    leaving.abort()
    await one.flowing
    one.member.close()
    await add(store)
    await until('the other is told', () => other.seen.length === 1)
    assert.equal(one.seen.length, 0)
  })
})
