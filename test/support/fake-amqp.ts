// A session of AMQP without a broker: the test says when what was published is confirmed, and sees what is answered.
import { EventEmitter } from 'node:events'
import type { Channel, ConfirmChannel, ConsumeMessage, GetMessage, Options } from 'amqplib'
import type { AmqpSession } from '../../src/platform/amqp.ts'

export interface Published {
  queue: string
  text: string
  options: Options.Publish
  /** The broker has it, or says why not. */
  confirm(error?: Error): void
  /** There is no such queue: it comes back, and is confirmed, as brokers do. */
  giveBack(): void
}

const messageOf = (tag: number, text: string, left = 0, properties: object = {}) =>
  ({
    fields: { deliveryTag: tag, redelivered: false, messageCount: left },
    properties: { headers: {}, ...properties },
    content: Buffer.from(text),
  }) as unknown as ConsumeMessage & GetMessage

/** `queues` are the messages that `get` finds, by queue: what is not acknowledged stays there. */
export const createFakeSession = ({ queues = {} }: { queues?: Record<string, [string, object?][]> } = {}) => {
  const ending = new AbortController()
  const published: Published[] = []
  const answers: string[] = []
  const failures: string[] = []
  const declared: string[] = []
  const open = new Set<EventEmitter>()
  let deliver: ((message: ConsumeMessage | null) => void) | null = null
  let tags = 0

  const createChannel = (): ConfirmChannel => {
    const events = new EventEmitter()
    open.add(events)
    const taken = new Map<number, { queue: string; message: [string, object?] }>()
    let place = 0
    const channel = {
      on: events.on.bind(events),
      async assertQueue(queue: string) {
        declared.push(queue)
        queues[queue] ??= []
      },
      async checkQueue(queue: string) {
        const messages = queues[queue]
        if (messages) return { messageCount: messages.length }
        // the broker closes the channel along with its answer
        open.delete(events)
        throw Object.assign(new Error(`no queue '${queue}'`), { code: 404 })
      },
      async deleteQueue(queue: string) {
        delete queues[queue]
      },
      async close() {
        open.delete(events)
      },
      prefetch: async () => {},
      async consume(_queue: string, listener: (message: ConsumeMessage | null) => void) {
        deliver = listener
        return { consumerTag: 'the consumer' }
      },
      async cancel() {
        deliver = null
      },
      async get(queue: string) {
        const message = queues[queue]?.[place]
        if (!message) return false
        place += 1
        tags += 1
        taken.set(tags, { queue, message })
        return messageOf(tags, message[0], (queues[queue]?.length ?? 0) - place, message[1])
      },
      ack({ fields: { deliveryTag } }: ConsumeMessage) {
        answers.push(`ack ${deliveryTag}`)
        const got = taken.get(deliveryTag)
        if (got) queues[got.queue] = (queues[got.queue] ?? []).filter(message => message !== got.message)
      },
      nack: ({ fields: { deliveryTag } }: ConsumeMessage) => void answers.push(`nack ${deliveryTag}`),
      sendToQueue(queue: string, content: Buffer, options: Options.Publish, told: (error: unknown) => void) {
        let isReturned = false
        const confirm = (error?: Error): void => {
          if (!error && !isReturned) queues[queue]?.push([content.toString(), options])
          told(error ?? null)
        }
        published.push({
          queue,
          text: content.toString(),
          options,
          confirm,
          giveBack() {
            isReturned = true
            events.emit('return', { properties: { messageId: options.messageId } })
            confirm()
          },
        })
      },
    }
    return channel as unknown as ConfirmChannel
  }

  const session: AmqpSession = {
    brokerVersion: '3.10.8',
    signal: ending.signal,
    channel: async () => createChannel() as Channel,
    confirmChannel: async () => createChannel(),
    spareChannel: async () => createChannel() as Channel,
    fail(reason) {
      failures.push(reason)
      ending.abort()
    },
  }
  return {
    session,
    /** In the order of sending. */
    published,
    /** Such as `ack 1`: the first message that was delivered. */
    answers,
    failures,
    declared,
    /** How many channels are open. */
    channels: () => open.size,
    isConsuming: () => deliver !== null,
    /** To the consumer; null is the broker's cancel. */
    deliver(text: string | null, { redelivered = false } = {}) {
      const message = text === null ? null : messageOf(++tags, text)
      if (message) message.fields.redelivered = redelivered
      deliver?.(message)
    },
    end: () => ending.abort(),
  }
}
