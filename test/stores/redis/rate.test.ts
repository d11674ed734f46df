// The script that counts by the minute, at the very end of a window.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { connectRedis, type RedisConnection } from '../../../src/platform/redis.ts'
import { createScripts } from '../../../src/stores/redis/scripts.ts'
import { type PrivateRedis, startRedis } from '../../support/redis.ts'
import { requireService } from '../../support/services.ts'
import { placeOf } from '../../support/store-place.ts'

describe('rates in Redis', { skip: requireService('redis') }, () => {
  let redis: PrivateRedis
  let connection: RedisConnection
  before(async () => {
    redis = await startRedis()
    connection = connectRedis(placeOf(redis.url), 'test')
    await connection.ready(10_000)
  })
  after(async () => {
    connection?.close()
    await redis?.remove()
  })

  it('count also in the millisecond in which a window ends', async () => {
    const scripts = createScripts(connection, 'test:')
    // windows of two milliseconds: many calls meet the end of one
    for (let n = 0; n < 3_000; n += 1) {
      const [, ttl] = await scripts.run<[number, number]>('rate', 'x', 1, 0.002, 1_000_000)
      assert.ok(ttl > 0 && ttl <= 2, `${ttl}`)
    }
  })
})
