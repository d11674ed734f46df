import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import { connect } from 'amqplib'
import type { TaskQueue } from '../../../src/core/queue.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { createMemory } from '../../../src/stores/memory/open.ts'
import { openSlots } from '../../../src/worker/slots.ts'
import { placesSuite } from '../../suites/places.ts'
import { queueSuite } from '../../suites/queue.ts'
import { createPile, createRabbitBench, ready } from '../../support/rabbit-bench.ts'
import { takenUntil } from '../../support/taken.ts'
import { until } from '../../support/until.ts'

const { skip, broker, open, freshName, settled } = createRabbitBench()
const empty = (queue: TaskQueue) =>
  until('the queue is empty', async () => (await queue.depth()) === 0, 60_000)

queueSuite('rabbitmq', {
  skip,
  world: async () => {
    const name = freshName()
    const pile = createPile()
    const members: TaskQueue[] = []
    return {
      join: async () => {
        const queue = open(name)
        members.push(queue)
        return {
          queue,
          create: async () => pile.add(null),
          claim: async () => pile.claim(),
          finish: async () => {},
        }
      },
      close: async () => {
        await Promise.all(members.map(queue => queue.close()))
      },
    }
  },
})

placesSuite('memory store, RabbitMQ', {
  skip,
  world: async () => {
    const memory = createMemory()
    const name = freshName()
    return {
      open: async () => memory.open({ clock: () => new Date() }),
      queue: () => open(name),
      end: async () => {},
    }
  },
})

