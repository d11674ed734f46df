// The shared reading of the store's feed: one for any number of readers, bounded for each, none while nobody listens.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { createFeed, type SharedFeed, type Subscription } from '../../src/core/feed.ts'
import { report } from '../../src/core/moves.ts'
import type { TaskChange, TaskStore } from '../../src/core/store.ts'
import { createMemoryStore } from '../../src/stores/memory/open.ts'
import { add, at, refused, take } from '../suites/store/world.ts'
import { soon } from '../support/soon.ts'
import { until } from '../support/until.ts'

const PENDING = 5
let store: TaskStore
/** Of the readings of this test: one of an earlier test may end late. */
let readings: { open: number; opened: number }
let breakFeed: (error: Error) => void
let feed: SharedFeed
let ending: AbortController

/** The store's feed, with a count of who reads it, and a way to break it off. */
const watched = (from: TaskStore, counts = readings): Pick<TaskStore, 'cursor' | 'changes'> => ({
  cursor: () => from.cursor(),
  async *changes(since, signal) {
    counts.open += 1
    counts.opened += 1
    try {
      const own = new AbortController()
      const broken = new Promise<never>((_resolve, reject) => {
        breakFeed = reject
      })
      broken.catch(() => {})
      const changes = from.changes(since, AbortSignal.any([signal, own.signal]))[Symbol.asyncIterator]()
      try {
        for (;;) {
          const step = await Promise.race([changes.next(), broken])
          if (step.done) return
          yield step.value
        }
      } finally {
        own.abort()
      }
    } finally {
      counts.open -= 1
    }
  },
})

beforeEach(() => {
  store = createMemoryStore({ clock: () => new Date() })
  readings = { open: 0, opened: 0 }
  ending = new AbortController()
  feed = createFeed(watched(store), { pending: PENDING, pendingSize: 100_000, lingerMs: 20 })
})
afterEach(async () => {
  ending.abort()
  await store.close()
})

const idsOf = (changes: TaskChange[]) =>
  changes.map(change => (change.type === 'task' ? change.task.id : change.id))
const next = async (reader: Subscription, max = 10): Promise<TaskChange[]> =>
  soon(reader.take(max), 'the next changes')
const progress = (percent: number) => report({ percent, note: null, etaSeconds: null }, null, at(percent))
/** Resolves when every change so far has been handed to the readers. */
const delivered = async (): Promise<void> => {
  const probe = await feed.subscribe(null, ending.signal)
  const { id } = await add(store)
  await until('the probe comes', async () => idsOf(await next(probe, 100)).includes(id))
  probe.close()
}

