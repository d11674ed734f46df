// A private Redis of one test, with stores that are opened on it directly or through a proxy that does harm.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { isMadhavaError } from '../../src/core/errors.ts'
import type { TaskStore } from '../../src/core/store.ts'
import { silentLog } from '../../src/platform/log.ts'
import { openRedisStore } from '../../src/stores/redis/open.ts'
import { type PrivateRedis, startRedis } from './redis.ts'
import { assertOrder } from './redis-order.ts'
import { placeOf } from './store-place.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'
import { until } from './until.ts'

export interface RedisWorld {
  redis: PrivateRedis
  /** Between the stores that `open` opens and Redis. */
  proxy: TcpProxy
  open(): Promise<TaskStore>
  /** Not by way of the proxy. */
  openDirect(): Promise<TaskStore>
}

/** Registers a test on a Redis of its own, with these lines of redis.conf; what is left in it must fit together. */
export const promise = (
  title: string,
  settings: Record<string, string>,
  body: (world: RedisWorld) => Promise<void>,
): void => {
  it(title, { timeout: 300_000 }, async () => {
    const redis = await startRedis({ settings })
    const proxy = await startTcpProxy({ port: redis.port })
    const stores: TaskStore[] = []
    const openAt = async (port: number): Promise<TaskStore> => {
      const place = placeOf(`redis://127.0.0.1:${port}`)
      const store = await openRedisStore({ place, prefix: 'test', clock: () => new Date(), log: silentLog() })
      stores.push(store)
      return store
    }
    try {
      await body({ redis, proxy, open: () => openAt(proxy.port), openDirect: () => openAt(redis.port) })
      await Promise.all(stores.map(store => store.close()))
      await assertOrder(redis.url, 'test')
    } finally {
      await Promise.all(stores.map(store => store.close()))
      await proxy.close()
      await redis.remove()
    }
  })
}

/** Tries until the call is answered by something else than that the store is away. */
export const persist = async <T>(call: () => Promise<T>): Promise<T> => {
  let answer: { value: T } | null = null
  await until('the call is answered', async () => {
    try {
      answer = { value: await call() }
      return true
    } catch (error) {
      if (isMadhavaError(error, 'STORE_UNAVAILABLE')) return false
      throw error
    }
  })
  assert.ok(answer)
  return (answer as { value: T }).value
}
