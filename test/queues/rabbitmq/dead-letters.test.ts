// Dead messages at a real broker: what announces no task is kept, seen, replayed and discarded.
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { connect, type Options } from 'amqplib'
import { isMadhavaError } from '../../../src/core/errors.ts'
import type { TaskQueue } from '../../../src/core/queue.ts'
import { createAmqpLink } from '../../../src/platform/amqp.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { createPile, createRabbitBench, ready } from '../../support/rabbit-bench.ts'
import { startTcpProxy } from '../../support/tcp-proxy.ts'
import { until } from '../../support/until.ts'

const { skip, broker, open, freshName, settled } = createRabbitBench()
/** A race that is lost once in a while: QUEUE_LONG=1 tries it often. */
const QUEUES = process.env.QUEUE_LONG === '1' ? 40 : 5

const strangers: { close: () => Promise<void> }[] = []
// a test that fails leaves its own behind, which would keep the process alive
after(() => Promise.allSettled(strangers.map(({ close }) => close())))

/** A client that is not ours. */
const stranger = async (name: string) => {
  const connection = await connect(broker().url)
  connection.on('error', () => {})
  const channel = await connection.createConfirmChannel()
  channel.on('error', () => {})
  const made = {
    async send(content: Buffer, properties: Options.Publish = {}): Promise<void> {
      channel.sendToQueue(name, content, properties)
      await channel.waitForConfirms()
    },
    get: () => channel.get(name, { noAck: true }),
    close: () => connection.close(),
  }
  strangers.push(made)
  return made
}

/** A queue with a consumer, and a message in it that is kept aside by now. */
const withTheFirst = async () => {
  const name = freshName()
  const queue = open(name)
  createPile().work(queue, 2, 1)
  await ready(queue)
  const { send, close } = await stranger(name)
  await send(Buffer.from('the first'))
  await until(`it is kept in ${name}`, async () => (await queue.dead.list(1)).total === 1, 60_000)
  return { name, queue, send, close }
}