describe('the shared feed', () => {
  it('goes on for who comes while the reading lingers after the last one', async () => {
    const { id } = await add(store)
    const earlier = await feed.subscribe(id, ending.signal)
    earlier.close()
    const reader = await feed.subscribe(id, ending.signal)
    // as long as the earlier one's lingering, and a timer more: it must not have ended the reading
    for (let n = 0; n < 3; n += 1) await new Promise(resolve => setTimeout(resolve, 20))
    await take(store, id)
    assert.deepEqual(idsOf(await next(reader)), [id])
    reader.close()
  })

  it('reads the store once for many readers, and tells each what it listens to', async () => {
    const { id } = await add(store)
    const readers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        feed.subscribe(n % 2 === 0 ? id : null, AbortSignal.any([ending.signal])),
      ),
    )
    const { claim } = await take(store, id)
    const other = await add(store)
    await store.move(id, claim, progress(10))
    for (const [n, reader] of readers.entries()) {
      const seen: string[] = []
      await until('its changes come', async () => {
        seen.push(...idsOf(await next(reader)))
        return seen.at(-1) === id && (n % 2 === 0 || seen.includes(other.id))
      })
      assert.equal(seen.includes(other.id), n % 2 === 1)
    }
    assert.deepEqual([readings.open, readings.opened, feed.readers()], [1, 1, 20])
  })

  it('reads nothing before the first reader, and stops after the last one', async () => {
    await add(store)
    assert.equal(readings.opened, 0)
    const reader = await feed.subscribe(null, ending.signal)
    await until('the reading begins', () => readings.open === 1)
    reader.close()
    reader.close()
    await until('the reading ends', () => readings.open === 0)
    assert.equal(feed.readers(), 0)
    const again = await feed.subscribe(null, ending.signal)
    const { id } = await add(store)
    assert.deepEqual(idsOf(await next(again)), [id])
    assert.equal(readings.opened, 2)
  })

  it('goes on for whoever comes soon after the last one left', async () => {
    feed = createFeed(watched(store), { pending: PENDING, pendingSize: 100_000, lingerMs: 60_000 })
    for (let turn = 0; turn < 5; turn += 1) {
      const reader = await feed.subscribe(null, ending.signal)
      await until('the reading begins', () => readings.open === 1)
      reader.close()
    }
    assert.equal(readings.opened, 1)
    // the reading that lingers ends with the store
    breakFeed(new Error('enough'))
  })

  it('keeps the last change of a task for a slow reader, in the order of the last ones', async () => {
    const [busy, calm] = [await add(store), await add(store)]
    const reader = await feed.subscribe(null, ending.signal)
    const { claim } = await take(store, busy.id)
    await take(store, calm.id)
    for (let percent = 1; percent <= 50; percent += 1) await store.move(busy.id, claim, progress(percent))
    await delivered()
    const changes = (await next(reader)).slice(0, 2)
    assert.deepEqual(idsOf(changes), [calm.id, busy.id])
    assert.equal(changes[1]?.type === 'task' && changes[1].task.progress?.percent, 50)
  })

  it('drops a reader that more tasks wait for than the limit, and no other one', async () => {
    const slow = await feed.subscribe(null, ending.signal)
    const quick = await feed.subscribe(null, ending.signal)
    const seen: string[] = []
    const ids: string[] = []
    for (let n = 0; n <= PENDING; n += 1) {
      ids.push((await add(store)).id)
      await until('the quick one has it', async () => {
        seen.push(...idsOf(await next(quick)))
        return seen.length === ids.length
      })
    }
    assert.deepEqual(seen, ids)
    await refused(() => slow.take(10), 'CURSOR_TOO_OLD')
    await refused(() => slow.take(10), 'CURSOR_TOO_OLD')
    assert.equal(feed.readers(), 1)
  })

  it('keeps a reader for whom as many tasks wait as may', async () => {
    const [slow, quick] = [
      await feed.subscribe(null, ending.signal),
      await feed.subscribe(null, ending.signal),
    ]
    const ids: string[] = []
    const seen: string[] = []
    for (let n = 0; n < PENDING; n += 1) ids.push((await add(store)).id)
    await until('all are told', async () => {
      seen.push(...idsOf(await next(quick)))
      return seen.length === PENDING
    })
    assert.deepEqual(idsOf(await next(slow)), ids)
  })

  it('drops a reader that too much text waits for, but for a single change, however large', async () => {
    const slow = await feed.subscribe(null, ending.signal)
    const large = { params: 'x'.repeat(120_000) }
    const { id } = await add(store, large)
    await until('it is told', async () => (await store.changedSince(slow.position)).ids.length === 1)
    assert.deepEqual(idsOf(await next(slow)), [id])
    await add(store, large)
    await add(store, large)
    await until('both are told, or it is dropped', () => feed.readers() === 0)
    await refused(() => slow.take(10), 'CURSOR_TOO_OLD')
  })

  it('hands on no more at a time than is asked for', async () => {
    const reader = await feed.subscribe(null, ending.signal)
    for (let n = 0; n < 4; n += 1) await add(store)
    const sizes: number[] = []
    while (sizes.reduce((sum, size) => sum + size, 0) < 4) sizes.push((await next(reader, 3)).length)
    assert.ok(
      sizes.every(size => size <= 3),
      sizes.join(),
    )
  })

  it('ends a reader that waits when its signal fires', async () => {
    const own = new AbortController()
    const reader = await feed.subscribe(null, own.signal)
    const waiting = reader.take(10)
    own.abort()
    assert.deepEqual(await soon(waiting, 'the end'), [])
    assert.deepEqual(await reader.take(10), [])
  })

  it('tells everybody when the feed breaks off, and begins anew for whoever comes then', async () => {
    const readers = [
      await feed.subscribe(null, ending.signal),
      await feed.subscribe((await add(store)).id, ending.signal),
    ]
    await until('the reading begins', () => readings.open === 1)
    const waiting = readers.map(reader =>
      refused(async () => {
        for (;;) await reader.take(10)
      }, 'STORE_UNAVAILABLE'),
    )
    breakFeed(new Error('no more'))
    await soon(Promise.all(waiting), 'the news')
    assert.equal(feed.readers(), 0)
    const again = await feed.subscribe(null, ending.signal)
    const { id } = await add(store)
    assert.deepEqual(idsOf(await next(again)), [id])
  })

  it('tells those who join while an earlier reading comes to its end, which takes a while', async () => {
    let letEnd: () => void = () => {}
    const held = new Promise<void>(resolve => {
      letEnd = resolve
    })
    let [ended, begun] = [0, 0]
    const real = watched(store)
    feed = createFeed(
      {
        cursor: () => real.cursor(),
        async *changes(since, signal) {
          begun += 1
          const first = begun === 1
          yield* real.changes(since, signal)
          if (first) await held
          ended += 1
        },
      },
      { pending: PENDING, pendingSize: 100_000, lingerMs: 5 },
    )
    const earlier = await feed.subscribe(null, ending.signal)
    await until('the reading begins', () => readings.open === 1)
    earlier.close()
    await until('it is told to end', () => readings.open === 0)
    const reader = await feed.subscribe(null, ending.signal)
    const { id } = await add(store)
    assert.deepEqual(idsOf(await next(reader)), [id])
    letEnd()
    await until('it has ended', () => ended === 1)
    const { id: later } = await add(store)
    assert.deepEqual(idsOf(await next(reader)), [later])
    assert.equal(feed.readers(), 1)
    reader.close()
  })

  it('refuses readers while the store has no cursor to give', async () => {
    let broken = true
    const real = watched(store)
    feed = createFeed({
      ...real,
      cursor: async () => {
        if (broken) throw new Error('the disk is gone')
        return real.cursor()
      },
    })
    await Promise.all([
      refused(() => feed.subscribe(null, ending.signal), 'STORE_UNAVAILABLE'),
      refused(() => feed.subscribe(null, ending.signal), 'STORE_UNAVAILABLE'),
    ])
    assert.equal(feed.readers(), 0)
    broken = false
    ;(await feed.subscribe(null, ending.signal)).close()
  })
})
