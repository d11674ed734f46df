// Waiting for changes: the long poll, one task's events, everybody's.

import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { Actor } from '../../src/core/actor.ts'
import { MadhavaError } from '../../src/core/errors.ts'
import { createFeed } from '../../src/core/feed.ts'
import { giveBack, report, retryByHand, succeed } from '../../src/core/moves.ts'
import type { TaskFilter, TaskStore } from '../../src/core/store.ts'
import { isFinal, versionOf } from '../../src/core/task.ts'
import { createWatch, type Watch, type WatchEvent } from '../../src/core/watch.ts'
import { createMemory, type Memory } from '../../src/stores/memory/open.ts'
import { add, addEnded, at, read, refused, take } from '../suites/store/world.ts'
import { anybody } from '../support/actors.ts'
import { soon } from '../support/soon.ts'
import { until } from '../support/until.ts'

const ANYBODY: Actor = anybody()
const UNKNOWN = '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f'
const LONG = 60_000

let memory: Memory
let store: TaskStore
let watch: Watch
let ending: AbortController

const watchOver = (over: TaskStore): Watch => createWatch({ store: over, feed: createFeed(over) })
const progress = (percent: number) => report({ percent, note: null, etaSeconds: null }, null, at(percent))

beforeEach(() => {
  memory = createMemory()
  store = memory.open({ clock: () => new Date() })
  watch = watchOver(store)
  ending = new AbortController()
})
afterEach(async () => {
  ending.abort()
  await store.close()
})

/** Reads a stream of events into a list, at the pace that the test sets. */
const collect = (events: AsyncGenerator<WatchEvent[], void, void>) => {
  const seen: WatchEvent[] = []
  const over = (async () => {
    for await (const batch of events) seen.push(...batch)
  })()
  over.catch(() => {})
  return { seen, over: () => soon(over, 'the end of the stream') }
}
const watchTask = (id: string, since: string | null = null) =>
  collect(watch.watchTask(ANYBODY, id, since, ending.signal))
const watchAll = (
  from: { since?: string | null; snapshot?: boolean } = {},
  filter: TaskFilter = {},
  of = watch,
) =>
  collect(
    of.watchAll(ANYBODY, filter, { since: null, snapshot: false, ...from }, AbortSignal.any([ending.signal])),
  )
const isLive = ({ seen }: { seen: WatchEvent[] }) => seen.some(event => event.type === 'live')
const lastCursor = (seen: WatchEvent[]) =>
  seen.findLast(event => 'cursor' in event && event.cursor !== null) as { cursor: string }
/** Events as short words. */
const words = (seen: WatchEvent[]) =>
  seen.map(event => {
    if (event.type === 'task') return `${event.task.status} ${event.task.progress?.percent ?? '-'}`
    return event.type === 'snapshot' ? `snapshot ${event.reason}` : event.type
  })

