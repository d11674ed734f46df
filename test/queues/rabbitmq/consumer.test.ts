// The taking side without a broker: what becomes of each message, and when the broker hears of it.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { TakenTask } from '../../../src/core/queue.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { createConsumer } from '../../../src/queues/rabbitmq/consumer.ts'
import { createFakeSession } from '../../support/fake-amqp.ts'
import { until } from '../../support/until.ts'

const OUTER = { timeout: 60_000 }
const ANNOUNCEMENT = JSON.stringify({ id: 'a-task', kind: 'k' })

const open = async (
  t: TestContext,
  { take = async () => null, bury = async () => {} }: Partial<Parameters<typeof createConsumer>[0]> = {},
) => {
  const seen = { takes: 0, redelivered: 0 }
  const consumer = createConsumer({
    queue: 'tasks',
    log: silentLog(),
    ackHoldMs: 60_000,
    slots: 1,
    onRedelivered: () => void seen.redelivered++,
    bury,
    take(ahead) {
      seen.takes += 1
      return take(ahead)
    },
  })
  t.after(() => consumer.handle.stop())
  const broker = createFakeSession()
  await consumer.attach(broker.session)
  // the look at the start
  await until('it has looked', () => seen.takes === 1)
  await turn()
  return { consumer, broker, seen }
}

describe('a message that announces no task', () => {
  it('is acknowledged when it is kept aside, and not before', OUTER, async t => {
    let kept = () => {}
    const reasons: string[] = []
    const { broker, seen } = await open(t, {
      bury: (_message, reason) =>
        new Promise(resolve => {
          reasons.push(reason)
          kept = resolve
        }),
    })
    broker.deliver('garbage')
    await turn()
    await turn()
    assert.deepEqual([broker.answers, reasons], [[], ['It is not JSON']])
    kept()
    await until('it is acknowledged', () => broker.answers.length > 0)
    assert.deepEqual(broker.answers, ['ack 1'])
    assert.equal(seen.takes, 1, 'it led to a look')
  })

  it('that cannot be kept aside comes again, after a pause', OUTER, async t => {
    const { broker } = await open(t, { bury: () => Promise.reject(new Error('the dead queue is full')) })
    t.mock.timers.enable({ apis: ['setTimeout'] })
    broker.deliver('garbage')
    await turn()
    await turn()
    t.mock.timers.tick(1_999)
    await turn()
    assert.deepEqual(broker.answers, [])
    t.mock.timers.tick(1)
    assert.deepEqual(broker.answers, ['nack 1'])
  })

  it('is no reason to answer on a connection that is over', OUTER, async t => {
    let kept = () => {}
    const { broker } = await open(t, { bury: () => new Promise(resolve => (kept = resolve)) })
    broker.deliver('garbage')
    broker.end()
    kept()
    await turn()
    await turn()
    assert.deepEqual(broker.answers, [])
  })
})

describe('a message that announces a task', () => {
  it('is acknowledged when its task has ended, and counted where it comes again', OUTER, async t => {
    let end = () => {}
    const task = (): TakenTask => {
      const done = new Promise<void>(resolve => (end = resolve))
      return { done, free: done.then(() => 1) }
    }
    let there = 0
    const { broker, seen } = await open(t, { take: async () => (there-- > 0 ? task() : null) })
    there = 1
    broker.deliver(ANNOUNCEMENT, { redelivered: true })
    await turn()
    assert.deepEqual([broker.answers, seen], [[], { takes: 2, redelivered: 1 }])
    end()
    await until('it is acknowledged', () => broker.answers.length > 0)
    assert.deepEqual(broker.answers, ['ack 1'])
  })

  it(
    'is given back by a worker that is full, which then asks for no more until a slot is free',
    OUTER,
    async t => {
      let end = () => {}
      let there = 0
      const { broker } = await open(t, {
        take: async () => {
          if (there-- <= 0) return null
          const done = new Promise<void>(resolve => (end = resolve))
          return { done, free: done.then(() => 1) }
        },
      })
      there = 1
      broker.deliver(ANNOUNCEMENT)
      await turn()
      broker.deliver(ANNOUNCEMENT)
      await until('it consumes no longer', () => !broker.isConsuming())
      await until('the second is given back', () => broker.answers.length === 1)
      assert.deepEqual(broker.answers, ['nack 2'])
      end()
      await until('it consumes again', () => broker.isConsuming())
      assert.deepEqual(broker.answers, ['nack 2', 'ack 1'])
    },
  )
})

it('a consumer that the broker cancelled asks for a new session', OUTER, async t => {
  const { broker } = await open(t)
  broker.deliver(null)
  assert.deepEqual(broker.failures, ['the broker cancelled the consumer'])
})
