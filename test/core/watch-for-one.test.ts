// The events of all tasks for somebody who does not see all: nothing of another's task, not even that it is gone.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { Actor } from '../../src/core/actor.ts'
import { createFeed } from '../../src/core/feed.ts'
import type { TaskStore } from '../../src/core/store.ts'
import { createTaskAccess } from '../../src/core/task-access.ts'
import { createWatch, type WatchEvent } from '../../src/core/watch.ts'
import { createMemoryStore } from '../../src/stores/memory/open.ts'
import { add, addEnded, at, take } from '../suites/store/world.ts'
import { keyOf, person } from '../support/actors.ts'
import { until } from '../support/until.ts'

const ANN = person('ann')

let store: TaskStore
let ending: AbortController
beforeEach(() => {
  store = createMemoryStore({ clock: () => new Date() })
  ending = new AbortController()
})
afterEach(async () => {
  ending.abort()
  await store.close()
})

/** Reads the events of an actor into a list. */
const watchAs = (
  actor: Actor,
  from: { since?: string | null; snapshot?: boolean } = {},
  over: TaskStore = store,
) => {
  const watch = createWatch({
    store: over,
    feed: createFeed(over),
    access: createTaskAccess(over),
  })
  const events = watch.watchAll(actor, {}, { since: null, snapshot: false, ...from }, ending.signal)
  const seen: WatchEvent[] = []
  const reading = (async () => {
    for await (const batch of events) seen.push(...batch)
  })()
  reading.catch(() => {})
  return { seen }
}
const isLive = ({ seen }: { seen: WatchEvent[] }) => seen.some(event => event.type === 'live')