describe('wait', () => {
  it('leaves no reader in the shared feed, whether it was answered or ran out', async () => {
    const feed = createFeed(store)
    const own = createWatch({ store, feed })
    const { id } = await add(store)
    const task = await read(store, id)
    await own.wait(ANYBODY, id, versionOf(task), 20)
    assert.equal(feed.readers(), 0)
    const waiting = own.wait(ANYBODY, id, versionOf(task), LONG)
    await until('it listens', () => feed.readers() === 1)
    await take(store, id)
    assert.equal((await waiting).changed, true)
    assert.equal(feed.readers(), 0)
  })

  it('leaves no timer, and no listener on the signal that it was given', async () => {
    const task = await add(store)
    const own = new AbortController()
    const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
    const before = timers()
    for (const end of ['time', 'change', 'signal']) {
      const known = versionOf(await read(store, task.id))
      const waiting = watch.wait(ANYBODY, task.id, known, end === 'time' ? 5 : LONG, own.signal)
      if (end === 'change') await take(store, task.id)
      if (end === 'signal') own.abort()
      await soon(waiting, 'the answer')
      assert.equal(getEventListeners(own.signal, 'abort').length, 0, end)
    }
    // the shared reading lingers with a timer that holds nobody up
    assert.ok(timers() <= before)
  })

  it('answers at once when the version is another one than the caller knows', async () => {
    const { id } = await add(store)
    const { task, changed } = await watch.wait(ANYBODY, id, 'none', LONG)
    assert.deepEqual([task, changed], [await read(store, id), true])
  })

  it('answers as soon as the task changes, also in another process', async () => {
    const other = memory.open({ clock: () => new Date() })
    const task = await add(store)
    const waiting = watch.wait(ANYBODY, task.id.toUpperCase(), versionOf(task), LONG)
    await take(other, task.id)
    const answer = await soon(waiting, 'the answer')
    assert.deepEqual([answer.task.status, answer.changed], ['STARTED', true])
    await other.close()
  })

  it('answers with the task as it is when the time is over, when there is none, and when the signal fires', async () => {
    const task = await add(store)
    assert.deepEqual(await watch.wait(ANYBODY, task.id, versionOf(task), 5), { task, changed: false })
    assert.deepEqual(await watch.wait(ANYBODY, task.id, versionOf(task), 0), { task, changed: false })
    const own = new AbortController()
    const waiting = watch.wait(ANYBODY, task.id, versionOf(task), LONG, own.signal)
    own.abort()
    assert.deepEqual(await soon(waiting, 'the answer'), { task, changed: false })
    const late = watch.wait(ANYBODY, task.id, versionOf(task), LONG, own.signal)
    assert.equal((await soon(late, 'the answer')).changed, false)
  })

  it('is woken by a cancel request, and tells of it', async () => {
    const { id } = await add(store)
    const task = await take(store, id)
    const waiting = watch.wait(ANYBODY, id, versionOf(task), LONG)
    await store.revoke(id, at(9))
    const answer = await soon(waiting, 'the answer')
    assert.equal(answer.task.revokeRequestedAt, at(9))
    assert.equal(versionOf(answer.task), `${versionOf(task)}-revoking`)
  })

  it('is not woken by changes of other tasks', async () => {
    const [task, other] = [await add(store), await add(store)]
    const waiting = watch.wait(ANYBODY, task.id, versionOf(task), 200)
    await take(store, other.id)
    assert.equal((await waiting).changed, false)
  })

  it('says that there is no such task, now or any more', async () => {
    await refused(() => watch.wait(ANYBODY, UNKNOWN, '0-0', LONG), 'TASK_NOT_FOUND')
    await refused(() => watch.wait(ANYBODY, '../x', '0-0', LONG), 'BAD_ID')
    const ended = await addEnded(store)
    const waiting = watch.wait(ANYBODY, ended.id, versionOf(ended), LONG)
    const gone = refused(() => waiting, 'TASK_NOT_FOUND')
    await store.remove(ended.id)
    await soon(gone, 'the refusal')
  })

  it('wakes a thousand who wait for one task', async () => {
    const task = await add(store)
    const waiting = Array.from({ length: 1000 }, () => watch.wait(ANYBODY, task.id, versionOf(task), LONG))
    await take(store, task.id)
    const answers = await soon(Promise.all(waiting), 'all answers')
    assert.ok(answers.every(({ task: { status }, changed }) => changed && status === 'STARTED'))
  })
})

