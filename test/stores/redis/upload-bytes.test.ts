// The bytes of uploads in Redis: no call holds others up, nothing is left over, and a full Redis says so.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { newTaskId } from '../../../src/core/task.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { openRedisStore } from '../../../src/stores/redis/open.ts'
import { allUploads } from '../../suites/upload-bytes.ts'
import { type PrivateRedis, startRedis } from '../../support/redis.ts'
import { assertOrder } from '../../support/redis-order.ts'
import { promise } from '../../support/redis-world.ts'
import { requireService } from '../../support/services.ts'
import { placeOf } from '../../support/store-place.ts'
import { until } from '../../support/until.ts'

const CHUNK = 256 * 1024
const skip = requireService('redis')
const streamOf = (...pieces: Buffer[]): Readable => Readable.from(pieces)
const chunks = function* (count: number) {
  for (let n = 0; n < count; n += 1) yield Buffer.alloc(CHUNK, n)
}

describe('the bytes of uploads in Redis', { skip }, () => {
  let redis: PrivateRedis
  before(async () => {
    redis = await startRedis()
  })
  after(() => redis?.remove())
  const open = () =>
    openRedisStore({
      place: placeOf(redis.url),
      prefix: 'test',
      clock: () => new Date(),
      log: silentLog(),
    })
  const keys = async (pattern: string): Promise<string[]> => {
    const found = await redis.cli('KEYS', pattern)
    return found === '' ? [] : found.split('\n')
  }
  /** Calls of each command while `work` runs, those of scripts included. */
  const callsOf = async (work: () => Promise<unknown>): Promise<Record<string, number>> => {
    await redis.cli('CONFIG', 'RESETSTAT')
    await work()
    const lines = (await redis.cli('INFO', 'commandstats')).split('\n')
    return Object.fromEntries(
      lines.flatMap(line => {
        const [, name, calls] = /^cmdstat_([^:]+):calls=(\d+)/.exec(line) ?? []
        return name === undefined ? [] : [[name, Number(calls)]]
      }),
    )
  }

  it('go in and out a chunk at a time, are cut off in small parts, and removed in the background', async () => {
    const store = await open()
    const { uploads } = store
    const id = newTaskId()
    const count = 150
    await uploads.write(id, 0, Readable.from(chunks(count)))
    const read = await callsOf(async () => {
      const found = await uploads.read(id)
      let n = 0
      for await (const piece of found?.stream ?? []) {
        assert.ok((piece as Buffer).equals(Buffer.alloc(CHUNK, n)))
        n += 1
      }
      assert.equal(n, count)
    })
    for (const whole of ['hgetall', 'hvals', 'hmget', 'getrange']) assert.equal(read[whole], undefined, whole)
    assert.ok((read.hget ?? 0) >= count)
    const cut = await callsOf(() => uploads.write(id, 1000, streamOf(Buffer.from('x'))))
    assert.ok((cut.hdel ?? 0) >= count - 1)
    assert.ok((cut.evalsha ?? 0) >= 3, 'in more than one call')
    assert.equal(await redis.cli('HLEN', `test:upload:${id}`), '1')
    await uploads.write(id, 1001, Readable.from(chunks(count)))
    const removed = await callsOf(() => uploads.remove(id))
    assert.equal(removed.unlink, 1)
    assert.deepEqual([removed.hdel, removed.del], [1, undefined], 'the size alone is taken away on the spot')
    assert.deepEqual(await keys('test:upload*'), [])
    await store.close()
  })

  it('stay when the sets are made anew', async () => {
    const store = await open()
    const id = newTaskId()
    await store.uploads.write(id, 0, Readable.from(chunks(2)))
    await store.close()
    await redis.cli('HDEL', 'test:about', 'indexed')
    const later = await open()
    assert.deepEqual(await allUploads(later.uploads), [{ id, bytes: 2 * CHUNK }])
    assert.equal((await later.uploads.read(id))?.bytes, 2 * CHUNK)
    await assertOrder(redis.url, 'test')
    await later.uploads.remove(id)
    await later.close()
  })

  it('that have lost a part are an error, never shorter or others, until they are written anew', async () => {
    const store = await open()
    const { uploads } = store
    const id = newTaskId()
    await uploads.write(id, 0, streamOf(Buffer.alloc(3 * CHUNK - 5)))
    await redis.cli('HDEL', `test:upload:${id}`, '1')
    const lost = { code: 'STORE_UNAVAILABLE' }
    await assert.rejects((await uploads.read(id))?.stream.toArray() ?? Promise.resolve(), lost)
    await assert.rejects(uploads.write(id, 2 * CHUNK - 9, streamOf()), lost)
    assert.equal(await uploads.write(id, 0, streamOf(Buffer.from('anew'))), 4)
    assert.deepEqual(await allUploads(uploads), [{ id, bytes: 4 }])
    await uploads.remove(id)
    await store.close()
  })
})

describe('uploads and a Redis', { skip }, () => {
  promise(
    'whose memory is full are refused, keep what had come, and go on when there is room',
    { maxmemory: '40mb', 'maxmemory-policy': 'noeviction' },
    async world => {
      const { uploads, check } = await world.open()
      const [id, filler] = [newTaskId(), newTaskId()]
      await uploads.write(filler, 0, Readable.from(chunks(40)))
      await assert.rejects(uploads.write(id, 0, Readable.from(chunks(1_000))), { code: 'STORE_FULL' })
      const size = (await uploads.size(id)) ?? 0
      assert.ok(size >= CHUNK)
      await assert.rejects(check(), { code: 'STORE_FULL' })
      await assert.rejects(uploads.write(newTaskId(), 0, streamOf(Buffer.from('x'))), { code: 'STORE_FULL' })
      await uploads.remove(filler)
      await until('there is room again', () =>
        check().then(
          () => true,
          () => false,
        ),
      )
      assert.equal(await uploads.write(id, size, streamOf(Buffer.from('x'))), size + 1)
      const found = Buffer.concat((await (await uploads.read(id))?.stream.toArray()) ?? [])
      assert.equal(found.length, size + 1)
      for (let n = 0; n < size / CHUNK; n += 1) assert.equal(found[n * CHUNK], n % 256)
    },
  )

  promise(
    'that goes away midway tell its writer, and lose nothing that was acknowledged',
    {},
    async world => {
      const { uploads } = await world.open()
      const direct = await world.openDirect()
      const id = newTaskId()
      await uploads.write(id, 0, Readable.from(chunks(3)))
      const source = Readable.from(
        (async function* () {
          yield* chunks(3)
          world.proxy.cut()
          yield* chunks(50)
        })(),
        { highWaterMark: 1 },
      )
      await assert.rejects(uploads.write(id, 3 * CHUNK, source), { code: 'STORE_UNAVAILABLE' })
      const size = (await direct.uploads.size(id)) ?? 0
      assert.ok(size >= 3 * CHUNK)
      assert.equal(await direct.uploads.write(id, size, streamOf(Buffer.from('x'))), size + 1)
    },
  )
})
