// Following without a promise for each event: the same events as by `watchAll`, and nobody's cursor for anybody else.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { createCursorSeal } from '../../src/access/cursor-seals.ts'
import type { Actor } from '../../src/core/actor.ts'
import { createFeed, type SharedFeed } from '../../src/core/feed.ts'
import { report, start } from '../../src/core/moves.ts'
import { withSealedCursors } from '../../src/core/sealed-watch.ts'
import type { TaskStore } from '../../src/core/store.ts'
import { createTaskAccess } from '../../src/core/task-access.ts'
import { createWatch, type WatchEvent } from '../../src/core/watch.ts'
import { createMemoryStore } from '../../src/stores/memory/open.ts'
import { add, addEnded, at, refused } from '../suites/store/world.ts'
import { keyOf, person } from '../support/actors.ts'
import { until } from '../support/until.ts'

const FROM = { since: null, snapshot: false }

let store: TaskStore
let ending: AbortController
let watch: ReturnType<typeof withSealedCursors>
let feed: SharedFeed
const seal = createCursorSeal(randomBytes(32))
beforeEach(() => {
  store = createMemoryStore({ clock: () => new Date() })
  ending = new AbortController()
  feed = createFeed(store)
  const plain = createWatch({ store, feed, access: createTaskAccess(store) })
  watch = withSealedCursors(plain, async () => seal)
})
afterEach(async () => {
  ending.abort()
  await store.close()
})

const followAs = (actor: Actor, from: { since: string | null; snapshot: boolean } = FROM) => {
  const seen: WatchEvent[] = []
  let isFull = false
  let wake = () => {}
  const following = watch.followAll(
    actor,
    {},
    from,
    {
      tell: event => void seen.push(event),
      isFull: () => isFull,
      room: () =>
        new Promise(resolve => {
          wake = resolve
        }),
    },
    ending.signal,
  )
  following.catch(() => {})
  return {
    seen,
    following,
    isLive: () => seen.some(({ type }) => type === 'live'),
    tasks: () => seen.flatMap(event => (event.type === 'task' ? [event] : [])),
    stop() {
      isFull = true
    },
    goOn() {
      isFull = false
      wake()
    },
  }
}
const watchAs = (actor: Actor, from = FROM) => {
  const seen: WatchEvent[] = []
  const reading = (async () => {
    for await (const events of watch.watchAll(actor, {}, from, ending.signal)) seen.push(...events)
  })()
  reading.catch(() => {})
  return { seen, isLive: () => seen.some(({ type }) => type === 'live') }
}

/** What an event says, without its cursor, which may be sealed at random. */
const wordsOf = (events: readonly WatchEvent[]): string[] =>
  events.map(event => {
    if (event.type === 'task') return `${event.task.status} ${event.task.rev} ${event.task.id}`
    return event.type === 'removed' ? `removed ${event.id}` : event.type
  })

/** The last word about each task: in between, a reader may be told of later states alone. */
const lastWordsOf = (events: readonly WatchEvent[]): string[] => {
  const last = new Map<string, string>()
  for (const word of wordsOf(events)) {
    const id = word.split(' ').at(-1) ?? ''
    last.delete(id)
    last.set(id, word)
  }
  return [...last.values()]
}

