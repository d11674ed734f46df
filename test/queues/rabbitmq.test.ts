import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'amqplib'
import type { TaskQueue } from '../../src/core/queue.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createRabbitQueue, type RabbitQueueOptions } from '../../src/queues/rabbitmq.ts'
import { queueSuite } from '../suites/queue.ts'
import { type Rabbit, startRabbit } from '../support/rabbitmq.ts'
import { requireService } from '../support/services.ts'
import { until } from '../support/until.ts'

const skip = requireService('rabbitmq')
let rabbit: Rabbit
const opened: TaskQueue[] = []

before(
  async () => {
    if (skip === false) rabbit = await startRabbit()
  },
  { timeout: 200_000 },
)
after(async () => {
  await Promise.all(opened.map(queue => queue.close()))
  if (skip === false) await rabbit.remove()
})

const open = (queue: string, change: Partial<RabbitQueueOptions> = {}): TaskQueue => {
  const made = createRabbitQueue({ urls: [rabbit.url], queue, log: silentLog(), ...change })
  opened.push(made)
  return made
}

let names = 0
const freshName = () => `queue-${++names}`

/** Tasks that wait, as the store would have them; a task that is done is counted. */
const createPile = () => {
  const waiting = new Set<string>()
  const ended: string[] = []
  return {
    waiting,
    ended,
    add(queue: TaskQueue | null): string {
      const id = randomUUID()
      waiting.add(id)
      queue?.announce({ id, kind: 'test' })
      return id
    },
    claim(): string | null {
      const [id] = waiting
      if (id === undefined) return null
      waiting.delete(id)
      return id
    },
    /** Works on a queue: each task takes `ms`. */
    work(queue: TaskQueue, slots: number, ms: number) {
      const counts = { takes: 0 }
      const handle = queue.work({
        slots,
        take: async () => {
          counts.takes++
          const id = this.claim()
          return id === null ? null : { done: sleep(ms).then(() => void ended.push(id)) }
        },
      })
      return { handle, counts }
    },
  }
}

const ready = (...queues: TaskQueue[]) =>
  until('the queues are ready', () => queues.every(queue => queue.state().status === 'ready'), 60_000)
const empty = (queue: TaskQueue) =>
  until('the queue is empty', async () => (await queue.depth()) === 0, 60_000)
/** Nothing waits, and nothing is unacknowledged. */
const settled = (name: string) =>
  until(
    `${name} holds nothing`,
    async () => {
      const rows = (await rabbit.ctl('list_queues', 'name', 'messages', '--silent')).trim().split('\n')
      return rows.some(row => row.trim() === `${name}\t0`)
    },
    60_000,
  )

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

