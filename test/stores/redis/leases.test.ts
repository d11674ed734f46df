// Who is dead and who is not, on Redis's clock: a process that was cut off loses what it held and cannot harm its
// successor; nobody dies because Redis itself was away or its clock jumped. Time is made to pass in Redis's own data.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { report, start, succeed, takeOver } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { createSharedClock } from '../../../src/platform/shared-clock.ts'
import { openRedisStore } from '../../../src/stores/redis/open.ts'
import { add, at, details, read, refused, take } from '../../suites/store/world.ts'
import { type PrivateRedis, startRedis } from '../../support/redis.ts'
import { assertOrder } from '../../support/redis-order.ts'
import { requireService } from '../../support/services.ts'
import { placeOf } from '../../support/store-place.ts'
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts'
import { until } from '../../support/until.ts'

const progress = (percent: number) => report({ percent, note: null, etaSeconds: null }, percent, at(2))

describe('leases of the Redis store', { skip: requireService('redis') }, () => {
  let redis: PrivateRedis
  let proxy: TcpProxy
  before(async () => {
    redis = await startRedis()
    proxy = await startTcpProxy({ port: redis.port })
  })
  after(async () => {
    await proxy?.close()
    await redis?.remove()
  })

  const promise = (
    title: string,
    body: (world: {
      open(port?: number): Promise<TaskStore>
      /** The last beat of these was so much longer ago. */
      pass(stores: readonly TaskStore[], ms: number): Promise<void>
      prefix: string
    }) => Promise<void>,
  ): void => {
    it(title, { timeout: 300_000 }, async () => {
      const prefix = `t${randomBytes(4).toString('hex')}`
      const stores: TaskStore[] = []
      try {
        await body({
          prefix,
          async open(port = redis.port) {
            const place = placeOf(`redis://127.0.0.1:${port}`)
            const store = await openRedisStore({ place, prefix, clock: () => new Date(), log: silentLog() })
            stores.push(store)
            return store
          },
          async pass(some, ms) {
            for (const { instance } of some)
              await redis.cli('ZINCRBY', `${prefix}:beats`, String(-ms), instance)
          },
        })
      } finally {
        await Promise.all(stores.map(store => store.close()))
      }
      await assertOrder(redis.url, prefix)
    })
  }

  promise(
    'a process that is cut off for longer than a lease is taken over, and cannot overwrite its successor',
    async ({ open, pass }) => {
      const [cutOff, other] = [await open(proxy.port), await open()]
      await cutOff.announce({ role: 'worker', details: () => details() })
      const { id } = await add(other)
      const late = await take(cutOff, id)
      await cutOff.putBlob(id, 'checkpoint.bin', Buffer.from('of the first'))
      proxy.stall()
      await pass([cutOff], 20_000)
      assert.deepEqual((await other.agenda(at(3), 10)).orphaned, [id])
      assert.equal(
        (await other.presences()).find(({ alive }) => alive),
        undefined,
      )
      assert.equal((await other.claim(id, takeOver(at(3))))?.status, 'PENDING')
      const second = await take(other, id)
      await other.putBlob(id, 'result.txt', Buffer.from('of the second'))
      proxy.resume()
      // it has not heard of it, and writes on
      await until('it is heard again', () =>
        cutOff.check().then(
          () => true,
          () => false,
        ),
      )
      await refused(() => cutOff.putBlob(id, 'result.txt', Buffer.from('of the first')), 'CLAIM_LOST')
      await refused(() => cutOff.move(id, late.claim, succeed('first', null, at(4))), 'CLAIM_LOST')
      await refused(() => cutOff.putBlob(id, 'result.txt', Buffer.alloc(600_000)), 'CLAIM_LOST')
      await refused(() => cutOff.removeBlob(id, 'result.txt'), 'CLAIM_LOST')
      const blob = await other.getBlob(id, 'result.txt')
      assert.equal(Buffer.concat((await blob?.stream.toArray()) ?? []).toString(), 'of the second')
      const done = await other.move(id, second.claim, succeed('second', null, at(5)))
      assert.deepEqual([done.status, done.result, done.attempt], ['SUCCESS', 'second', 2])
      // and it is alive again, and may work
      assert.equal((await other.presences()).find(({ alive }) => alive)?.instance, cutOff.instance)
      const next = await add(other)
      assert.equal((await take(cutOff, next.id)).claim, 1)
    },
  )

  promise('a process that was cut off and is back does not take over from itself', async ({ open, pass }) => {
    const [one, other] = [await open(), await open()]
    const { id } = await add(one)
    const held = await take(one, id)
    await pass([one], 20_000)
    assert.deepEqual((await one.agenda(at(3), 10)).orphaned, [])
    assert.deepEqual((await other.agenda(at(3), 10)).orphaned, [])
    assert.equal((await one.move(id, held.claim, progress(5))).status, 'PROGRESS')
  })

  promise('a beat that is late by less than a lease costs nothing', async ({ open, pass }) => {
    const [one, other] = [await open(), await open()]
    const { id } = await add(one)
    const held = await take(one, id)
    await pass([one], 12_000)
    assert.deepEqual((await other.agenda(at(3), 10)).orphaned, [])
    assert.equal(await other.claim(id, takeOver(at(3))), null)
    assert.equal((await one.move(id, held.claim, progress(5))).status, 'PROGRESS')
  })

  promise(
    'nobody is judged when nobody could beat: Redis was away, or its clock jumped',
    async ({ open, pass }) => {
      const stores = [await open(), await open(), await open()]
      const [one, other] = stores
      assert.ok(one && other)
      const { id } = await add(one)
      const held = await take(one, id)
      await pass(stores, 3_600_000)
      for (const store of stores) {
        assert.equal(await store.claim(id, takeOver(at(3))), null)
        assert.deepEqual((await store.agenda(at(3), 10)).orphaned, [])
      }
      assert.equal((await one.move(id, held.claim, progress(5))).status, 'PROGRESS')
    },
  )

  promise('a clock that went back makes no dead process live on', async ({ open, pass, prefix }) => {
    const [one, other] = [await open(), await open()]
    const { id } = await add(one)
    await take(one, id)
    await pass([one], -3_600_000)
    await other.agenda(at(3), 10)
    const [seconds = 0, micros = 0] = (await redis.cli('TIME')).split('\n').map(Number)
    const beat = Number(await redis.cli('ZSCORE', `${prefix}:beats`, one.instance))
    assert.ok(beat <= seconds * 1000 + micros / 1000 + 1_000)
    await pass([one], 20_000)
    assert.deepEqual((await other.agenda(at(3), 10)).orphaned, [id])
  })

  promise('limits of a kind do not count what the cut off held', async ({ open, pass }) => {
    const [cutOff, other] = [await open(), await open()]
    await add(other)
    await add(other)
    const wanted = {
      kinds: ['adding'],
      now: at(5),
      limits: { adding: { maxConcurrency: 1, rate: null } },
    }
    assert.ok(await cutOff.claimNext(wanted, start('w', at(5))))
    assert.equal(await other.claimNext(wanted, start('w', at(5))), null)
    await pass([cutOff], 20_000)
    assert.ok(await other.claimNext(wanted, start('w', at(5))))
  })

  promise(
    'a holder that Redis has forgotten writes nothing once another has begun the task under the same number',
    async ({ open, prefix }) => {
      const lag = await startTcpProxy({ port: redis.port })
      try {
        const [first, second] = [await open(proxy.port), await open(lag.port)]
        const { id } = await add(second)
        const ready = `${prefix}:ready:adding`
        const score = await redis.cli('ZSCORE', ready, id)
        /** What it begins is not shown yet: Redis hears no more of it. */
        const begin = async (store: TaskStore, by: TcpProxy) => {
          const task = await store.claimNext({ kinds: ['adding'], now: at(5) }, found => {
            by.stall('up')
            return start('w', at(5))(found)
          })
          assert.equal(task?.id, id)
          return task?.claim ?? 0
        }
        const claim = await begin(first, proxy)
        // as a failover leaves it that lost the last second
        await redis.cli('HDEL', `${prefix}:holders`, id)
        await redis.cli('SREM', `${prefix}:held:${first.instance}`, id)
        await redis.cli('ZADD', ready, score, id)
        assert.equal(await begin(second, lag), claim)
        proxy.resume()
        await refused(() => first.move(id, claim, succeed('first', null, at(6))), 'CLAIM_LOST')
        await refused(() => first.putBlob(id, 'result.txt', Buffer.from('of the first')), 'CLAIM_LOST')
        assert.equal(await redis.cli('HGET', `${prefix}:holders`, id), second.instance)
        lag.resume()
        const done = await second.move(id, claim, succeed('second', null, at(7)))
        assert.deepEqual([done.result, (await read(first, id)).result], ['second', 'second'])
      } finally {
        await lag.close()
      }
    },
  )

  promise(
    'a process that has left is not brought back by a beat that comes after',
    async ({ open, prefix }) => {
      const [gone, other] = [await open(), await open()]
      await gone.announce({ role: 'worker', details: () => details() })
      const { id } = await add(other)
      await take(gone, id)
      // one that is on its way when it leaves, and those that its calls send later
      const late = gone.agenda(at(3), 10)
      await gone.leave()
      await late
      await gone.agenda(at(3), 10)
      await gone.announce({ role: 'worker', details: () => details() })
      assert.deepEqual(await other.presences(), [])
      assert.equal(await redis.cli('ZSCORE', `${prefix}:beats`, gone.instance), '')
      assert.deepEqual((await other.agenda(at(3), 10)).orphaned, [id])
      assert.equal((await other.claim(id, takeOver(at(3))))?.status, 'PENDING')
    },
  )

  promise("hosts whose clocks disagree use Redis's", async ({ open, prefix }) => {
    const skewed = createSharedClock(() => Date.now() - 600_000)
    const store = await openRedisStore({
      place: placeOf(redis.url),
      prefix,
      clock: skewed.now,
      sharedClock: skewed,
      log: silentLog(),
    })
    const other = await open()
    await store.announce({ role: 'worker', details: () => details() })
    await other.announce({ role: 'api', details: () => details() })
    assert.ok(Math.abs(skewed.now().getTime() - Date.now()) < 10_000)
    for (const { alive, beatAt } of await other.presences()) {
      assert.ok(alive)
      assert.ok(Math.abs(Date.parse(beatAt) - Date.now()) < 10_000)
    }
    const { id } = await add(store)
    assert.equal((await read(other, id)).status, 'PENDING')
    await store.close()
  })
})
