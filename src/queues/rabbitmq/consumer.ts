// The taking side: a consumer that is active only while a slot is free, so that a full worker sits on no message.
// The task that a message names does not matter: the store decides what is run. One that names none is kept aside.
import type { Channel, ConsumeMessage } from 'amqplib'
import type { Subscriber, Subscription, Ticket } from '../../core/queue.ts'
import type { AmqpSession } from '../../platform/amqp.ts'
import type { Log } from '../../platform/log.ts'
import { type ChannelAnswers, createAnswers } from './answers.ts'
import { declareQueue } from './declare.ts'
import { whyForeign } from './foreign.ts'

export interface Consumer extends Subscription {
  /** Setup of a session: declares, then consumes while there is a free slot. */
  attach(session: AmqpSession): Promise<void>
  /** Tells the broker now which messages are done. */
  flush(): void
}

export interface ConsumerOptions {
  queue: string
  subscriber: Subscriber
  log: Log
  /** A message came that had been handed out before: its worker lost the connection, or gave it back. */
  onRedelivered: () => void
  /** Keeps a message aside that announces nothing; resolves when it is durable there. */
  bury: (message: ConsumeMessage, reason: string) => Promise<void>
}

/** Unacknowledged messages at a time: a prefetch of 1 caps a quorum queue at some 800 messages a second. */
const PREFETCH = 64

/** Before a message that could not be kept aside comes again. Milliseconds. */
const BURY_AGAIN_MS = 2_000

/** The channel of one session, and the consumer on it. */
interface Lane {
  session: AmqpSession
  channel: Channel
  answers: ChannelAnswers
  tag: string | null
  turning: boolean
}

/** A consumer without a connection; `attach` gives it one, as often as needed. */
export const createConsumer = ({
  queue,
  subscriber,
  log,
  onRedelivered,
  bury,
}: ConsumerOptions): Consumer => {
  let lane: Lane | null = null
  let wanted = true
  let ended = false

  const want = (value: boolean): void => {
    wanted = value && !ended
    if (lane) void turn(lane)
  }

  /** Answers belong to the channel that delivered: once it is dead the broker has the message back already. */
  const answer = (session: AmqpSession, give: () => void): void => {
    if (session.signal.aborted) return
    try {
      give()
    } catch (error) {
      session.fail(error instanceof Error ? error.message : 'an acknowledgement failed')
    }
  }

  const ticketOf = ({ answers }: Lane, message: ConsumeMessage): Ticket => ({
    settle: () => answers.acknowledge(message),
    giveBack: () => answers.giveBack(message),
  })

  const keepAside = async (on: Lane, message: ConsumeMessage, reason: string): Promise<void> => {
    const ticket = ticketOf(on, message)
    try {
      await bury(message, reason)
      ticket.settle()
    } catch (error) {
      log.warn({ error, reason }, 'a message that announces no task could not be kept aside; it comes again')
      // at once it would come at once
      setTimeout(() => ticket.giveBack(), BURY_AGAIN_MS).unref()
    }
  }

  const arrived = (on: Lane, message: ConsumeMessage | null): void => {
    if (message?.fields.redelivered) onRedelivered()
    const foreign = message && whyForeign(message.content)
    if (message && foreign !== null) void keepAside(on, message, foreign)
    else if (message) subscriber.offer(ticketOf(on, message))
    // the broker's cancel: the queue was deleted, its leader moved, or an acknowledgement was late
    else on.session.fail('the broker cancelled the consumer')
  }

  /** Brings the consumer to what is wanted, one step after another. */
  const turn = async (on: Lane): Promise<void> => {
    if (on.turning) return
    on.turning = true
    try {
      while (!on.session.signal.aborted && wanted !== (on.tag !== null)) {
        if (on.tag === null) {
          const { consumerTag } = await on.channel.consume(queue, message => arrived(on, message))
          on.tag = consumerTag
        } else {
          await on.channel.cancel(on.tag)
          on.tag = null
          // only now: while the consumer was there, the broker would have sent them back to it
          subscriber.release()
        }
      }
    } catch (error) {
      on.session.fail(error instanceof Error ? error.message : 'consuming failed')
    } finally {
      on.turning = false
    }
  }

  return {
    flush: () => lane?.answers.flush(),
    want,
    end() {
      ended = true
      want(false)
    },
    async attach(session) {
      await declareQueue(session, queue, log)
      const channel = await session.channel()
      await channel.prefetch(Math.max(subscriber.size, PREFETCH))
      const answers = createAnswers(channel, give => answer(session, give))
      const mine: Lane = { session, channel, answers, tag: null, turning: false }
      session.signal.addEventListener('abort', () => {
        if (lane === mine) lane = null
        subscriber.release()
      })
      lane = mine
      await turn(mine)
      // announcements may have been lost with the broker
      subscriber.poll()
    },
  }
}