describe('the queue rabbitmq, against a broker with faults', () => {
  const promise = (title: string, check: () => Promise<void>) => it(title, { skip, timeout: 240_000 }, check)

  promise('makes a durable quorum queue, and its messages carry the task id', async () => {
    const name = freshName()
    const queue = open(name)
    queue.announce({ id: 'a-task', kind: 'k' })
    assert.equal(await queue.flush(60_000), true)
    assert.match(
      await rabbit.ctl('list_queues', 'name', 'type', 'durable', '--silent'),
      new RegExp(`${name}\tquorum\ttrue`),
    )
    const connection = await connect(rabbit.url)
    const channel = await connection.createChannel()
    const message = await channel.get(name, { noAck: true })
    assert.ok(message)
    assert.equal(message.properties.messageId, 'a-task')
    assert.equal(message.properties.deliveryMode, 2)
    assert.deepEqual(JSON.parse(message.content.toString()), { id: 'a-task', kind: 'k' })
    await connection.close()
  })

  promise('acknowledges whatever a foreign client sends, after a look in the store', async () => {
    const name = freshName()
    const queue = open(name)
    const pile = createPile()
    const { counts } = pile.work(queue, 2, 1)
    await ready(queue)
    const connection = await connect(rabbit.url)
    const channel = await connection.createConfirmChannel()
    const garbage = [
      Buffer.alloc(0),
      Buffer.from('{"id":'),
      Buffer.from('{"id":"../../etc/passwd","kind":{}}'),
      Buffer.from(`${'['.repeat(50_000)}`),
      Buffer.alloc(3_000_000, 0xff),
    ]
    for (const content of garbage)
      channel.sendToQueue(name, content, {
        headers: { 'x-death': 'no', n: [1, { deep: {} }] },
      })
    await channel.waitForConfirms()
    await settled(name)
    assert.ok(counts.takes >= 2)
    pile.add(queue)
    await until('a real one runs afterwards', () => pile.ended.length === 1)
    await connection.close()
  })

  promise('acknowledges a long task after ackHoldMs, and the task runs on', async () => {
    const name = freshName()
    const queue = open(name, { ackHoldMs: 300 })
    await ready(queue)
    let end = () => {}
    const long = new Promise<void>(resolve => {
      end = resolve
    })
    const pile = createPile()
    let running = 0
    queue.work({
      slots: 1,
      take: async () => {
        if (pile.claim() === null) return null
        running++
        return { done: long.then(() => void running--) }
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
    const connection = await connect(rabbit.url)
    const channel = await connection.createChannel()
    await channel.assertQueue(name, { durable: true })
    await connection.close()
    const queue = open(name)
    const pile = createPile()
    pile.work(queue, 2, 1)
    for (let i = 0; i < 20; i++) pile.add(queue)
    await until('all ran', () => pile.ended.length === 20)
    assert.match(await rabbit.ctl('list_queues', 'name', 'type', '--silent'), new RegExp(`${name}\tclassic`))
  })

  promise('makes the queue again when it was deleted, for the consumer and for the announcer', async () => {
    const name = freshName()
    const [api, worker] = [open(name), open(name)]
    const pile = createPile()
    const { handle } = pile.work(worker, 2, 1)
    await ready(api, worker)
    await rabbit.ctl('delete_queue', name)
    for (let i = 0; i < 20; i++) pile.add(api)
    await until('all ran', () => pile.ended.length === 20)
    assert.equal(await api.flush(30_000), true)
    await handle.stop()
    // nobody consumes now, so that only the announcer can notice
    await rabbit.ctl('delete_queue', name)
    pile.add(api)
    assert.equal(await api.flush(30_000), true)
    await until('the message is there', async () => (await api.depth()) === 1)
  })

  promise(
    'says what is wrong with a password, without showing it, and recovers when it is mended',
    async () => {
      await rabbit.ctl('add_user', 'someone', 'right-one')
      await rabbit.ctl('set_permissions', 'someone', '.*', '.*', '.*')
      const wrong = rabbit.url.replace('guest:guest', 'someone:wr%2Fong-one')
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
      await rabbit.ctl('change_password', 'someone', 'wr/ong-one')
      await ready(queue)
      assert.equal(await queue.flush(30_000), true)
      await empty(queue)
    },
  )

  promise('tries the next URL when one does not answer', async () => {
    const queue = open(freshName(), { urls: ['amqp://127.0.0.1:1/', rabbit.url] })
    queue.announce({ id: randomUUID(), kind: 'test' })
    assert.equal(await queue.flush(60_000), true)
  })

  promise('is `blocked` while the broker is short of memory, and flows on afterwards', async () => {
    const name = freshName()
    const [api, worker] = [open(name, { confirmTimeoutMs: 500 }), open(name)]
    const pile = createPile()
    pile.work(worker, 2, 1)
    await ready(api, worker)
    await rabbit.ctl('set_vm_memory_high_watermark', '0.0000001')
    try {
      pile.add(api)
      await until('it is blocked', () => api.state().status === 'blocked', 60_000)
      assert.match(api.state().reason ?? '', /memory/)
      assert.equal(await api.flush(1_500), false)
      assert.equal(api.state().status, 'blocked', 'a blocked broker was given up')
    } finally {
      await rabbit.ctl('set_vm_memory_high_watermark', '0.4')
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
    rabbit.pause()
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
      rabbit.resume()
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
      await rabbit.registered(name)
      for (let i = 0; i < 50; i++) pile.add(api)
      await until('some ran', () => pile.ended.length > 5)
      await rabbit.kill()
      await until('it is noticed', () => api.state().status === 'connecting')
      assert.match(api.state().reason ?? '', /127\.0\.0\.1/)
      for (let i = 0; i < 50; i++) pile.add(api)
      assert.equal(await api.flush(50), false)
      await rabbit.start()
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
    await rabbit.kill()
    await rabbit.wipe()
    await rabbit.start()
    await ready(api)
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
    await rabbit.stop()
    await until('it is noticed', () => [api, closing].every(queue => queue.state().status === 'connecting'))
    closing.announce({ id: randomUUID(), kind: 'test' })
    const began = performance.now()
    await closing.close()
    assert.ok(performance.now() - began < 5_000, 'close() waited for a broker that is away')
    assert.equal(api.state().status, 'connecting')
  })
})