describe('watchTask', () => {
  it('tells the task, then each change, and ends after the final status', async () => {
    const { id } = await add(store)
    const stream = watchTask(id)
    await until('the task is told', () => stream.seen.length === 1)
    const { claim } = await take(store, id)
    await until('the start is told', () => stream.seen.length === 2)
    await store.move(id, claim, progress(40))
    await until('the progress is told', () => stream.seen.length === 3)
    await store.move(id, claim, succeed('yes', null, at(9)))
    await stream.over()
    assert.deepEqual(words(stream.seen), ['PENDING -', 'STARTED -', 'PROGRESS 40', 'SUCCESS 100'])
    assert.deepEqual(
      stream.seen.map(event => event.type === 'task' && event.cursor),
      stream.seen.map(event => event.type === 'task' && versionOf(event.task)),
    )
  })

  it('tells nothing again to who knows the version, and what was missed to who knows an older one', async () => {
    const before = await add(store)
    const task = await take(store, before.id)
    const fresh = watchTask(task.id, versionOf(task))
    const stale = watchTask(task.id, versionOf(before))
    await until('the stale one is told', () => stale.seen.length === 1)
    await store.move(task.id, task.claim, succeed(1, null, at(5)))
    await Promise.all([fresh.over(), stale.over()])
    assert.deepEqual(words(fresh.seen), ['SUCCESS 100'])
    assert.deepEqual(words(stale.seen), ['STARTED -', 'SUCCESS 100'])
  })

  it('ends at once for a task that has ended, and goes on when one that ended runs again', async () => {
    const ended = await addEnded(store)
    const stream = watchTask(ended.id)
    await stream.over()
    assert.deepEqual(words(stream.seen), ['SUCCESS 100'])
    await store.claim(ended.id, retryByHand(at(9)))
    const later = watchTask(ended.id, versionOf(ended))
    await until('the new run is told', () => later.seen.length === 1)
    await store.revoke(ended.id, at(10))
    await later.over()
    assert.deepEqual(words(later.seen), ['PENDING -', 'REVOKED -'])
  })

  it('tells a reader that takes its time the last state, never an older one after a newer', async () => {
    const { id } = await add(store)
    const { claim } = await take(store, id)
    const events = watch.watchTask(ANYBODY, id, null, ending.signal)
    assert.deepEqual(words((await events.next()).value ?? []), ['STARTED -'])
    for (let percent = 1; percent < 90; percent += 1) await store.move(id, claim, progress(percent))
    const seen: WatchEvent[] = []
    await until('the last state comes', async () => {
      seen.push(...((await soon(events.next(), 'the next event')).value ?? []))
      return words(seen).at(-1) === 'PROGRESS 89'
    })
    const percents = seen.map(event => (event.type === 'task' ? (event.task.progress?.percent ?? 0) : 0))
    assert.deepEqual(
      percents,
      percents.toSorted((a, b) => a - b),
    )
    await events.return()
  })

  it('tells of a cancel request, and of a removal', async () => {
    const { id } = await add(store)
    const { claim } = await take(store, id)
    const stream = watchTask(id)
    await until('the task is told', () => stream.seen.length === 1)
    await store.revoke(id, at(5))
    await until('the cancel request is told', () => stream.seen.length === 2)
    const request = stream.seen[1]
    assert.equal(request?.type === 'task' && request.task.revokeRequestedAt, at(5))
    await store.move(id, claim, giveBack(at(6)))
    await stream.over()
    assert.deepEqual(words(stream.seen).at(-1), 'REVOKED -')
  })

  it('tells a slow reader of a task that ended and was removed meanwhile that it was removed, and ends', async () => {
    const { id } = await add(store)
    const events = watch.watchTask(ANYBODY, id, null, ending.signal)
    await events.next()
    const probe = watchTask(id)
    await until('the other one is told', () => probe.seen.length === 1)
    await store.revoke(id, at(5))
    await store.remove(id)
    await probe.over()
    const seen: WatchEvent[] = []
    for await (const batch of events) seen.push(...batch)
    // by then the removal may have come, or only the end
    assert.ok(['removed', 'REVOKED -'].includes(words(seen).at(-1) ?? ''), words(seen).join())
    assert.equal(seen.length, 1)
  })

  it('says at the first step that there is no such task', async () => {
    await refused(() => watch.watchTask(ANYBODY, UNKNOWN, null, ending.signal).next(), 'TASK_NOT_FOUND')
    await refused(() => watch.watchTask(ANYBODY, 'x', null, ending.signal).next(), 'BAD_ID')
  })
})

