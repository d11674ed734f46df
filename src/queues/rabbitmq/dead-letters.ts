// Messages that announce no task, kept in a queue of their own beside ours: durable like it, bounded, and in reach of
// the broker's own tools. AMQP cannot look without taking: a look takes them, and gives back all that it leaves.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Channel, ConfirmChannel, GetMessage, Message, Options } from 'amqplib'
import { v7 as uuidV7 } from 'uuid'
import { within } from '../../core/async/deadline.ts'
import type { DeadMessage, DeadMessages } from '../../core/dead-messages.ts'
import { MadhavaError } from '../../core/errors.ts'
import type { AmqpSession } from '../../platform/amqp.ts'
import type { Log } from '../../platform/log.ts'
import { declareQueue } from './declare.ts'
import { idOf, unwrap, view, wrap } from './foreign.ts'

export interface DeadLetters extends DeadMessages {
  /** Keeps a message aside; resolves when it is durable there. @throws when the broker is away or does not take it */
  bury(message: Message, reason: string): Promise<void>
}

export interface DeadLettersOptions {
  /** The queue of tasks; theirs is `<queue>.dead`. */
  queue: string
  log: Log
  /** The session for publishing, or null while there is none. */
  session: () => AmqpSession | null
  clock: () => Date
}

/** Beyond these the oldest are dropped. */
const BOUNDS = { 'x-max-length': 1_000, 'x-max-length-bytes': 64 * 1024 ** 2 }
/** A blocked broker answers nothing on a connection that has published. */
const ANSWER_MS = 10_000
/** For a count alone. */
const COUNT_MS = 2_000
const LOCK_PAUSE_MS = 50
const RECONNECT_MS = 5_000
/** A queue that is not there is not asked after again for so long: the broker logs each time. */
const ABSENT_MS = 30_000

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : null
const NOT_FOUND = 404
const LOCKED = 405

const inTime = <T>(work: Promise<T>, ms: number): Promise<T> =>
  within(ms, work, () => {
    throw new Error(`no answer within ${ms / 1000} s`)
  })