describe('followAll', { timeout: 300_000 }, () => {
  it('tells what watchAll tells, to each what they may see, from a snapshot on', async () => {
    const actors = [person('ann'), person('v', 'viewer'), keyOf('o', 'operator', { kinds: ['other'] })]
    await add(store, { owner: 'ann' })
    await add(store, { owner: 'bob' })
    const from = { since: null, snapshot: true }
    const pairs = actors.map(actor => [followAs(actor, from), watchAs(actor, from)] as const)
    for (const pair of pairs.flat()) await until('it is live', pair.isLive)
    for (const owner of ['ann', 'bob', null]) {
      const { id } = await add(store, { owner, kind: owner === null ? 'other' : 'adding' })
      const task = await store.claim(id, start(store.instance, at(1)))
      for (const note of ['1', '2'])
        await store.move(id, task?.claim ?? 0, report({ percent: 1, note, etaSeconds: null }, null, at(2)))
      await store.remove((await addEnded(store, { owner, kind: 'other' })).id)
    }
    const last = await add(store, { kind: 'other' })
    for (const [followed, watched] of pairs) {
      for (const { seen } of [followed, watched])
        await until('the last is told', () => wordsOf(seen).some(word => word.endsWith(last.id)))
      assert.deepEqual(lastWordsOf(followed.seen), lastWordsOf(watched.seen))
    }
    const [ann] = pairs.map(([followed]) => followed)
    assert.ok(ann?.tasks().every(({ task }) => task.owner !== 'bob'))
  })

  it('hands one sealed event to all of an account, and none of them to another account', async () => {
    // two who see the same, and not all: they share one reading
    const kinds = ['adding']
    const [olga, paul] = [keyOf('olga', 'operator', { kinds }), keyOf('paul', 'operator', { kinds })]
    const people = [person('ann'), person('ann'), person('bob'), person('v', 'viewer'), olga, paul]
    const followers = people.map(actor => followAs(actor))
    for (const one of followers) await until('it is live', one.isLive)
    const { id } = await add(store)
    for (const one of followers) await until('it is told', () => one.tasks().length === 1)
    const [ann, again, bob, viewer, ofOlga, ofPaul] = followers.map(one => one.tasks()[0])
    assert.equal(ann, again)
    assert.equal(ann?.task, bob?.task)
    const opened = (event: typeof ann, actor: Actor) => seal.open(event?.cursor ?? '', actor)
    assert.equal(opened(ann, person('ann')), viewer?.cursor)
    assert.equal(opened(bob, person('bob')), viewer?.cursor)
    assert.equal(opened(ann, person('bob')), null)
    assert.equal(opened(bob, person('ann')), null)
    assert.equal(ofOlga?.task, ofPaul?.task)
    assert.equal(opened(ofOlga, olga), viewer?.cursor)
    assert.equal(opened(ofPaul, paul), viewer?.cursor)
    assert.equal(opened(ofPaul, olga), null)
    // and each goes on behind its own
    const later = await add(store)
    const resumed = followAs(person('ann'), { since: ann?.cursor ?? '', snapshot: false })
    await until('it is live', resumed.isLive)
    assert.deepEqual(wordsOf(resumed.tasks()), [`PENDING 0 ${later.id}`])
    assert.equal(id, ann?.task.id)
  })

  it('waits for room, also while the first events are told, and loses no last state', async () => {
    for (let n = 0; n < 30; n += 1) await add(store)
    const slow = followAs(person('v', 'viewer'), { since: null, snapshot: true })
    slow.stop()
    await until('it has begun', () => slow.seen.length > 0)
    const { id } = await add(store)
    slow.goOn()
    await until('it is live', slow.isLive)
    assert.ok(slow.tasks().some(({ task }) => task.id === id))
    assert.equal(new Set(slow.tasks().map(({ task }) => task.id)).size, 31)
    slow.stop()
    const running = await store.claim(id, start(store.instance, at(1)))
    for (const note of ['1', '2', '3'])
      await store.move(id, running?.claim ?? 0, report({ percent: 1, note, etaSeconds: null }, null, at(2)))
    const quick = followAs(person('v', 'viewer'))
    await until('it is live', quick.isLive)
    const last = await add(store)
    await until('the quick one is told', () => quick.tasks().some(({ task }) => task.id === last.id))
    const before = slow.seen.length
    slow.goOn()
    await until('the slow one is told', () => slow.tasks().some(({ task }) => task.id === last.id))
    const after = slow.tasks().slice(before - slow.seen.length)
    assert.deepEqual(
      after.map(({ task }) => [task.id, task.progress?.note ?? null]),
      [
        [id, '3'],
        [last.id, null],
      ],
    )
  })

  it('leaves the reading when it cannot be told, at whatever event', async () => {
    await add(store)
    for (const type of ['snapshot', 'live', 'task'] as const) {
      const sink = {
        tell(event: WatchEvent) {
          if (event.type === type) throw new Error('the sink is broken')
        },
        isFull: () => false,
        room: async () => {},
      }
      const following = watch.followAll(
        person('ann'),
        {},
        { since: null, snapshot: true },
        sink,
        ending.signal,
      )
      await assert.rejects(following, /the sink is broken|internal/i, type)
      assert.equal(feed.readers(), 0, type)
    }
  })

  it('ends with its signal, and is refused to who may not read', async () => {
    const one = followAs(person('ann'))
    await until('it is live', one.isLive)
    ending.abort()
    await one.following
    const { actor } = { actor: { ...person('ann'), scopes: [] } }
    const from = { ...FROM }
    const sink = { tell: () => assert.fail(), isFull: () => false, room: async () => {} }
    await refused(() => watch.followAll(actor, {}, from, sink, AbortSignal.timeout(60_000)), 'SCOPE_MISSING')
  })
})
