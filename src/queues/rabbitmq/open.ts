// Queue over RabbitMQ: one durable quorum queue, one message per announcement.
// Publishing and consuming have a connection each, since a broker short of memory stops reading from publishers.
import type { Channel } from 'amqplib'
import { within } from '../../core/async/deadline.ts'
import type { QueueState, Subscriber, TaskQueue } from '../../core/queue.ts'
import { type AmqpLink, type AmqpSession, createAmqpLink } from '../../platform/amqp.ts'
import type { Log } from '../../platform/log.ts'
import { type Consumer, createConsumer } from './consumer.ts'
import { createDeadLetters } from './dead-letters.ts'
import { createPublisher } from './publisher.ts'

export interface RabbitQueueOptions {
  /** amqp:// or amqps://; the nodes of a cluster, tried in turn. */
  urls: readonly string[]
  /** Name of the queue. */
  queue: string
  log: Log
  clock?: () => Date
  /** Times in milliseconds, and the heartbeat in seconds: for tests of faults. */
  confirmTimeoutMs?: number
  heartbeatSeconds?: number
}

const CONFIRM_TIMEOUT_MS = 30_000
const DEPTH_TIMEOUT_MS = 2_000
const CLOSE_FLUSH_MS = 3_000

/** The worst first. */
const DEGRADED = ['closed', 'connecting', 'blocked'] as const

/** Connects in the background; every call works at once, also with the broker away. */
export const createRabbitQueue = (options: RabbitQueueOptions): TaskQueue => {
  const { urls, queue, log } = options
  const heartbeat =
    options.heartbeatSeconds === undefined ? {} : { heartbeatSeconds: options.heartbeatSeconds }
  /** Each connection made counts, the first ones too. */
  const counts = { brokerConnections: 0, redelivered: 0, deadMessages: 0 }
  const openLink = (name: string, user: Pick<Consumer, 'attach'>): AmqpLink =>
    createAmqpLink({
      ...heartbeat,
      urls,
      log,
      name,
      setup: session => {
        counts.brokerConnections += 1
        return user.attach(session)
      },
    })
  const publisher = createPublisher({
    queue,
    log,
    confirmTimeoutMs: options.confirmTimeoutMs ?? CONFIRM_TIMEOUT_MS,
    blocked: () => publishing.state().status === 'blocked',
  })
  const publishing = openLink('madhava-publish', publisher)
  const { bury, ...dead } = createDeadLetters({
    queue,
    log,
    session: () => publishing.session(),
    clock: options.clock ?? (() => new Date()),
  })
  const consumers: { subscriber: Subscriber; consumer: Consumer; link: AmqpLink }[] = []
  let closing: Promise<void> | null = null

  // the channel that asks for the depth; made again when its session is over or the broker closed it
  let asking: { session: AmqpSession; channel: Channel } | null = null
  let asked: Promise<number | null> | null = null
  const ask = async (session: AmqpSession): Promise<number | null> => {
    try {
      if (asking?.session !== session) asking = { session, channel: await session.spareChannel() }
      return (await asking.channel.checkQueue(queue)).messageCount
    } catch {
      asking = null
      return null
    }
  }

  const shut = async (): Promise<void> => {
    await Promise.all(consumers.map(({ subscriber }) => subscriber.stop()))
    await publisher.flush(publishing.state().status === 'ready' ? CLOSE_FLUSH_MS : 0)
    publisher.close()
    for (const { consumer } of consumers) consumer.flush()
    await Promise.all([publishing.close(), ...consumers.map(({ link }) => link.close())])
  }

  return {
    name: 'rabbitmq',

    announce: task => publisher.announce(task),

    dead,

    subscribe(subscriber) {
      const consumer = createConsumer({
        queue,
        subscriber,
        log,
        onRedelivered() {
          counts.redelivered += 1
        },
        async bury(message, reason) {
          await bury(message, reason)
          counts.deadMessages += 1
        },
      })
      consumers.push({ subscriber, consumer, link: openLink('madhava-consume', consumer) })
      return consumer
    },

    async depth() {
      // a blocked broker does not read from a connection that has published
      const session = [...consumers.map(({ link }) => link), publishing]
        .map(link => link.session())
        .find(Boolean)
      if (!session) return null
      asked ??= ask(session).finally(() => {
        asked = null
      })
      return within(
        DEPTH_TIMEOUT_MS,
        asked.catch(() => null),
        () => null,
      )
    },

    state(): QueueState {
      const states = [publishing, ...consumers.map(({ link }) => link)].map(link => link.state())
      const worst = DEGRADED.flatMap(status => states.find(state => state.status === status) ?? [])[0]
      const outbox = publisher.size()
      if (worst?.status === 'closed' || worst?.status === 'connecting') return { ...worst, outbox }
      const reason = worst?.reason ?? publisher.trouble()
      return { status: reason === null ? 'ready' : 'blocked', reason, outbox }
    },

    counters: () => ({ ...counts }),

    flush: timeoutMs => publisher.flush(timeoutMs),

    close() {
      closing ??= shut()
      return closing
    },
  }
}
