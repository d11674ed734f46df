// A failover: master, replica and Sentinel of the test's own. The master is killed, the replica takes its place, and the
// stores go on with it; the old master comes back as a replica.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { report, succeed } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { openRedisStore } from '../../../src/stores/redis/open.ts'
import { add, at, caughtUp, details, follow, read, refused, take } from '../../suites/store/world.ts'
import { type PrivateRedis, startRedis } from '../../support/redis.ts'
import { assertOrder } from '../../support/redis-order.ts'
import { requireService } from '../../support/services.ts'
import { placeOf } from '../../support/store-place.ts'
import { until } from '../../support/until.ts'

const LOGIN = { requirepass: 'secret', masterauth: 'secret' }
const CLI = ['-a', 'secret', '--no-auth-warning']

describe('the Redis store and Sentinel', { skip: requireService('redis') }, () => {
  let master: PrivateRedis
  let replica: PrivateRedis
  let sentinel: PrivateRedis
  before(async () => {
    master = await startRedis({ settings: { ...LOGIN, appendonly: 'yes' }, cliArgs: CLI })
    replica = await startRedis({
      settings: { ...LOGIN, replicaof: `127.0.0.1 ${master.port}` },
      cliArgs: CLI,
    })
    sentinel = await startRedis({
      mode: 'sentinel',
      settings: {
        'sentinel monitor': `mymaster 127.0.0.1 ${master.port} 1`,
        'sentinel auth-pass': 'mymaster secret',
        'sentinel down-after-milliseconds': 'mymaster 1000',
        'sentinel failover-timeout': 'mymaster 5000',
      },
    })
    await until('the Sentinel knows both', async () => {
      const replicas = await sentinel.cli('SENTINEL', 'replicas', 'mymaster')
      const link = await replica.cli('INFO', 'replication')
      return replicas.includes(String(replica.port)) && link.includes('master_link_status:up')
    })
  })
  after(() => Promise.all([master, replica, sentinel].map(server => server?.remove())))

  it('goes on with the new master, with all that it had', { timeout: 300_000 }, async () => {
    const place = placeOf(`redis+sentinel://:secret@127.0.0.1:${sentinel.port}/mymaster`)
    const open = (): Promise<TaskStore> =>
      openRedisStore({ place, prefix: 'test', clock: () => new Date(), log: silentLog() })
    const [store, other] = [await open(), await open()]
    try {
      await store.announce({ role: 'worker', details: () => details() })
      const held = await take(store, (await add(store)).id)
      await store.putBlob(held.id, 'checkpoint.bin', randomBytes(400_000))
      const made = await Promise.all(Array.from({ length: 20 }, async () => (await add(store)).id))
      const follower = follow(other, await other.cursor())
      await master.cli('WAIT', '1', '10000')
      await master.kill()
      await refused(() => add(store), 'STORE_UNAVAILABLE')
      await until(
        'the stores work again',
        () =>
          store.check().then(
            () => true,
            () => false,
          ),
        60_000,
      )
      assert.match(await replica.cli('ROLE'), /^master/)
      await until('the other one too', () =>
        other.check().then(
          () => true,
          () => false,
        ),
      )
      for (const id of made) assert.ok(await other.get(id))
      // nobody died of it
      assert.deepEqual((await other.agenda(at(3), 10)).orphaned, [])
      const progress = report({ percent: 50, note: null, etaSeconds: null }, null, at(2))
      assert.equal((await store.move(held.id, held.claim, progress)).status, 'PROGRESS')
      const done = await store.move(held.id, held.claim, succeed(1, null, at(3)))
      await caughtUp(follower, other, [held.id])
      await follower.stop()

      // the old master comes back, and is told that it is one no more
      await master.start()
      // a Sentinel that makes it one cuts its clients off, this one too
      const isReplica = (): Promise<boolean> =>
        master.cli('ROLE').then(
          role => role.startsWith('slave'),
          () => false,
        )
      await until('it is a replica', isReplica)
      await add(other)
      assert.deepEqual(await read(store, held.id), done)
      const direct = placeOf(`redis://:secret@127.0.0.1:${master.port}`)
      await assert.rejects(
        openRedisStore({ place: direct, prefix: 'test', clock: () => new Date(), log: silentLog() }),
        /read-only replica/,
      )
    } finally {
      await Promise.all([store.close(), other.close()])
    }
    await assertOrder(`redis://:secret@127.0.0.1:${replica.port}`, 'test')
  })

  it('says so when no Sentinel knows the master', { timeout: 300_000 }, async () => {
    for (const at of [`127.0.0.1:${sentinel.port}/unknown`, `127.0.0.1:1/mymaster`])
      await assert.rejects(
        openRedisStore({
          place: placeOf(`redis+sentinel://:secret@${at}`),
          prefix: 'test',
          clock: () => new Date(),
          log: silentLog(),
          patienceMs: 500,
        }),
        /No Sentinel of STORE_URL can be reached, or none knows the master/,
      )
  })
})
