// The seam between the stream and its followed end: what comes while the one is read and the other begins is told at once.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MadhavaError } from '../../../src/core/errors.ts'
import type { Change } from '../../../src/core/store.ts'
import { silentLog } from '../../../src/platform/log.ts'
import type { RedisConnection } from '../../../src/platform/redis.ts'
import { createFeed } from '../../../src/stores/redis/feed.ts'
import { encode } from '../../../src/stores/redis/records.ts'
import { newTask } from '../../suites/store/world.ts'
import { soon } from '../../support/soon.ts'
import { undo } from '../../support/undo.ts'

type StreamEntry = [id: string, fields: string[]]
const EPOCH = '0123456789ab'

/** A stream in memory. The hooks run before and after each answer. */
const setUp = (
  hooks: {
    before?: (name: string) => void
    after?: (name: string) => Promise<void>
    /** Over the connection that follows the end. */
    tail?: Partial<RedisConnection>
  } = {},
) => {
  const stream: StreamEntry[] = [['1-0', ['begin', '1']]]
  const waiting = new Set<() => void>()
  const add = (): string => {
    const task = newTask()
    stream.push([`${stream.length + 1}-0`, ['task', encode(task)]])
    for (const wake of waiting) wake()
    return task.id
  }
  const place = (id: string): number => Number(id.split('-')[0])
  const connection = (): RedisConnection => {
    let closed: () => void = () => {}
    const end = new Promise<null>(resolve => {
      closed = () => resolve(null)
    })
    const answer = async (command: string, args: readonly unknown[]): Promise<unknown> => {
      const [, from, to] = args.map(String)
      if (command === 'XREVRANGE') return stream.slice(-1)
      const last = to === '+' ? Number.POSITIVE_INFINITY : place(to ?? '')
      if (command === 'XRANGE')
        return stream.filter(([id]) => place(id) >= place(from ?? '') && place(id) <= last)
      assert.equal(command, 'XREAD')
      const since = place(String(args.at(-1)))
      const news = () => stream.filter(([id]) => place(id) > since)
      if (news().length === 0)
        await Promise.race([
          end,
          new Promise<void>(resolve => {
            waiting.add(resolve)
          }),
        ])
      return news().length === 0 ? null : [['feed', news()]]
    }
    return {
      async call(command, ...args) {
        hooks.before?.(command)
        const found = await answer(command, args)
        await hooks.after?.(command)
        return found
      },
      callBuffer: () => Promise.reject(new Error('not asked here')),
      ready: async () => {},
      isReady: () => true,
      lastError: () => null,
      reconnect() {},
      close: () => closed(),
    }
  }
  const redis = connection()
  const feed = createFeed({
    redis,
    openTail: () => ({ ...connection(), ...hooks.tail }),
    key: 'feed',
    epoch: EPOCH,
    readJson: async () => null,
    clock: () => new Date(),
    log: silentLog(),
  })
  return { feed, add }
}
const idOf = (change: Change | undefined): string | undefined =>
  change?.type === 'task' ? change.task.id : undefined

describe('the feed in Redis, where stream and followed end meet', () => {
  it('tells at once what comes while the stream is read, with nothing after it', async t => {
    let id = ''
    let reads = 0
    let tailBegan: () => void = () => {}
    const tail = new Promise<void>(resolve => {
      tailBegan = resolve
    })
    const world = setUp({
      async after(name) {
        // the first look into the stream has found nothing; the end is followed from behind what came then
        if (name === 'XRANGE') {
          reads += 1
          if (reads === 1) await tail
        }
      },
      before(name) {
        if (name !== 'XREVRANGE') return
        if (id === '') id = world.add()
        setImmediate(tailBegan)
      },
    })
    const ending = new AbortController()
    undo(t, () => world.feed.close())
    const changes = world.feed.changes(`${EPOCH}.1-0`, ending.signal)[Symbol.asyncIterator]()
    const { value } = await soon(changes.next(), 'the change')
    assert.equal(idOf(value), id)
    await changes.return?.(undefined)
  })

  it('waits for a Redis that is away as long as it may each time, however often', async t => {
    let now = 0
    t.mock.method(performance, 'now', () => now)
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let away = false
    let asked = 0
    const { feed, add } = setUp({
      before(name) {
        if (name !== 'XRANGE') return
        asked += 1
        if (away) throw new MadhavaError('STORE_UNAVAILABLE')
      },
      // nobody follows the end: all is read in the stream
      tail: { ready: () => new Promise(() => {}) },
    })
    undo(t, () => feed.close())
    const ids = [add()]
    const changes = feed.changes(`${EPOCH}.1-0`, new AbortController().signal)[Symbol.asyncIterator]()
    const seen = [idOf((await changes.next()).value)]
    const turn = () => new Promise(resolve => setImmediate(resolve))
    for (let gap = 0; gap < 3; gap += 1) {
      away = true
      const next = changes.next()
      // told at the end of it all, and not as a rejection that nobody handles
      next.catch(() => {})
      for (let look = 0; look < 4; look += 1) {
        const before = asked
        for (let n = 0; asked === before && n < 100; n += 1) await turn()
        await turn()
        now += 2_500
        t.mock.timers.tick(2_500)
      }
      away = false
      ids.push(add())
      for (let n = 0; n < 100; n += 1) await turn()
      t.mock.timers.tick(2_500)
      seen.push(idOf((await next).value))
    }
    assert.deepEqual(seen, ids)
  })

  it('tells every follower each change once and in order, whenever it joins', async t => {
    const { feed, add } = setUp()
    undo(t, () => feed.close())
    const cursor = await feed.cursor()
    const ids = [add(), add()]
    const followers: { seen: string[]; until(count: number): Promise<void> }[] = []
    const join = (): void => {
      const changes = feed.changes(cursor, new AbortController().signal)[Symbol.asyncIterator]()
      const seen: string[] = []
      followers.push({
        seen,
        async until(count) {
          while (seen.length < count) {
            const { value } = await soon(changes.next(), 'the next change')
            seen.push(idOf(value) ?? '')
          }
        },
      })
    }
    for (let turn = 0; turn < 4; turn += 1) {
      join()
      for (const follower of followers) await follower.until(ids.length)
      ids.push(add())
    }
    for (const follower of followers) {
      await follower.until(ids.length)
      assert.deepEqual(follower.seen, ids)
    }
    const looked = await feed.changedSince(cursor)
    assert.deepEqual(looked.ids, ids)
    assert.deepEqual((await feed.changedSince(looked.cursor)).ids, [])
  })
})