/** Needs no connection to be made; each call asks for the session of the moment. */
export const createDeadLetters = ({ queue, log, session, clock }: DeadLettersOptions): DeadLetters => {
  const dead = `${queue}.dead`
  const lock = `${queue}.dead.lock`
  let writing: { session: AmqpSession; channel: Promise<ConfirmChannel> } | null = null
  let asking: { session: AmqpSession; channel: Channel } | null = null
  let absentUntil = 0
  let turn: Promise<unknown> = Promise.resolve()
  /** Message ids that came back because there is no queue. */
  const returned = new Set<string>()

  const unavailable = (cause: unknown): MadhavaError =>
    new MadhavaError('QUEUE_UNAVAILABLE', 'The broker cannot be asked for its dead messages; try again', {
      cause,
    })
  const mustHave = (): AmqpSession => {
    const now = session()
    if (now) return now
    throw new MadhavaError('QUEUE_UNAVAILABLE', 'The broker is away; GET /readyz says why')
  }

  const declare = async (on: AmqpSession): Promise<ConfirmChannel> => {
    await declareQueue(on, dead, log, BOUNDS)
    absentUntil = 0
    const channel = await on.confirmChannel()
    channel.on('return', (message: Message) => returned.add(String(message.properties.messageId)))
    return channel
  }
  /** The channel of a session that writes to the dead queue, which is there then. */
  const writer = (on: AmqpSession): Promise<ConfirmChannel> => {
    if (writing?.session !== on) {
      const mine = { session: on, channel: declare(on) }
      writing = mine
      mine.channel.catch(() => {
        if (writing === mine) writing = null
      })
    }
    return writing?.channel ?? declare(on)
  }
  const again = (): void => {
    writing = null
  }

  /** Resolves when the message is durable. @throws when the broker refuses it, or there is no such queue */
  const publish = (channel: ConfirmChannel, to: string, content: Buffer, options: Options.Publish) =>
    new Promise<void>((resolve, reject) => {
      channel.sendToQueue(to, content, options, (error: unknown) => {
        if (returned.delete(String(options.messageId))) reject(new Error(`there is no queue ${to}`))
        else if (error) reject(error instanceof Error ? error : new Error('the broker refused the message'))
        else resolve()
      })
    })

  /**
   * An exclusive queue, which no dead process leaves behind: of two at a time each would lack the messages that the
   * other has.
   */
  const lockUp = async (on: AmqpSession): Promise<() => Promise<void>> => {
    for (;;) {
      const channel = await on.spareChannel()
      try {
        await channel.assertQueue(lock, { exclusive: true, durable: false })
        return async () => {
          await channel.deleteQueue(lock)
          await channel.close()
        }
      } catch (error) {
        if (codeOf(error) !== LOCKED) throw error
        await sleep(LOCK_PAUSE_MS)
      }
    }
  }

  /**
   * Goes through the dead messages, the oldest first. `look` says what becomes of each; `left` is how many come after
   * it. Whatever is not removed goes back where it was when the channel closes.
   */
  const pass = async (
    on: AmqpSession,
    look: (message: GetMessage, left: number) => Promise<'on' | 'stop' | 'remove'>,
  ): Promise<void> => {
    const unlock = await lockUp(on)
    try {
      const channel = await on.spareChannel()
      try {
        for (;;) {
          const message = await channel.get(dead, { noAck: false })
          if (message === false) break
          const next = await look(message, message.fields.messageCount)
          if (next === 'remove') channel.ack(message)
          if (next !== 'on') break
        }
        await channel.close()
      } catch (error) {
        // the broker has closed the channel along with its answer
        if (codeOf(error) === NOT_FOUND) return
        await channel.close().catch(() => {})
        throw error
      }
    } finally {
      await unlock().catch((error: unknown) => log.debug({ error }, 'the lock of the dead messages'))
    }
  }

  /** The next session, when `ended` is over. @throws QUEUE_UNAVAILABLE */
  const nextSession = async (ended: AmqpSession): Promise<AmqpSession> => {
    const deadline = performance.now() + RECONNECT_MS
    while (session() === null || session() === ended) {
      if (performance.now() > deadline) return mustHave()
      await sleep(LOCK_PAUSE_MS)
    }
    return mustHave()
  }

  /** One at a time, each within its time. @throws QUEUE_UNAVAILABLE */
  const inTurn = async <T>(work: (on: AmqpSession) => Promise<T>): Promise<T> => {
    const on = mustHave()
    const mine = turn.then(async () => {
      // a broker ends the connection that takes from a queue which is just being made
      if (writing?.session === on) await writing.channel.catch(() => {})
      return work(on)
    })
    turn = mine.catch(() => {})
    try {
      return await inTime(mine, ANSWER_MS)
    } catch (error) {
      throw unavailable(error)
    }
  }

  /** Removes the message with this id, after `before` is done with it. */
  const remove = (
    id: string,
    before: (on: AmqpSession, message: GetMessage) => Promise<void>,
  ): Promise<boolean> =>
    inTurn(async on => {
      let found = false
      await pass(on, async message => {
        if (idOf(message) !== id) return 'on'
        await before(on, message)
        found = true
        return 'remove'
      })
      return found
    })

  let counting: { session: AmqpSession; answer: Promise<number | null> } | null = null
  const ask = async (on: AmqpSession): Promise<number | null> => {
    if (performance.now() < absentUntil) return 0
    try {
      if (asking?.session !== on) asking = { session: on, channel: await on.spareChannel() }
      return (await asking.channel.checkQueue(dead)).messageCount
    } catch (error) {
      asking = null
      if (codeOf(error) !== NOT_FOUND) return null
      absentUntil = performance.now() + ABSENT_MS
      return 0
    }
  }

  return {
    async bury(message, reason) {
      const id = uuidV7()
      const options = wrap(message, id, reason, clock().toISOString())
      log.warn(
        { messageId: id, reason, bytes: message.content.length },
        'a message announces no task; it is kept among the dead messages',
      )
      try {
        const on = mustHave()
        // in turn with the looks, when the queue may have to be made
        const channel = await (writing?.session === on ? writing.channel : inTurn(writer))
        await inTime(publish(channel, dead, message.content, options), ANSWER_MS)
      } catch (error) {
        again()
        throw error
      }
    },

    list(limit) {
      const look = async (on: AmqpSession) => {
        const messages: DeadMessage[] = []
        let total = 0
        await pass(on, async (message, left) => {
          messages.push(view(message))
          total = messages.length + left
          return messages.length >= limit ? 'stop' : 'on'
        })
        return { messages, total }
      }
      return inTurn(async on => {
        try {
          return await look(on)
        } catch (error) {
          // another process may be making the queue, see above: looking again does no harm
          if (!on.signal.aborted) throw error
          return look(await nextSession(on))
        }
      })
    },

    replay: id =>
      remove(id, async (on, message) => publish(await writer(on), queue, message.content, unwrap(message))),

    discard: id => remove(id, async () => {}),

    async count() {
      const on = session()
      if (!on) return null
      // a blocked broker answers when it likes: one question at a time, and nobody waits for long
      if (counting?.session !== on) {
        const mine = { session: on, answer: ask(on) }
        counting = mine
        void mine.answer.finally(() => {
          if (counting === mine) counting = null
        })
      }
      return inTime(counting.answer, COUNT_MS).catch(() => null)
    },
  }
}
