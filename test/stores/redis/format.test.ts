// The format of a store in Redis: an earlier one is raised, a later one and what is none are refused and left alone.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { isMadhavaError } from '../../../src/core/errors.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { VERSION } from '../../../src/platform/version.ts'
import { openRedisStore } from '../../../src/stores/redis/open.ts'
import { content } from '../../suites/documents.ts'
import { add, read } from '../../suites/store/world.ts'
import { type PrivateRedis, startRedis } from '../../support/redis.ts'
import { requireService } from '../../support/services.ts'
import { placeOf } from '../../support/store-place.ts'

describe('the format of a store in Redis', { skip: requireService('redis') }, () => {
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
  const open = async (): Promise<TaskStore> => {
    const place = placeOf(redis.url)
    const store = await openRedisStore({ place, prefix: 'test', clock: () => new Date(), log: silentLog() })
    stores.push(store)
    return store
  }
  const about = (field: string): Promise<string> => redis.cli('HGET', 'test:about', field)
  const messageOfRefusal = async (): Promise<string> => {
    try {
      await open()
    } catch (error) {
      assert.ok(isMadhavaError(error, 'STORE_UNAVAILABLE'), String(error))
      return error.message
    }
    throw new Error('it was not refused')
  }

  it('is 3 in a new store, which names the version that made it', async () => {
    await open()
    assert.deepEqual([await about('format'), await about('writtenBy')], ['3', VERSION])
  })

  it('1 is raised at the start, once; nothing else changes', async () => {
    const first = await open()
    const { id } = await add(first)
    const cursor = await first.cursor()
    const epoch = await about('epoch')
    await first.close()
    await redis.cli('HSET', 'test:about', 'format', '1')
    await redis.cli('HDEL', 'test:about', 'writtenBy')
    const [one, other] = await Promise.all([open(), open()])
    assert.deepEqual(
      [await about('format'), await about('writtenBy'), await about('epoch'), await about('indexed')],
      ['3', VERSION, epoch, '2'],
    )
    assert.equal((await read(other, id)).id, id)
    assert.deepEqual((await one.changedSince(cursor)).ids, [])
    await one.documents.put('accounts', 'a', content(), null)
    assert.ok(await other.documents.get('accounts', 'a'))
  })

  it('stays, with the version that gave it, where a later version of the same format comes', async () => {
    await (await open()).close()
    await redis.cli('HSET', 'test:about', 'writtenBy', '0.0.9')
    await open()
    assert.equal(await about('writtenBy'), '0.0.9')
  })

  it('a later one is refused, with all that an operator needs to know', async () => {
    await redis.cli('HSET', 'test:about', 'format', '4', 'epoch', 'x', 'indexed', '1')
    const unknown = await messageOfRefusal()
    assert.match(unknown, /^The store under test is of format 4\. /)
    assert.ok(unknown.includes(`This is version ${VERSION}, which knows the formats 1 to 3`), unknown)
    assert.match(unknown, /use the version that wrote it, or a later one \(/)
    await redis.cli('HSET', 'test:about', 'writtenBy', '9.8.7', 'format', '123456789012345678901')
    const before = await redis.cli('HGETALL', 'test:about')
    const known = await messageOfRefusal()
    assert.match(
      known,
      /^The store under test is of format 123456789012345678901, written by version 9\.8\.7\. /,
    )
    assert.match(known, /use that version, or a later one \(/)
    // nothing was touched
    assert.equal(await redis.cli('HGETALL', 'test:about'), before)
    assert.equal(await redis.cli('--scan'), 'test:about')
  })

  it('what is no format is refused, and left as it is', async () => {
    for (const format of ['', '0', '-1', '1.5', '01', '1e1', ' 2', '2 ', 'two', '2\n', 'x'.repeat(1_000)]) {
      await redis.cli('HSET', 'test:about', 'format', format, 'epoch', 'x', 'indexed', '1')
      const message = await messageOfRefusal()
      const shown = JSON.stringify(format.slice(0, 40))
      assert.ok(message.startsWith(`The store under test has the format ${shown}, which is none. `), message)
      assert.ok(message.includes(`This is version ${VERSION}, which knows the formats 1 to 3`), message)
      assert.match(message, /set another STORE_PREFIX; else restore the field format of test:about \(/)
      assert.equal(await redis.cli('--scan'), 'test:about')
      assert.equal(await redis.cli('HLEN', 'test:about'), '3')
    }
  })
})
