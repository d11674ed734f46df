// The taking side without a broker: what becomes of each message, and when the broker hears of it.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Ticket } from '../../../src/core/queue.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { createConsumer } from '../../../src/queues/rabbitmq/consumer.ts'
import { createFakeSession } from '../../support/fake-amqp.ts'
import { until } from '../../support/until.ts'

const OUTER = { timeout: 300_000 }
const ANNOUNCEMENT = JSON.stringify({ id: 'a-task', kind: 'k' })

const open = async (bury: () => Promise<void> = async () => {}) => {
  const tickets: Ticket[] = []
  const seen = { looks: 0, redelivered: 0, released: 0, reasons: [] as string[] }
  const consumer = createConsumer({
    queue: 'tasks',
    log: silentLog(),
    onRedelivered: () => void seen.redelivered++,
    bury(_message, reason) {
      seen.reasons.push(reason)
      return bury()
    },
    subscriber: {
      size: 1,
      offer: ticket => tickets.push(ticket),
      poll: () => void seen.looks++,
      // as a worker does with what it has not begun to use
      release() {
        seen.released += 1
        for (const ticket of tickets.splice(0)) ticket.giveBack()
      },
      stop: async () => {},
    },
  })
  const broker = createFakeSession()
  await consumer.attach(broker.session)
  return { consumer, broker, seen, tickets }
}
/** What follows without a clock has happened by then. */
const quiet = async (): Promise<void> => {
  for (let n = 0; n < 5; n += 1) await turn()
}

describe('a message that announces no task', () => {
  it('is acknowledged when it is kept aside, and not before', OUTER, async () => {
    let kept = () => {}
    const { broker, seen, tickets } = await open(() => new Promise(resolve => (kept = resolve)))
    broker.deliver('garbage')
    await quiet()
    assert.deepEqual([broker.answers, seen.reasons, tickets], [[], ['It is not JSON'], []])
    kept()
    await until('it is acknowledged', () => broker.answers.length > 0)
    assert.deepEqual(broker.answers, ['ack 1'])
  })

  it('that cannot be kept aside comes again, after a pause', OUTER, async t => {
    const { broker } = await open(() => Promise.reject(new Error('the dead queue is full')))
    t.mock.timers.enable({ apis: ['setTimeout'] })
    broker.deliver('garbage')
    await quiet()
    t.mock.timers.tick(1_999)
    await quiet()
    assert.deepEqual(broker.answers, [])
    t.mock.timers.tick(1)
    assert.deepEqual(broker.answers, ['nack 1'])
  })

  it('is no reason to answer on a connection that is over', OUTER, async () => {
    let kept = () => {}
    const { broker } = await open(() => new Promise(resolve => (kept = resolve)))
    broker.deliver('garbage')
    broker.end()
    kept()
    await quiet()
    assert.deepEqual(broker.answers, [])
  })
})

describe('a message that announces a task', () => {
  it('is answered as the worker says, and counted where it comes again', OUTER, async () => {
    const { broker, seen, tickets } = await open()
    broker.deliver(ANNOUNCEMENT)
    broker.deliver(ANNOUNCEMENT, { redelivered: true })
    await quiet()
    assert.deepEqual([broker.answers, tickets.length, seen.redelivered], [[], 2, 1])
    tickets[1]?.giveBack()
    tickets[0]?.settle()
    await until('both are answered', () => broker.answers.length === 2)
    assert.deepEqual(broker.answers, ['nack 2', 'ack 1'])
  })

  it(
    'goes back when the worker wants no more, after the consumer is gone: it would come again',
    OUTER,
    async () => {
      const { consumer, broker, seen } = await open()
      broker.deliver(ANNOUNCEMENT)
      consumer.want(false)
      assert.deepEqual(broker.answers, [])
      await until('it is given back', () => broker.answers.length === 1)
      assert.deepEqual([broker.answers, broker.isConsuming()], [['nack 1'], false])
      consumer.want(true)
      await until('it consumes again', () => broker.isConsuming())
      consumer.end()
      consumer.want(true)
      await until('it has ended', () => !broker.isConsuming())
      assert.equal(seen.released, 2)
    },
  )

  it('is looked for in the store after every connection that was lost', OUTER, async () => {
    const { consumer, broker, seen } = await open()
    assert.equal(seen.looks, 1)
    broker.deliver(ANNOUNCEMENT)
    broker.end()
    assert.deepEqual([seen.released, broker.answers], [1, []], 'the broker has it back already')
    const second = createFakeSession()
    await consumer.attach(second.session)
    assert.deepEqual([seen.looks, second.isConsuming()], [2, true])
  })
})

it('a consumer that the broker cancelled asks for a new session', OUTER, async () => {
  const { broker } = await open()
  broker.deliver(null)
  assert.deepEqual(broker.failures, ['the broker cancelled the consumer'])
})

describe('a consumer that has ended', () => {
  it('takes no more messages, whatever is asked of it, on the next connection too', OUTER, async () => {
    const { consumer, broker } = await open()
    assert.equal(broker.isConsuming(), true)
    consumer.end()
    await until('it consumes no more', () => !broker.isConsuming())
    consumer.want(true)
    await quiet()
    assert.equal(broker.isConsuming(), false)
    const next = createFakeSession()
    await consumer.attach(next.session)
    consumer.want(true)
    await quiet()
    assert.equal(next.isConsuming(), false)
  })
})
