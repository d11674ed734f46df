// The stream behind the change feed: the same story for everybody, also of large records; cut where it may be, and told.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { report, succeed } from '../../../src/core/moves.ts'
import type { Change, TaskStore } from '../../../src/core/store.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { openRedisStore } from '../../../src/stores/redis/open.ts'
import { add, at, caughtUp, follow, latest, refused, take } from '../../suites/store/world.ts'
import { type PrivateRedis, startRedis } from '../../support/redis.ts'
import { requireService } from '../../support/services.ts'
import { placeOf } from '../../support/store-place.ts'
import { until } from '../../support/until.ts'

const progress = (percent: number, partial: string | null = null) =>
  report({ percent, note: null, etaSeconds: null }, partial, at(2))
const story = (seen: readonly Change[]): string[] =>
  seen.map(change =>
    change.type === 'task' ? `${change.task.id} ${change.task.claim}.${change.task.rev}` : change.type,
  )

describe('the feed in Redis', { skip: requireService('redis') }, () => {
  let redis: PrivateRedis
  before(async () => {
    redis = await startRedis()
  })
  after(() => redis?.remove())

  const promise = (title: string, body: (open: () => Promise<TaskStore>) => Promise<void>): void => {
    it(title, { timeout: 300_000 }, async () => {
      const stores: TaskStore[] = []
      try {
        await body(async () => {
          const place = placeOf(redis.url)
          const store = await openRedisStore({
            place,
            prefix: 'test',
            clock: () => new Date(),
            log: silentLog(),
          })
          stores.push(store)
          return store
        })
      } finally {
        await Promise.all(stores.map(store => store.close()))
        await redis.cli('FLUSHDB')
      }
    })
  }

  promise('tells the same changes in the same order in every process, each of them', async open => {
    const [one, other] = [await open(), await open()]
    const followers = [follow(one, await one.cursor()), follow(other, await other.cursor())]
    const ids: string[] = []
    for (let n = 0; n < 5; n += 1) {
      const { id } = await add(one)
      ids.push(id)
      const { claim } = await take(other, id)
      await Promise.all([1, 2, 3].map(percent => other.move(id, claim, progress(percent))))
      if (n === 2) await one.revoke(id, at(3))
      await other.move(id, claim, succeed(n, null, at(4)))
    }
    for (const follower of followers) await caughtUp(follower, one, ids)
    const [first, second] = followers.map(({ seen }) => story(seen))
    assert.deepEqual(first, second)
    // six of each, and a cancel request with the record that shows it
    assert.equal(first?.length, 5 * 6 + 2)
    for (const follower of followers) await follower.stop()
  })

  promise('keeps large records out, and tells their latest state all the same', async open => {
    const [one, other] = [await open(), await open()]
    const cursor = await one.cursor()
    const follower = follow(other, cursor)
    const { id } = await add(one)
    const { claim } = await take(one, id)
    for (let n = 1; n <= 30; n += 1)
      await one.move(id, claim, progress(n, 'x'.repeat(n % 2 === 0 ? 20_000 : 5)))
    await one.move(id, claim, progress(40, 'y'.repeat(30_000)))
    await caughtUp(follower, one, [id])
    await follower.stop()
    const later = follow(one, cursor)
    await caughtUp(later, one, [id])
    await later.stop()
    latest(later.seen)
    const bytes = Number(await redis.cli('MEMORY', 'USAGE', 'test:feed'))
    assert.ok(bytes < 60_000, `the feed takes ${bytes} bytes`)
  })

  promise('says so when the changes after a cursor are gone', async open => {
    const store = await open()
    const early = await store.cursor()
    for (let n = 0; n < 10; n += 1) await add(store)
    const late = await store.cursor()
    await redis.cli('XTRIM', 'test:feed', 'MAXLEN', '3')
    const first = (cursor: string) =>
      store.changes(cursor, new AbortController().signal)[Symbol.asyncIterator]().next()
    await refused(() => first(early), 'CURSOR_TOO_OLD')
    await refused(() => store.changedSince(early), 'CURSOR_TOO_OLD')
    assert.deepEqual((await store.changedSince(late)).ids, [])
    const follower = follow(store, late)
    const { id } = await add(store)
    await until('it goes on from the end', () => latest(follower.seen).has(id))
    await follower.stop()
    const [epoch = '', place = ''] = late.split('.')
    await refused(() => first(`${epoch.replace(/^./, epoch[0] === 'a' ? 'b' : 'a')}.${place}`), 'BAD_CURSOR')
    await refused(() => first(`${epoch}.99999999999999-0`), 'BAD_CURSOR')
  })
})
