// A broker that is well and says no: closed channels, a queue that is gone or another's, late acknowledgements, a
// memory alarm, users and vhosts that are not there. Each is mended at run time, by the broker's side alone.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { connect } from 'amqplib'
import { type Rabbit, startRabbit } from '../support/rabbitmq.ts'
import { requireService } from '../support/services.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'
import { openWorld, type World } from './cluster.ts'

const skip = requireService('rabbitmq')
const LIMIT = { skip, timeout: 300_000 }
const DELETIONS = process.env.FAULTS_LONG === '1' ? 5 : 2
const ACK = Buffer.from([0, 60, 0, 80])

describe('a broker that refuses', { timeout: 900_000 }, () => {
  let rabbit: Rabbit
  let proxy: TcpProxy
  let world: World
  before(async () => {
    if (skip) return
    // an acknowledgement is late after 3 s; the broker looks every half second
    rabbit = await startRabbit({ flags: '-rabbit consumer_timeout 3000 -rabbit channel_tick_interval 500' })
    proxy = await startTcpProxy({ port: rabbit.port })
    await rabbit.ctl('add_user', 'madhava', 'first')
    await rabbit.ctl('set_permissions', 'madhava', '.*', '.*', '.*')
    const amqpUrl = `amqp://madhava:first@127.0.0.1:${proxy.port}/%2F?heartbeat=5`
    world = await openWorld({ amqpUrl, brokerUrl: rabbit.url })
    await world.mended()
  })
  after(async () => {
    await world?.close()
    await proxy?.close()
    await rabbit?.remove()
  })
  const redelivered = () => world.counters().redelivered ?? 0

  it(
    'a channel closed by an error: the acknowledgement of a message that it never delivered',
    LIMIT,
    async () => {
      const from = world.lines.length
      // the last byte of the delivery tag
      const garbled = proxy.garbleAt({ direction: 'up', pattern: ACK, after: 7, bytes: 1 })
      const stop = world.load(20)
      await garbled
      await until('the broker has said so', () =>
        world.lines.slice(from).some(({ reason = '' }) => /PRECONDITION.FAILED.*delivery tag/i.test(reason)),
      )
      await stop()
      await world.mended()
    },
  )

  it('the queue deleted under its consumers, again and again', LIMIT, async () => {
    const stop = world.load(20)
    const connection = await connect(rabbit.url)
    for (let times = 0; times < DELETIONS; times++) {
      const channel = await connection.createChannel()
      await channel.deleteQueue('madhava')
      await channel.close()
      await until('it is there again', async () => (await world.inspect())?.consumers === 2)
    }
    await connection.close()
    await stop()
    await world.mended()
  })

  it(
    'an acknowledgement timeout of seconds, with tasks that last longer: each runs once',
    LIMIT,
    async () => {
      const from = world.lines.length
      for (let n = 0; n < 3; n++) await world.submit({ ms: 9_000 })
      const stop = world.load(100)
      await until('the broker has closed a channel over it', () =>
        world.lines
          .slice(from)
          .some(({ reason = '' }) => /delivery acknowledgement.*timed out/i.test(reason)),
      )
      await stop()
      await world.mended()
      const long = (await world.all()).filter(({ params }) => (params as { ms: number }).ms === 9_000)
      assert.deepEqual(
        long.map(({ attempt }) => attempt),
        [1, 1, 1],
      )
      assert.ok(redelivered() > 0, 'the message of a running task came back, and was none of its business')
    },
  )

  it('a memory alarm: nothing is given up, and what was announced meanwhile follows', LIMIT, async () => {
    await rabbit.ctl('set_vm_memory_high_watermark', '0.0000001')
    try {
      const stop = world.load(50)
      await world.degraded('queue', /takes no messages now.*memory/)
      const during = await world.submit()
      await until('a task runs meanwhile', async () => (await world.get(during)).status === 'SUCCESS')
      await stop()
    } finally {
      await rabbit.ctl('set_vm_memory_high_watermark', '0.4')
    }
    await world.mended()
  })

  it('a queue that exists with other arguments is used as it is', LIMIT, async () => {
    const connection = await connect(rabbit.url)
    const channel = await connection.createConfirmChannel()
    channel.on('error', () => {})
    // whoever declares first wins: ours are kept away meanwhile
    await proxy.refuse()
    await channel.deleteQueue('madhava')
    await channel.assertQueue('madhava', { durable: true, maxLength: 5, deadLetterExchange: '' })
    await proxy.accept()
    const stop = world.load(20)
    await until('it is said', () =>
      world.lines.some(({ message }) => /exists with other arguments/.test(message)),
    )
    // while more is submitted there is always a task that has not ended yet
    await stop()
    await world.mended()
    await proxy.refuse()
    await channel.deleteQueue('madhava')
    await proxy.accept()
    await connection.close()
    await world.mended()
  })

  it('a queue that another connection has for itself', LIMIT, async () => {
    const connection = await connect(rabbit.url)
    const channel = await connection.createChannel()
    await proxy.refuse()
    await channel.deleteQueue('madhava')
    await channel.assertQueue('madhava', { exclusive: true, durable: false })
    await proxy.accept()
    const stop = world.load()
    await world.degraded('queue', /RESOURCE.LOCKED/)
    const during = await world.submit()
    await until('a task runs meanwhile', async () => (await world.get(during)).status === 'SUCCESS')
    await connection.close()
    await stop()
    await world.mended()
  })

  it('a password that is no longer right, and rights that are gone', LIMIT, async () => {
    const stop = world.load(50)
    await rabbit.ctl('change_password', 'madhava', 'second')
    proxy.cut()
    await world.degraded('queue', /are the user and the password in the URL right/)
    await rabbit.ctl('clear_permissions', 'madhava')
    await rabbit.ctl('change_password', 'madhava', 'first')
    await world.degraded('queue', /the vhost \/ \(does it exist, and has the user rights/)
    await rabbit.ctl('set_permissions', 'madhava', '.*', '', '.*')
    proxy.cut()
    await world.degraded('queue', /ACCESS.REFUSED/)
    // this one the workers alone notice
    await rabbit.ctl('set_permissions', 'madhava', '.*', '.*', '')
    proxy.cut()
    await until('the publisher is well', async () => (await world.ready()).checks.queue?.status === 'ok')
    await world.degraded('worker', /queue: .*ACCESS.REFUSED/)
    assert.equal((await world.ready()).checks.queue?.status, 'ok')
    await rabbit.ctl('set_permissions', 'madhava', '.*', '.*', '.*')
    await stop()
    await world.mended()
  })

  it('a vhost that is not there: used as soon as it is made', LIMIT, async () => {
    const elsewhere = await openWorld({ amqpUrl: `${rabbit.url}elsewhere` })
    try {
      const stop = elsewhere.load(50)
      await elsewhere.degraded('queue', /the vhost elsewhere \(does it exist/)
      await rabbit.ctl('add_vhost', 'elsewhere')
      await rabbit.ctl('set_permissions', '-p', 'elsewhere', 'guest', '.*', '.*', '.*')
      await stop()
      await elsewhere.mended()
    } finally {
      await elsewhere.close()
    }
  })
})