describe('watchAll for one person', () => {
  /** A store whose feed does not know whose the removed tasks were, as of an earlier version. */
  const forgetful = (): TaskStore => ({
    ...store,
    async *changes(since, signal) {
      for await (const change of store.changes(since, signal))
        yield change.type === 'removed' ? { ...change, owner: undefined, kind: undefined } : change
    },
    changedSince: async since => ({ ...(await store.changedSince(since)), removed: new Map() }),
  })
  const told = ({ seen }: { seen: WatchEvent[] }) =>
    seen.flatMap(event => {
      if (event.type === 'removed') return [`removed ${event.id}`]
      return event.type === 'task' ? [`${event.task.status} ${event.task.id}`] : []
    })
  /** Whoever has seen the last task has seen all before it. */
  const last = async (...streams: { seen: WatchEvent[] }[]): Promise<string> => {
    const { id } = await add(store)
    for (const stream of streams)
      await until('the last task is told', () => told(stream).includes(`PENDING ${id}`))
    return `PENDING ${id}`
  }
  const threeEnded = async (): Promise<{ mine: string; theirs: string; nobodys: string }> => ({
    mine: (await addEnded(store, { owner: 'ann' })).id,
    theirs: (await addEnded(store, { owner: 'bob' })).id,
    nobodys: (await addEnded(store)).id,
  })

  it("tells no change and no removal of somebody else's task, now or missed, and all to who sees all", async () => {
    const since = await store.cursor()
    const { mine, theirs, nobodys } = await threeEnded()
    const between = await store.cursor()
    const streams = { user: watchAs(ANN), viewer: watchAs(person('v', 'viewer')) }
    for (const stream of Object.values(streams)) await until('it is live', () => isLive(stream))
    const running = await add(store, { owner: 'bob' })
    await take(store, running.id)
    await store.revoke(running.id, at(5))
    for (const id of [theirs, mine, nobodys]) await store.remove(id)
    const end = await last(...Object.values(streams))
    const removals = [`removed ${mine}`, `removed ${nobodys}`]
    assert.deepEqual(told(streams.user), [...removals, end])
    assert.ok(told(streams.viewer).includes(`removed ${theirs}`))
    assert.ok(!JSON.stringify(streams.user.seen).includes(theirs))
    assert.ok(!JSON.stringify(streams.user.seen).includes(running.id))
    for (const from of [since, between]) {
      const later = watchAs(ANN, { since: from })
      await until('it is live', () => isLive(later))
      assert.deepEqual(told(later).toSorted(), [...removals, end].toSorted())
      const all = watchAs(person('o', 'operator'), { since: from })
      await until('it is live', () => isLive(all))
      assert.ok(told(all).includes(`removed ${theirs}`))
    }
  })

  it('tells a key of a user for its own tasks nothing of those that nobody owns', async () => {
    const since = await store.cursor()
    const { mine, theirs, nobodys } = await threeEnded()
    const stream = watchAs(keyOf('ann', 'user', { own: true }), { snapshot: true })
    await until('it is live', () => isLive(stream))
    for (const id of [theirs, nobodys, mine]) await store.remove(id)
    await until('its own is told', () => told(stream).includes(`removed ${mine}`))
    assert.deepEqual(told(stream), [`SUCCESS ${mine}`, `removed ${mine}`])
    const later = watchAs(keyOf('ann', 'user', { own: true }), { since })
    await until('it is live', () => isLive(later))
    assert.deepEqual(told(later), [`removed ${mine}`])
  })

  it('tells a removal whose owner nobody knows only to the stream that has told of the task', async () => {
    const since = await store.cursor()
    const { mine, theirs, nobodys } = await threeEnded()
    const streams = [
      watchAs(ANN, { snapshot: true }, forgetful()),
      watchAs(ANN, { since }, forgetful()),
      watchAs(ANN, {}, forgetful()),
    ]
    for (const stream of streams) await until('it is live', () => isLive(stream))
    for (const id of [theirs, mine, nobodys]) await store.remove(id)
    const end = await last(...streams)
    for (const stream of streams.slice(0, 2)) {
      const removals = told(stream).filter(word => word.startsWith('removed'))
      assert.deepEqual(removals, [`removed ${mine}`, `removed ${nobodys}`])
    }
    assert.deepEqual(told(streams[2] as (typeof streams)[0]), [end])
    const later = watchAs(ANN, { since }, forgetful())
    await until('it is live', () => isLive(later))
    assert.deepEqual(told(later), [end])
  })

  it('tells a key of some kinds the removals of what it was told, and of no other kind', async () => {
    const [mine, other] = [await addEnded(store, { owner: 'ann' }), await addEnded(store, { kind: 'secret' })]
    const stream = watchAs(keyOf('ann', 'operator', { kinds: ['adding'] }), { snapshot: true })
    await until('it is live', () => isLive(stream))
    await store.remove(other.id)
    await store.remove(mine.id)
    const end = await last(stream)
    assert.deepEqual(told(stream), [`SUCCESS ${mine.id}`, `removed ${mine.id}`, end])
  })

  it('tells a key of some kinds the removals of these kinds after a resume', async () => {
    const since = await store.cursor()
    const [mine, other] = [await addEnded(store, { owner: 'ann' }), await addEnded(store, { kind: 'secret' })]
    for (const { id } of [other, mine]) await store.remove(id)
    const stream = watchAs(keyOf('ann', 'operator', { kinds: ['adding'] }), { since })
    await until('it is live', () => isLive(stream))
    const late = await addEnded(store, { kind: 'secret' })
    await store.remove(late.id)
    const end = await last(stream)
    assert.deepEqual(told(stream), [`removed ${mine.id}`, end])
  })

  it('tells a removal that comes while missed changes are read, once and not to others', async () => {
    const since = await store.cursor()
    const { mine, theirs } = await threeEnded()
    // behind the reader's back: the list of changes names the tasks, and they are gone when they are read
    const racing: TaskStore = {
      ...store,
      async changedSince(from) {
        const found = await store.changedSince(from)
        for (const id of [mine, theirs]) if (await store.get(id)) await store.remove(id)
        return found
      },
    }
    const stream = watchAs(ANN, { since }, racing)
    await until('it is live', () => isLive(stream))
    await last(stream)
    assert.deepEqual(
      told(stream).filter(word => word.includes(mine) || word.includes(theirs)),
      [`removed ${mine}`],
    )
  })
})
