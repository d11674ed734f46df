// The chunks of blobs in Redis: none is left of what was refused, broken off, replaced or removed.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { silentLog } from '../../../src/platform/log.ts'
import { openRedisStore } from '../../../src/stores/redis/open.ts'
import { add, addEnded } from '../../suites/store/world.ts'
import { type PrivateRedis, startRedis } from '../../support/redis.ts'
import { requireService } from '../../support/services.ts'
import { placeOf } from '../../support/store-place.ts'
import { until } from '../../support/until.ts'

const CHUNK = 256 * 1024
const UNKNOWN = '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f'

describe('the bytes of blobs in Redis', { skip: requireService('redis') }, () => {
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
  const chunks = async (): Promise<string[]> => {
    const keys = await redis.cli('KEYS', 'test:bytes:*')
    return keys === '' ? [] : keys.split('\\n')
  }
  const none = (what: string) =>
    until(`nothing is left of ${what}`, async () => (await chunks()).length === 0)

  it('go with a put that fails, however far it had come', async () => {
    const store = await open()
    const { id } = await add(store)
    for (const whole of [0, 1, 3]) {
      let told = 0
      const failing = Readable.from(
        (async function* () {
          for (; told < whole; told += 1) yield Buffer.alloc(CHUNK, 1)
          // what came so far is there before it fails
          if (whole > 1) await until('the chunks come', async () => (await chunks()).length === 1)
          throw new Error('broken off')
        })(),
      )
      await assert.rejects(store.putBlob(id, 'some.bin', failing), /broken off/)
      assert.equal(told, whole)
      await none(`${whole} chunks`)
    }
    const large = Buffer.alloc(3 * CHUNK, 2)
    await assert.rejects(store.putBlob(UNKNOWN, 'some.bin', large), { code: 'TASK_NOT_FOUND' })
    await none('a task that is not there')
    await store.close()
  })

  it('stay as long as their writer lives, however slow the source is, and go by themselves with it', async t => {
    const store = await open()
    const { id } = await add(store)
    // from here on; the beat of the store is a real one
    t.mock.timers.enable({ apis: ['setInterval'] })
    let goOn = (): void => {}
    const waiting = new Promise<void>(resolve => {
      goOn = resolve
    })
    const slow = Readable.from(
      (async function* () {
        for (let told = 0; told < 3; told += 1) yield Buffer.alloc(CHUNK, told)
        await waiting
        yield Buffer.alloc(1, 3)
      })(),
    )
    const written = store.putBlob(id, 'slow.bin', slow)
    const keyOf = async (): Promise<string> => (await chunks())[0] ?? ''
    await until(
      'three chunks are there',
      async () => (await redis.cli('HLEN', (await keyOf()) || 'none')) === '3',
    )
    const leftMs = async (): Promise<number> => Number(await redis.cli('PTTL', await keyOf()))
    const left = await leftMs()
    assert.ok(left > 0 && left <= 120_000, `${left} ms without a writer that lives`)
    for (let quarter = 0; quarter < 8; quarter += 1) {
      // a time that has nearly passed
      await redis.cli('PEXPIRE', await keyOf(), '60000')
      t.mock.timers.tick(30_000)
      await until('the writer has shown that it lives', async () => (await leftMs()) > 60_000)
    }
    goOn()
    await written
    assert.equal(await redis.cli('TTL', await keyOf()), '-1', 'what counts does not go by itself')
    t.mock.timers.tick(120_000)
    await store.check()
    assert.equal(await redis.cli('TTL', await keyOf()), '-1', 'nor when nobody writes it any more')
    await store.removeBlob(id, 'slow.bin')
    await store.close()
  })

  it('are those of one version alone, and stay as long as that counts', async () => {
    const store = await open()
    const { id } = await addEnded(store)
    for (const size of [3 * CHUNK, CHUNK, CHUNK + 1, 1]) {
      await store.putBlob(id, 'some.bin', Buffer.alloc(size, size % 7))
      const [key = '', ...more] = await chunks()
      assert.deepEqual(more, [])
      assert.equal(await redis.cli('TTL', key), '-1', 'what counts does not go by itself')
      const blob = await store.getBlob(id, 'some.bin')
      assert.deepEqual(Buffer.concat((await blob?.stream.toArray()) ?? []), Buffer.alloc(size, size % 7))
      // whoever reads it has read to its end: the mark that somebody reads is not waited for
      await redis.cli(
        'EVAL',
        "for _, key in ipairs(redis.call('KEYS', 'test:reading:*')) do redis.call('DEL', key) end",
        '0',
      )
    }
    await store.removeBlob(id, 'some.bin')
    await none('a blob that was removed')
    await store.putBlob(id, 'some.bin', Buffer.alloc(2 * CHUNK))
    await store.remove(id)
    await none('a task that was removed')
    await store.close()
  })
})