describe('the queue rabbitmq, against a broker with faults', () => {
  const promise = (title: string, check: () => Promise<void>) => it(title, { skip, timeout: 600_000 }, check)

  promise('makes a durable quorum queue, and its messages carry the task id', async () => {
    const name = freshName()
    const queue = open(name)
    queue.announce({ id: 'a-task', kind: 'k' })
    assert.equal(await queue.flush(60_000), true)
    assert.match(
      await broker().ctl('list_queues', 'name', 'type', 'durable', '--silent'),
      new RegExp(`${name}\tquorum\ttrue`),
    )
    const connection = await connect(broker().url)
    const channel = await connection.createChannel()
    const message = await channel.get(name, { noAck: true })
    assert.ok(message)
    assert.equal(message.properties.messageId, 'a-task')
    assert.equal(message.properties.deliveryMode, 2)
    assert.deepEqual(JSON.parse(message.content.toString()), { id: 'a-task', kind: 'k' })
    await connection.close()
  })

  promise('acknowledges a long task after a while, and the task runs on', async () => {
    const name = freshName()
    const queue = open(name)
    await ready(queue)
    let end = () => {}
    const long = new Promise<void>(resolve => {
      end = resolve
    })
    const pile = createPile()
    let running = 0
    openSlots(queue, {
      log: silentLog(),
      slots: 1,
      holdMs: 300,
      take: async () => {
        if (pile.claim() === null) return null
        running++
        return takenUntil(long.then(() => void running--))
      },
    })
    await ready(queue)
    pile.add(queue)
    await until('it runs', () => running === 1)
    await settled(name)
    assert.equal(running, 1)
    end()
    await until('it ended', () => running === 0)
  })

  promise('uses a classic queue that exists, as it is', async () => {
    const name = freshName()
    const connection = await connect(broker().url)
    const channel = await connection.createChannel()
    await channel.assertQueue(name, { durable: true })
    await connection.close()
    const queue = open(name)
    const pile = createPile()
    pile.work(queue, 2, 1)
    for (let i = 0; i < 20; i++) pile.add(queue)
    await until('all ran', () => pile.ended.length === 20)
    assert.match(
      await broker().ctl('list_queues', 'name', 'type', '--silent'),
      new RegExp(`${name}\tclassic`),
    )
  })

  promise('makes the queue again when it was deleted, for the consumer and for the announcer', async () => {
    const name = freshName()
    const [api, worker] = [open(name), open(name)]
    const pile = createPile()
    const { handle } = pile.work(worker, 2, 1)
    await ready(api, worker)
    await broker().ctl('delete_queue', name)
    for (let i = 0; i < 20; i++) pile.add(api)
    await until('all ran', () => pile.ended.length === 20)
    assert.equal(await api.flush(30_000), true)
    await handle.stop()
    // nobody consumes now, so that only the announcer can notice
    await broker().ctl('delete_queue', name)
    // the broker closes the channel that asks along with its answer
    assert.equal(await api.depth(), null)
    pile.add(api)
    assert.equal(await api.flush(30_000), true)
    await until('the message is there', async () => (await api.depth()) === 1)
  })

  promise(
    'says what is wrong with a password, without showing it, and recovers when it is mended',
    async () => {
      await broker().ctl('add_user', 'someone', 'right-one')
      await broker().ctl('set_permissions', 'someone', '.*', '.*', '.*')
      const wrong = broker().url.replace('guest:guest', 'someone:wr%2Fong-one')
      const queue = open(freshName(), { urls: [wrong] })
      const pile = createPile()
      pile.work(queue, 1, 1)
      pile.add(queue)
      await until('a reason', () => /password/.test(queue.state().reason ?? ''), 60_000)
      const { status, reason, outbox } = queue.state()
      assert.equal(status, 'connecting')
      assert.equal(outbox, 1)
      assert.doesNotMatch(reason ?? '', /ong-one/)
      assert.equal(await queue.depth(), null)
      assert.equal(await queue.flush(50), false)
      await broker().ctl('change_password', 'someone', 'wr/ong-one')
      await ready(queue)
      assert.equal(await queue.flush(30_000), true)
      await empty(queue)
    },
  )

  promise('tries the next URL when one does not answer', async () => {
    const queue = open(freshName(), { urls: ['amqp://127.0.0.1:1/', broker().url] })
    queue.announce({ id: randomUUID(), kind: 'test' })
    assert.equal(await queue.flush(60_000), true)
  })

  promise('is `blocked` while the broker is short of memory, and flows on afterwards', async () => {
    const name = freshName()
    const [api, worker] = [open(name, { confirmTimeoutMs: 500 }), open(name)]
    const pile = createPile()
    pile.work(worker, 2, 1)
    await ready(api, worker)
    await broker().ctl('set_vm_memory_high_watermark', '0.0000001')
    try {
      pile.add(api)
      await until('it is blocked', () => api.state().status === 'blocked', 60_000)
      assert.match(api.state().reason ?? '', /memory/)
      assert.equal(await api.flush(1_500), false)
      assert.equal(api.state().status, 'blocked', 'a blocked broker was given up')
    } finally {
      await broker().ctl('set_vm_memory_high_watermark', '0.4')
    }
    await ready(api)
    assert.equal(await api.flush(30_000), true)
    await until('it ran', () => pile.ended.length === 1)
    await empty(worker)
  })

  promise('notices a frozen broker by its heartbeat, and works on when it thaws', async () => {
    const name = freshName()
    const [api, worker] = [open(name, { heartbeatSeconds: 1 }), open(name, { heartbeatSeconds: 1 })]
    const pile = createPile()
    pile.work(worker, 2, 1)
    await ready(api, worker)
    await broker().pause()
    try {
      pile.add(api)
      await until(
        'both notice',
        () => [api, worker].every(queue => queue.state().status === 'connecting'),
        30_000,
      )
      assert.equal(await api.depth(), null)
      for (let i = 0; i < 10; i++) pile.add(api)
      assert.ok(api.state().outbox >= 11)
      const closing = open(name)
      const began = performance.now()
      await closing.close()
      assert.ok(performance.now() - began < 5_000, 'close() waited for a frozen broker')
    } finally {
      broker().resume()
    }
    await until('all ran', () => pile.ended.length === 11, 60_000)
    await ready(api, worker)
  })

  promise(
    'a broker killed while tasks run: what is announced meanwhile follows, nothing is lost',
    async () => {
      const name = freshName()
      const [api, worker, other] = [open(name), open(name), open(name)]
      const pile = createPile()
      pile.work(worker, 2, 20)
      pile.work(other, 2, 20)
      await ready(api, worker, other)
      await broker().registered(name)
      for (let i = 0; i < 50; i++) pile.add(api)
      await until('some ran', () => pile.ended.length > 5)
      await broker().kill()
      await until('it is noticed', () => api.state().status === 'connecting')
      assert.match(api.state().reason ?? '', /127\.0\.0\.1/)
      for (let i = 0; i < 50; i++) pile.add(api)
      assert.equal(await api.flush(50), false)
      await broker().start()
      assert.equal(await api.flush(60_000), true)
      await until('all ran', () => pile.ended.length === 100, 60_000)
      await ready(api, worker, other)
      await settled(name)
    },
  )

  promise('a broker that lost all its data works on, and a look finds what lost its message', async () => {
    const name = freshName()
    const api = open(name)
    const pile = createPile()
    await ready(api)
    for (let i = 0; i < 10; i++) pile.add(api)
    assert.equal(await api.flush(30_000), true)
    // blocked by a broker that never says that it takes messages again: the next one takes them
    const blocked = open(freshName())
    await ready(blocked)
    await broker().ctl('set_vm_memory_high_watermark', '0.0000001')
    blocked.announce({ id: randomUUID(), kind: 'test' })
    await until('it is blocked', () => blocked.state().status === 'blocked', 60_000)
    await broker().kill()
    await broker().wipe()
    await broker().start()
    await ready(api, blocked)
    assert.equal(await blocked.flush(30_000), true)
    assert.equal(await api.depth(), 0)
    const worker = open(name)
    pile.work(worker, 2, 1)
    await until('what was announced before ran', () => pile.ended.length === 10)
    await ready(worker)
    for (let i = 0; i < 10; i++) pile.add(api)
    await until('what is announced now ran', () => pile.ended.length === 20)
    await settled(name)
  })

  promise('an orderly stop of the broker is survived too; close() while it is away is quick', async () => {
    const name = freshName()
    const [api, closing] = [open(name), open(name)]
    await ready(api, closing)
    await broker().stop()
    await until('it is noticed', () => [api, closing].every(queue => queue.state().status === 'connecting'))
    closing.announce({ id: randomUUID(), kind: 'test' })
    const began = performance.now()
    await closing.close()
    assert.ok(performance.now() - began < 5_000, 'close() waited for a broker that is away')
    assert.equal(api.state().status, 'connecting')
  })
})