describe('watchAll', () => {
  it('tells what happens from now on to what fits, and every removal', async () => {
    const old = await addEnded(store)
    const stream = watchAll({}, { kinds: ['adding'], statuses: ['PENDING', 'SUCCESS'] })
    await until('it is live', () => isLive(stream))
    const { id } = await add(store)
    await add(store, { kind: 'other' })
    const { claim } = await take(store, id)
    await store.move(id, claim, succeed(1, null, at(9)))
    await store.remove(old.id)
    await until('the removal is told', () => words(stream.seen).includes('removed'))
    ending.abort()
    await stream.over()
    const told = words(stream.seen)
    assert.deepEqual(
      told,
      told.includes('PENDING -')
        ? ['live', 'PENDING -', 'SUCCESS 100', 'removed']
        : ['live', 'SUCCESS 100', 'removed'],
    )
  })

  it('resumes at any cursor that it gave: what changed meanwhile is told as it is now', async () => {
    const first = watchAll()
    await until('it is live', () => isLive(first))
    const [one, two, three] = [await add(store), await add(store), await addEnded(store)]
    await until('the last is told', () => words(first.seen).includes('SUCCESS 100'))
    ending.abort()
    await first.over()
    ending = new AbortController()
    const { cursor } = lastCursor(first.seen)
    await take(store, one.id)
    await store.remove(three.id)
    // as another process would, or this one after a restart
    const later = watchAll({ since: cursor }, {}, watchOver(memory.open({ clock: () => new Date() })))
    await until('it is live', () => isLive(later))
    assert.deepEqual(words(later.seen).toSorted(), ['STARTED -', 'live', 'removed'].toSorted())
    await store.revoke(two.id, at(9))
    await until('it goes on', () => words(later.seen).includes('REVOKED -'))
  })

  it('tells many missed changes in portions, with places to resume at in between', async () => {
    const cursor = await store.cursor()
    for (let n = 0; n < 250; n += 1) await add(store)
    const stream = watchAll({ since: cursor })
    await until('it is live', () => isLive(stream))
    const told = words(stream.seen)
    assert.equal(told.filter(word => word === 'PENDING -').length, 250)
    assert.ok(told.indexOf('place') > 0 && told.indexOf('place') < told.indexOf('live'))
  })

  it('looks once at what was missed for many who come back at once', async () => {
    const cursor = await store.cursor()
    for (let n = 0; n < 300; n += 1) await add(store)
    let looks = 0
    const counting = watchOver({
      ...store,
      async changedSince(since) {
        if (since === cursor) looks += 1
        return store.changedSince(since)
      },
    })
    const streams = Array.from({ length: 50 }, () => watchAll({ since: cursor }, {}, counting))
    for (const stream of streams) await until('it is live', () => isLive(stream))
    assert.equal(looks, 1)
    const { id } = await add(store)
    for (const { seen } of streams) {
      assert.equal(words(seen).filter(word => word === 'PENDING -').length >= 300, true)
      await until('it goes on', () => seen.some(event => event.type === 'task' && event.task.id === id))
    }
  })

  it('gives a snapshot to who asks, to who comes too late, and to a cursor from elsewhere, and says so', async () => {
    await add(store)
    await add(store, { kind: 'other' })
    const cursor = await store.cursor()
    const { id } = await add(store)
    await take(store, id)
    const forgetful = watchOver({
      ...store,
      async changedSince(since) {
        if (since === cursor) throw new MadhavaError('CURSOR_TOO_OLD')
        return store.changedSince(since)
      },
    })
    for (const [from, reason] of [
      [{ snapshot: true }, 'asked'],
      [{ since: cursor }, 'too-old'],
      [{ since: 'elsewhere' }, 'unknown'],
    ] as const) {
      const stream = watchAll(from, { kinds: ['adding'] }, forgetful)
      await until('it is live', () => isLive(stream))
      const told = words(stream.seen)
      assert.equal(told[0], `snapshot ${reason}`)
      assert.deepEqual(told.slice(1, 3).toSorted(), ['PENDING -', 'STARTED -'])
      // no place to resume at before the snapshot is whole
      assert.equal(
        stream.seen.findIndex(event => 'cursor' in event && event.cursor !== null),
        told.indexOf('live'),
      )
    }
  })

  it('tells what changes while a snapshot is read, whatever the reason for it', async () => {
    for (const from of [{ snapshot: true }, { since: 'too-old' }, { since: 'elsewhere' }]) {
      const { id } = await add(store)
      const moving = watchOver({
        ...store,
        async changedSince(since) {
          if (since === 'too-old') throw new MadhavaError('CURSOR_TOO_OLD')
          return store.changedSince(since)
        },
        async list(filter, page) {
          const found = await store.list(filter, page)
          // behind the reader's back, once
          if ((await read(store, id)).status === 'PENDING') await take(store, id)
          return found
        },
      })
      const stream = watchAll(from, {}, moving)
      await until('it is live', () => isLive(stream))
      const told = stream.seen.flatMap(event =>
        event.type === 'task' && event.task.id === id ? [event.task.status] : [],
      )
      assert.deepEqual(told, ['PENDING', 'STARTED'], JSON.stringify(from))
    }
  })

  it('loses nothing between the snapshot and what follows, while everything moves', async () => {
    const ids: string[] = []
    for (let n = 0; n < 120; n += 1) ids.push((await add(store)).id)
    let stirring = true
    const stir = (async () => {
      for (let n = 0; stirring; n += 1) {
        const id = ids[n % ids.length] ?? ''
        const task = await read(store, id)
        if (task.status === 'PENDING') await take(store, id)
        else if (!isFinal(task.status)) await store.move(id, task.claim, progress(n / 10_000))
        if (n % 10 === 0) await new Promise(setImmediate)
      }
    })()
    for (let turn = 0; turn < 5; turn += 1) {
      const stream = watchAll({ snapshot: true })
      await until('it is live', () => isLive(stream))
      if (turn === 4) {
        stirring = false
        await stir
      }
      const known = new Map<string, string>()
      const check = () => {
        for (const event of stream.seen)
          if (event.type === 'task') known.set(event.task.id, versionOf(event.task))
      }
      if (turn < 4) continue
      await until('every task is told as it is', async () => {
        check()
        for (const id of ids) if (known.get(id) !== versionOf(await read(store, id))) return false
        return true
      })
    }
  })

  it('forgets a look at what changed after a second, one that failed too', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const cursor = await store.cursor()
    await add(store)
    let looks = 0
    const over = watchOver({
      ...store,
      async changedSince(since) {
        if (since !== cursor) return store.changedSince(since)
        looks += 1
        if (looks === 1) throw new MadhavaError('STORE_UNAVAILABLE')
        return store.changedSince(since)
      },
    })
    const come = () =>
      over.watchAll(ANYBODY, {}, { since: cursor, snapshot: false }, AbortSignal.any([ending.signal])).next()
    await refused(come, 'STORE_UNAVAILABLE')
    await refused(come, 'STORE_UNAVAILABLE')
    assert.equal(looks, 1)
    for (const expected of [2, 3]) {
      t.mock.timers.tick(1_000)
      assert.deepEqual(words((await come()).value ?? []), ['PENDING -'])
      t.mock.timers.tick(999)
      await come()
      assert.equal(looks, expected)
      t.mock.timers.tick(1)
    }
  })

  it('tells no older state after a newer one where the shared reading lags behind', async () => {
    let letRead: () => void = () => {}
    const held = new Promise<void>(resolve => {
      letRead = resolve
    })
    const lagging: TaskStore = {
      ...store,
      async *changes(since, signal) {
        await held
        yield* store.changes(since, signal)
      },
    }
    const feed = createFeed(lagging)
    // somebody listens already: the shared reading has its place from before the moves
    const early = await feed.subscribe(null, ending.signal)
    const { id } = await add(store)
    const cursor = await store.cursor()
    const { claim } = await take(store, id)
    for (const percent of [1, 2, 3]) await store.move(id, claim, progress(percent))
    const own = createWatch({ store: lagging, feed })
    const streams = [{ since: cursor }, { snapshot: true }, {}].map(from => watchAll(from, {}, own))
    for (const stream of streams) await until('it is live', () => isLive(stream))
    letRead()
    await store.move(id, claim, progress(9))
    for (const { seen } of streams) {
      await until('it goes on', () => words(seen).includes('PROGRESS 9'))
      const revs = seen.flatMap(event => (event.type === 'task' ? [event.task.rev] : []))
      assert.deepEqual(
        revs,
        revs.toSorted((one, other) => one - other),
      )
      const live = seen.findIndex(event => event.type === 'live')
      assert.deepEqual(words(seen.slice(live)), ['live', 'PROGRESS 9'])
    }
    early.close()
  })

  it('moves the place to resume at on while nothing fits', async () => {
    const stream = watchAll({}, { kinds: ['other'] })
    await until('it is live', () => isLive(stream))
    const { id } = await add(store)
    const { claim } = await take(store, id)
    for (let n = 0; !words(stream.seen).includes('place'); n += 1) {
      await store.move(id, claim, task => task)
      if (n % 10 === 0) await new Promise(setImmediate)
      assert.ok(n < 100_000, 'a place comes')
    }
    assert.deepEqual(words(stream.seen), ['live', 'place'])
  })
})