describe('the dead messages of a real broker', () => {
  const promise = (title: string, check: () => Promise<void>) => it(title, { skip, timeout: 600_000 }, check)

  promise('keeps aside whatever announces no task, with the reason, and works on', async () => {
    const name = freshName()
    const queue = open(name)
    const pile = createPile()
    pile.work(queue, 2, 1)
    await ready(queue)
    const { send, close } = await stranger(name)
    assert.deepEqual(await queue.dead.list(10), { messages: [], total: 0 })
    const garbage = [
      Buffer.alloc(0),
      Buffer.from('{"id":'),
      Buffer.from('{"id":"../../etc/passwd","kind":{}}'),
      Buffer.from(`${'['.repeat(50_000)}`),
      Buffer.alloc(3_000_000, 0xff),
      Buffer.from('[[50], {}, {"callbacks": null}]'),
    ]
    for (const content of garbage)
      await send(content, {
        contentType: 'text/plain',
        expiration: 600_000,
        headers: { 'x-death': 'no', CC: ['elsewhere'], n: [1, { deep: {} }] },
      })
    await settled(name)
    pile.add(queue)
    await until('a real one runs afterwards', () => pile.ended.length === 1)
    await until('all are kept', async () => (await queue.dead.list(100)).total === garbage.length, 60_000)
    assert.equal(queue.counters().deadMessages, garbage.length)
    assert.equal(await queue.dead.count(), garbage.length)
    const { messages } = await queue.dead.list(100)
    const sizes = messages.map(({ bytes }) => bytes).sort((a, b) => a - b)
    assert.deepEqual(
      sizes,
      garbage.map(({ length }) => length).sort((a, b) => a - b),
    )
    for (const { id, reason, contentType, preview } of messages) {
      assert.match(id, /^[0-9a-f-]{36}$/)
      assert.match(reason, /not JSON|JSON object|has \d+ bytes|name a task/)
      assert.equal(contentType, 'text/plain')
      assert.ok(preview.length <= 256)
    }
    await close()
  })

  promise('a dead message is replayed as it came, or discarded; the others stay in their order', async () => {
    const name = freshName()
    const [worker, api, other] = [open(name), open(name), open(name)]
    const { handle } = createPile().work(worker, 2, 1)
    await ready(worker, api, other)
    const { send, get, close } = await stranger(name)
    for (let n = 0; n < 8; n++) {
      await send(Buffer.from(`foreign ${n}`), { messageId: `m${n}`, headers: { n }, contentType: 'x/y' })
      await until('it is kept', async () => (await api.dead.list(1)).total === n + 1, 60_000)
    }
    await handle.stop()
    const previews = async (queue: TaskQueue) =>
      (await queue.dead.list(100)).messages.map(({ preview }) => preview)
    const all = Array.from({ length: 8 }, (_, n) => `foreign ${n}`)
    // two processes that look at the same time see all of it
    assert.deepEqual(await Promise.all([api, other, api].map(previews)), [all, all, all])
    const { messages } = await other.dead.list(3)
    assert.deepEqual(
      messages.map(({ preview }) => preview),
      all.slice(0, 3),
    )
    const [first = '', second = ''] = messages.map(({ id }) => id)
    assert.equal(await api.dead.replay(second), true)
    const again = await get()
    assert.ok(again, 'it is in the queue again')
    assert.equal(String(again.content), 'foreign 1')
    assert.equal(again.properties.messageId, 'm1')
    assert.equal(again.properties.contentType, 'x/y')
    assert.equal(again.properties.headers?.n, 1)
    assert.equal(await api.dead.replay(second), false)
    assert.equal(await api.dead.discard(first), true)
    assert.equal(await api.dead.discard(first), false)
    assert.deepEqual(await previews(other), all.slice(2))
    await close()
  })

  promise(
    'dead messages outlive the broker, are bounded, and cannot be asked for while it is away',
    async () => {
      const { name, queue, send, close } = await withTheFirst()
      // as many as there may be, past the worker, which keeps one after another aside
      const other = await stranger(`${name}.dead`)
      await Promise.all(Array.from({ length: 999 }, (_, n) => other.send(Buffer.from(`before ${n}`))))
      assert.equal((await queue.dead.list(1)).total, 1_000)
      await Promise.all(Array.from({ length: 10 }, (_, n) => send(Buffer.from(`further ${n}`))))
      await until('all came by', () => (queue.counters().deadMessages ?? 0) >= 11, 120_000)
      const { messages, total } = await queue.dead.list(1)
      assert.equal(total, 1_000)
      assert.notEqual(messages[0]?.preview, 'the first')
      await Promise.all([close(), other.close()])
      await broker().kill()
      await until('it is noticed', () => queue.state().status === 'connecting')
      await assert.rejects(queue.dead.list(1), error => isMadhavaError(error, 'QUEUE_UNAVAILABLE'))
      await assert.rejects(queue.dead.discard(messages[0]?.id ?? ''), error =>
        isMadhavaError(error, 'QUEUE_UNAVAILABLE'),
      )
      assert.equal(await queue.dead.count(), null)
      await broker().start()
      await ready(queue)
      assert.equal((await queue.dead.list(1)).total, 1_000)
    },
  )

  promise('are kept though the queue for them is looked for while it is made', async () => {
    // RabbitMQ 3.10 ends the connection of whoever takes from a quorum queue that is being made
    for (let n = 0; n < QUEUES; n++) {
      const { queue, close } = await withTheFirst()
      await Promise.all([close(), queue.close()])
    }
  })
})

describe('a channel for questions', () => {
  it('is closed when its connection ends, though the broker never said so', {
    skip,
    timeout: 300_000,
  }, async () => {
    const proxy = await startTcpProxy({ port: broker().port })
    const link = createAmqpLink({
      urls: [broker().url.replace(`:${broker().port}`, `:${proxy.port}`)],
      name: 'test',
      log: silentLog(),
      setup: async () => {},
    })
    try {
      await until('it is connected', () => link.session() !== null)
      const session = link.session()
      assert.ok(session)
      const channel = await session.spareChannel()
      proxy.stall('down')
      const closed = channel.close()
      proxy.cut()
      await closed
      assert.equal(session.signal.aborted, true)
    } finally {
      proxy.resume()
      await link.close()
      await proxy.close()
    }
  })
})
