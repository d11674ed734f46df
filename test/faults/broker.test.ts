// A broker that is killed, frozen, or loses all it knew, with tasks waiting and running.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { isFinal } from '../../src/core/task.ts'
import { type Rabbit, startRabbit } from '../support/rabbitmq.ts'
import { requireService } from '../support/services.ts'
import { until } from '../support/until.ts'
import { openWorld, type World } from './cluster.ts'

const skip = requireService('rabbitmq')
const LIMIT = { skip, timeout: 600_000 }
const LONG = process.env.FAULTS_LONG === '1'

describe('a broker that fails', { timeout: 600_000 }, () => {
  let rabbit: Rabbit
  let world: World
  before(async () => {
    if (skip) return
    rabbit = await startRabbit()
    // the heartbeat is a user's to choose, in the URL; the default of 10 s would only be slower
    world = await openWorld({ amqpUrl: `${rabbit.url}?heartbeat=1`, brokerUrl: rabbit.url })
    await world.mended()
    await rabbit.registered('madhava')
  })
  after(async () => {
    await world?.close()
    await rabbit?.remove()
  })

  it('holds nothing of tasks that wait for a retry or for their time', LIMIT, async () => {
    const later = new Date(Date.now() + 86_400_000).toISOString()
    const ids = [
      await world.submit({ failures: 9 }, { retry: { delaySeconds: 3_600 } }),
      await world.submit({}, { notBefore: later }),
    ]
    for (const id of ids) world.want(id, 'REVOKED')
    await until(
      'the first attempt has failed',
      async () => (await world.get(ids[0] ?? '')).status === 'RETRY',
    )
    assert.equal(await world.api.queue.flush(30_000), true)
    await until('the broker holds no message', async () => (await world.inspect())?.messages === 0)
    for (const id of ids) assert.deepEqual(await world.cancel(id), { status: 200, says: 'revoked' })
    await world.mended()
  })

  it(
    'sees workers end and come under load: each message comes back at most once for each of them',
    LIMIT,
    async () => {
      for (let n = 0; n < 100; n++) await world.submit({ ms: 10 })
      let redelivered = 0
      for (let times = 0; times < 3; times++) {
        redelivered += world.counters().redelivered ?? 0
        await world.dismiss()
        await world.hire(2)
      }
      await world.mended()
      redelivered += world.counters().redelivered ?? 0
      // 64 on hand of each of two workers, three times
      assert.ok(redelivered <= 3 * 2 * 64, `${redelivered} redeliveries`)
      for (const { attempt } of await world.all()) assert.ok(attempt <= 1)
    },
  )

  // the sample kills it once, with its data; test/queues and test/e2e kill it without that too
  if (LONG)
    it(
      'killed and started again, under load: submits are accepted, /readyz says so, all run once',
      LIMIT,
      async () => {
        const stop = world.load()
        await rabbit.kill()
        await world.degraded('queue', /does the broker run/)
        const during = await world.submit()
        // with the broker away workers look into the store by themselves
        await until('a task runs with the broker away', async () => isFinal((await world.get(during)).status))
        await rabbit.start()
        await stop()
        await world.mended()
      },
    )

  it('frozen: noticed by its heartbeat, worked around, and used again when it thaws', LIMIT, async () => {
    const stop = world.load()
    await rabbit.pause()
    try {
      await world.degraded('queue', /\w/)
      const during = await world.submit()
      await until('a task runs meanwhile', async () => isFinal((await world.get(during)).status))
    } finally {
      rabbit.resume()
    }
    await stop()
    await world.mended()
  })

  it(
    'its data deleted while tasks wait: every one has run within a minute of its return',
    LIMIT,
    async () => {
      // all slots busy for longer than the broker is away, and the rest waits in its queue
      for (let n = 0; n < 4; n++) await world.submit({ ms: 12_000 }, { priority: 9 })
      for (let n = 0; n < 60; n++) await world.submit({ ms: 20 })
      assert.equal(await world.api.queue.flush(30_000), true)
      const waiting = await world.inspect()
      assert.ok(waiting && waiting.messages > 20, JSON.stringify(waiting))
      await rabbit.kill()
      await rabbit.wipe()
      await rabbit.start()
      const back = performance.now()
      await world.allDone(60_000)
      assert.ok(performance.now() - back < 60_000)
      await world.mended()
    },
  )
})
