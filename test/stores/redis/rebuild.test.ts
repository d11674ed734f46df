// The sets in Redis follow from the records: deleted while nothing runs, they come back whole.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fail, start } from '../../../src/core/moves.ts'
import type { TaskPage, TaskStore } from '../../../src/core/store.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { openRedisStore } from '../../../src/stores/redis/open.ts'
import { content } from '../../suites/documents.ts'
import { add, addEnded, at, keyed, take } from '../../suites/store/world.ts'
import { type PrivateRedis, startRedis } from '../../support/redis.ts'
import { assertOrder } from '../../support/redis-order.ts'
import { requireService } from '../../support/services.ts'
import { placeOf } from '../../support/store-place.ts'

describe('the sets in Redis', { skip: requireService('redis') }, () => {
  let redis: PrivateRedis
  before(async () => {
    redis = await startRedis()
  })
  after(() => redis?.remove())
  const open = (): Promise<TaskStore> =>
    openRedisStore({
      place: placeOf(redis.url),
      prefix: 'test',
      clock: () => new Date(),
      log: silentLog(),
    })
  const addFailed = async (store: TaskStore): Promise<string> => {
    const { id } = await add(store)
    const { claim } = await take(store, id)
    await store.move(id, claim, fail({ code: 'KIND_FAILED', message: 'no', detail: null }, null, at(2)))
    return id
  }
  const keys = async (): Promise<string[]> => (await redis.cli('--scan', '--pattern', 'test:*')).split('\n')

  it('come back from the records, whichever were deleted', { timeout: 300_000 }, async () => {
    const store = await open()
    for (let n = 0; n < 12; n += 1) {
      const { id } = await addEnded(store, { kind: `kind${n % 3}`, owner: n % 2 ? 'ann' : null })
      if (n % 4 === 0) await store.putBlob(id, 'log.txt', Buffer.alloc(1000 * n))
    }
    await store.create(...keyed('k'))
    const parent = await add(store, { priority: 9 })
    await add(store, { parentId: parent.id, notBefore: at(50), expiresAt: at(80) })
    await add(store, { notBefore: at(5), expiresAt: at(7) })
    const failing = await take(store, (await add(store)).id)
    const error = { code: 'KIND_FAILED', message: 'no', detail: null }
    await store.move(failing.id, failing.claim, fail(error, at(60), at(2)))
    const running = await take(store, (await add(store)).id)
    for (const name of ['b', 'a'])
      await store.documents.put('accounts', name, content({ name }, { expiresAt: at(90) }), null)
    await store.documents.put('secrets', 'c', content(), null)
    const view = async (from: TaskStore) => ({
      accounts: await from.documents.list('accounts', { limit: 10, cursor: null }),
      secrets: await from.documents.list('secrets', { limit: 10, cursor: null }),
      list: await from.list({}, { limit: 100, cursor: null }),
      ann: await from.list({ owner: 'ann' }, { limit: 100, cursor: null }),
      children: await from.list({ parentId: parent.id }, { limit: 100, cursor: null }),
      counts: await from.counts(),
      agenda: { ...(await from.agenda(at(6), 100)), orphaned: [] },
    })
    const before = await view(store)
    await store.close()
    // of a version that kept which tasks were taken ahead
    await redis.cli('HSET', 'test:ahead', running.id, '1')
    await (await open()).close()
    assert.ok(!(await keys()).includes('test:ahead'))

    for (const pattern of [/./, /:(created|ended|in:.*)$/, /:(ready:.*|holders|held:.*|keepers|timed)$/]) {
      const gone = (await keys()).filter(
        key => pattern.test(key) && !/^test:(about|feed|task:|documents:|blobs:|bytes:|key:)/.test(key),
      )
      assert.ok(gone.length > 0)
      await redis.cli('DEL', ...gone)
      await redis.cli('HDEL', 'test:about', 'indexed')
      const stores = await Promise.all([open(), open()])
      for (const each of stores) assert.deepEqual(await view(each), before)
      assert.deepEqual((await stores[0]?.agenda(at(6), 10))?.orphaned, [running.id])
      await Promise.all(stores.map(each => each.close()))
      await assertOrder(redis.url, 'test')
    }
  })

  it('hold only what records say when they are rebuilt', { timeout: 300_000 }, async () => {
    await redis.cli('FLUSHDB')
    const store = await open()
    const [kept, gone] = [await addFailed(store), await addFailed(store)]
    const ended = [await addEnded(store), await addEnded(store)]
    await store.close()
    // by hand, while nothing runs
    for (const id of [gone, ended[0]?.id]) await redis.cli('DEL', `test:task:${id}`)
    await redis.cli('HDEL', 'test:about', 'indexed')
    await (await open()).close()
    assert.equal(await redis.cli('ZRANGE', 'test:failed', '0', '-1'), kept)
    assert.equal(await redis.cli('ZRANGE', 'test:ended', '0', '-1'), ended[1]?.id)
    await assertOrder(redis.url, 'test')
  })

  it('are not rebuilt while other processes use them', { timeout: 300_000 }, async () => {
    const store = await open()
    await redis.cli('HDEL', 'test:about', 'indexed')
    await assert.rejects(open(), /while other processes use them: stop all of them first/)
    await store.close()
    await (await open()).close()
    assert.equal(await redis.cli('HGET', 'test:about', 'indexed'), '2')
  })

  it('that name a task that does not wait, or no record at all, do no harm', {
    timeout: 300_000,
  }, async () => {
    await redis.cli('FLUSHDB')
    const store = await open()
    const [gone, ended, plain] = [await add(store, { priority: 9 }), await addEnded(store), await add(store)]
    await redis.cli('DEL', `test:task:${gone.id}`)
    await redis.cli('ZADD', 'test:ready:adding', '0', ended.id)
    const spoilt = await add(store, { priority: 9 })
    const json = await redis.cli('GET', `test:task:${spoilt.id}`)
    await redis.cli('SET', `test:task:${spoilt.id}`, json.slice(0, -1))
    const wanted = { kinds: ['adding'], now: at(5) }
    assert.equal((await store.claimNext(wanted, start('w', at(5))))?.id, plain.id)
    assert.equal(await store.claimNext(wanted, start('w', at(5))), null)
    for (const limit of [1, 2, 10]) {
      const seen: string[] = []
      let cursor: string | null = null
      do {
        const page: TaskPage = await store.list({}, { limit, cursor })
        seen.push(...page.tasks.map(task => task.id))
        cursor = page.next
      } while (cursor !== null)
      assert.deepEqual(seen.toSorted(), [ended.id, plain.id].toSorted())
    }
    await store.close()
    // put right by hand, and found again
    await redis.cli('SET', `test:task:${spoilt.id}`, json)
    await redis.cli('HDEL', 'test:about', 'indexed')
    const later = await open()
    assert.equal((await later.claimNext(wanted, start('w', at(5))))?.id, spoilt.id)
    await later.close()
    await assertOrder(redis.url, 'test')
  })
})
