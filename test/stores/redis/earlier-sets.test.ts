// A Redis whose sets are of an earlier version, which knew neither nobody's tasks nor counts by owner: made anew when
// nobody uses them; until then lists and counts are right without them.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import type { TaskFilter, TaskStore } from '../../../src/core/store.ts'
import { type Log, silentLog } from '../../../src/platform/log.ts'
import { connectRedis, type RedisConnection } from '../../../src/platform/redis.ts'
import { openRedisStore } from '../../../src/stores/redis/open.ts'
import { rebuildIndexes } from '../../../src/stores/redis/rebuild.ts'
import { createScripts } from '../../../src/stores/redis/scripts.ts'
import { add, addEnded, at, follow, read, take } from '../../suites/store/world.ts'
import { keepingLog } from '../../support/keeping-log.ts'
import { type PrivateRedis, startRedis } from '../../support/redis.ts'
import { assertOrder } from '../../support/redis-order.ts'
import { requireService } from '../../support/services.ts'
import { placeOf } from '../../support/store-place.ts'
import { until } from '../../support/until.ts'

const LONG = { timeout: 300_000 }
const WARNING =
  'the sets in Redis are of an earlier version, and other processes use them; searching all tasks'
const FILTERS: TaskFilter[] = [
  { owners: ['ann', ''] },
  { owners: ['ann'] },
  { owners: [''] },
  { owners: ['ann', ''], owner: 'ann' },
  { owners: ['ann', ''], statuses: ['PENDING'] },
  { owners: ['bob'], kinds: ['adding'], statuses: ['SUCCESS'] },
]

describe('the sets of an earlier version', { skip: requireService('redis') }, () => {
  let redis: PrivateRedis
  before(async () => {
    redis = await startRedis()
  })
  after(() => redis?.remove())
  const stores: TaskStore[] = []
  afterEach(async () => {
    await Promise.all(stores.splice(0).map(store => store.close()))
    await redis.cli('FLUSHALL')
  })
  const open = async (log: Log = silentLog()): Promise<TaskStore> => {
    const place = placeOf(redis.url)
    const store = await openRedisStore({ place, prefix: 'test', clock: () => new Date(), log })
    stores.push(store)
    return store
  }
  const fill = async (store: TaskStore): Promise<void> => {
    for (let n = 0; n < 12; n += 1) {
      const owner = [null, 'ann', 'bob'][n % 3] ?? null
      if (n % 2) await addEnded(store, { owner, createdAt: at(n) }, at(100 + n))
      else await add(store, { owner, createdAt: at(n) })
    }
  }
  const makeEarlier = async (): Promise<void> => {
    const keys = (await redis.cli('--scan')).split('\n')
    await redis.cli('DEL', ...keys.filter(key => /^test:(owner:$|ends:|tally:)/.test(key)))
    await redis.cli('HSET', 'test:about', 'format', '2', 'indexed', '1')
  }
  const view = async (store: TaskStore) => {
    const found: unknown[] = []
    for (const filter of FILTERS)
      for (const sort of ['-createdAt', 'finishedAt'] as const) {
        const { tasks } = await store.list(filter, { limit: 100, cursor: null, sort })
        found.push([filter, sort, tasks.map(({ id }) => id)])
      }
    for (const owners of [['ann', ''], ['bob'], ['']]) found.push(await store.counts(owners))
    return found
  }

  it('are made anew at the start, once', LONG, async () => {
    const store = await open()
    await fill(store)
    const expected = await view(store)
    await store.close()
    await makeEarlier()
    const { log, lines } = keepingLog()
    const later = await Promise.all([open(log), open(log), open(log)])
    for (const each of later) assert.deepEqual(await view(each), expected)
    assert.equal(await redis.cli('HGET', 'test:about', 'indexed'), '2')
    assert.deepEqual(
      lines().map(({ message }) => message),
      ['the sets in Redis are made anew'],
    )
    await Promise.all(later.map(each => each.close()))
    await assertOrder(redis.url, 'test')
  })

  it('are left alone while another process uses them, and answers are right without them', LONG, async () => {
    const early = await open()
    await fill(early)
    const expected = await view(early)
    await makeEarlier()
    const { log, lines } = keepingLog()
    const store = await open(log)
    assert.deepEqual(
      lines().map(({ level, message }) => [level, message]),
      [['warn', WARNING]],
    )
    assert.equal(await redis.cli('HGET', 'test:about', 'indexed'), '1')
    assert.deepEqual(await view(store), expected)
    // what is written meanwhile stands in some of the sets that are looked for later
    const { id } = await add(store, { owner: 'ann', createdAt: at(50) })
    await take(store, id)
    assert.equal((await store.list({ owners: ['ann'] }, { limit: 1, cursor: null })).tasks[0]?.id, id)
    assert.equal((await store.counts(['ann'])).byStatus.STARTED, 1)
    await store.close()
    await early.close()
    const later = await open()
    assert.equal(await redis.cli('HGET', 'test:about', 'indexed'), '2')
    assert.equal((await later.counts(['ann'])).total, 5)
    await later.close()
    await assertOrder(redis.url, 'test')
  })

  it('are not taken for whole when the process died that made them anew', LONG, async () => {
    const store = await open()
    await fill(store)
    const expected = await view(store)
    await store.close()
    await makeEarlier()
    const connection = connectRedis(placeOf(redis.url), 'test')
    try {
      await connection.ready(10_000)
      const scripts = createScripts(connection, 'test:')
      const dying: RedisConnection = {
        ...connection,
        async call(command, ...args) {
          if (command === 'GET') throw new Error('killed')
          return connection.call(command, ...args)
        },
      }
      const rebuild = rebuildIndexes({ redis: dying, scripts, prefix: 'test:', instance: 'x' })
      await assert.rejects(rebuild, /killed/)
    } finally {
      connection.close()
    }
    assert.equal(await redis.cli('HGET', 'test:about', 'indexed'), '')
    const later = await open()
    assert.deepEqual(await view(later), expected)
    await later.close()
    await assertOrder(redis.url, 'test')
  })

  it(
    'came with a feed that did not say whose the removed tasks were, or of which kind: all sorts of entries are read',
    LONG,
    async () => {
      const store = await open()
      const cursor = await store.cursor()
      const ended = await addEnded(store, { owner: 'ann' })
      const { id } = await addEnded(store, { owner: 'bob' })
      await store.remove(ended.id)
      await redis.cli('XADD', 'test:feed', '*', 'removed', id)
      await redis.cli('XADD', 'test:feed', '*', 'removed', at(2), 'owner', '"cleo"')
      await redis.cli('XADD', 'test:feed', '*', 'removed', at(1), 'owner', '{torn')
      const follower = follow(store, cursor)
      const removals = () => follower.seen.filter(change => change.type === 'removed')
      await until('all removals are told', () => removals().length === 4)
      await follower.stop()
      assert.deepEqual(
        removals().map(({ id, owner, kind }) => [id, owner, kind]),
        [
          [ended.id, 'ann', 'adding'],
          [id, undefined, undefined],
          [at(2), 'cleo', undefined],
          [at(1), undefined, undefined],
        ],
      )
      const { ids, removed } = await store.changedSince(cursor)
      assert.equal(ids.length, 4)
      assert.deepEqual(
        [...removed],
        [
          [ended.id, { owner: 'ann', kind: 'adding' }],
          [at(2), { owner: 'cleo', kind: undefined }],
        ],
      )
      assert.equal((await read(store, id)).owner, 'bob')
    },
  )
})
