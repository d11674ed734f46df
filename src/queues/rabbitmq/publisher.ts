// The announcing side: an outbox by task id, pipelined confirms, and everything unconfirmed goes out again.
import type { ConfirmChannel } from 'amqplib'
import type { Announcement } from '../../core/queue.ts'
import type { AmqpSession } from '../../platform/amqp.ts'
import type { Log } from '../../platform/log.ts'
import { declareQueue } from './declare.ts'

export interface Publisher {
  announce(task: Announcement): void
  /** Announcements that are not confirmed. */
  size(): number
  /** Why messages stay unconfirmed although the connection is well; null when they do not. */
  trouble(): string | null
  /** Resolves true when all announced so far is confirmed, false after the time. Milliseconds. */
  flush(timeoutMs: number): Promise<boolean>
  /** Setup of a session: declares, then publishes what waits. */
  attach(session: AmqpSession): Promise<void>
  /** Nothing is accepted or sent from now on. */
  close(): void
}

export interface PublisherOptions {
  queue: string
  log: Log
  /** A broker that is not blocked and leaves a message unconfirmed for so long is given up. Milliseconds. */
  confirmTimeoutMs: number
  blocked: () => boolean
}

/** What does not fit is dropped: the sweeper announces it again. */
export const OUTBOX_CAPACITY = 100_000
/** Messages on the way at a time. Measured: 500 is enough for the full rate of a quorum queue. */
const WINDOW = 500
/** Between a message that found no queue and the next declaration. */
const REDECLARE_MS = 100

interface OutboxMessage {
  task: Announcement
  sentAt: number
  /** How often it was sent: a confirm speaks of one sending. */
  sendings: number
  /** Flushes that wait for this one. */
  watchers: Set<() => void>
}

interface PublishChannel {
  session: AmqpSession
  channel: ConfirmChannel
  /** False while the queue is being declared again. */
  open: boolean
}

/** An outbox without a connection; `attach` gives it one, as often as needed. */
export const createPublisher = ({ queue, log, confirmTimeoutMs, blocked }: PublisherOptions): Publisher => {
  // by id, in order; a task that is announced again while its message is on the way is announced again
  const waiting = new Map<string, OutboxMessage>()
  const sent = new Set<OutboxMessage>()
  let line: PublishChannel | null = null
  let closed = false
  let dropped = 0
  let trouble: string | null = null

  const confirmed = (entry: OutboxMessage): void => {
    trouble = null
    sent.delete(entry)
    for (const watcher of entry.watchers) watcher()
    entry.watchers.clear()
  }

  const again = (entry: OutboxMessage): void => {
    sent.delete(entry)
    const other = waiting.get(entry.task.id)
    if (other) for (const watcher of entry.watchers) other.watchers.add(watcher)
    else waiting.set(entry.task.id, entry)
  }

  const send = (on: PublishChannel, entry: OutboxMessage): void => {
    const { id, kind } = entry.task
    const sending = ++entry.sendings
    entry.sentAt = performance.now()
    sent.add(entry)
    on.channel.sendToQueue(
      queue,
      Buffer.from(JSON.stringify({ id, kind })),
      { persistent: true, mandatory: true, messageId: id, contentType: 'application/json' },
      (error: unknown) => {
        // an entry that was returned, or whose session ended, is waiting again and not ours to judge
        if (line !== on || !sent.has(entry) || entry.sendings !== sending) return
        if (error) again(entry)
        else confirmed(entry)
        pump()
      },
    )
  }

  const pump = (): void => {
    const on = line
    if (!on?.open || closed) return
    try {
      for (const [id, entry] of waiting) {
        if (sent.size >= WINDOW) break
        waiting.delete(id)
        send(on, entry)
      }
    } catch (error) {
      // a channel that died a moment ago throws; its entries are in `sent` and go out with the next session
      on.session.fail(error instanceof Error ? error.message : 'publishing failed')
    }
  }

  /** Mandatory messages come back when there is no queue: somebody deleted it. */
  const returned = async (on: PublishChannel, id: unknown): Promise<void> => {
    for (const entry of sent) if (entry.task.id === id) again(entry)
    if (!on.open) return
    on.open = false
    log.warn({ queue }, 'the queue is gone; declaring it again')
    try {
      await new Promise(resolve => setTimeout(resolve, REDECLARE_MS).unref())
      await declareQueue(on.session, queue, log)
      on.open = true
      if (line === on) pump()
    } catch (error) {
      on.session.fail(error instanceof Error ? error.message : 'the queue cannot be declared')
    }
  }

  const watchdog = setInterval(
    () => {
      const [oldest] = sent
      if (!oldest || !line || blocked() || performance.now() - oldest.sentAt <= confirmTimeoutMs) return
      // seen with a quorum queue whose node was killed seconds after it was made: it never elects a leader
      trouble = `no confirm within ${confirmTimeoutMs / 1000} s: has the queue ${queue} a leader? To delete it is safe`
      line.session.fail(trouble)
    },
    Math.min(1_000, confirmTimeoutMs),
  ).unref()

  return {
    announce({ id, kind }) {
      if (closed || waiting.has(id)) return
      if (waiting.size + sent.size >= OUTBOX_CAPACITY) {
        if (dropped++ % 10_000 === 0)
          log.warn({ dropped }, 'the outbox is full; the sweeper announces the rest')
        return
      }
      waiting.set(id, { task: { id, kind }, sentAt: 0, sendings: 0, watchers: new Set() })
      pump()
    },

    size: () => waiting.size + sent.size,

    trouble: () => trouble,

    flush(timeoutMs) {
      const entries = [...sent, ...waiting.values()]
      if (entries.length === 0) return Promise.resolve(true)
      return new Promise(resolve => {
        // by entry and not by number: two that become one, when a task is announced twice, count once
        const left = new Set(entries)
        const watchers = new Map<OutboxMessage, () => void>()
        const end = (done: boolean): void => {
          clearTimeout(timer)
          for (const [entry, watcher] of watchers) entry.watchers.delete(watcher)
          resolve(done)
        }
        const timer = setTimeout(() => end(false), timeoutMs)
        for (const entry of entries) {
          const watcher = (): void => {
            left.delete(entry)
            if (left.size === 0) end(true)
          }
          watchers.set(entry, watcher)
          entry.watchers.add(watcher)
        }
      })
    },

    async attach(session) {
      await declareQueue(session, queue, log)
      const channel = await session.confirmChannel()
      const mine: PublishChannel = { session, channel, open: true }
      channel.on('return', message => void returned(mine, message.properties.messageId))
      session.signal.addEventListener('abort', () => {
        if (line === mine) line = null
        // what was on the way is older than what waits: it goes first
        const newer = [...waiting.values()]
        waiting.clear()
        for (const entry of [...sent]) again(entry)
        for (const entry of newer) again(entry)
      })
      line = mine
      pump()
    },

    close() {
      closed = true
      clearInterval(watchdog)
    },
  }
}
