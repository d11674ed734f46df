// Queue without a broker: the store's own change feed is the doorbell. Nothing is kept here; the store has it all.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Backoff, backoffMs } from '../../core/async/backoff.ts'
import { NO_DEAD_MESSAGES } from '../../core/dead-messages.ts'
import { isDue } from '../../core/due.ts'
import { toMadhavaError } from '../../core/errors.ts'
import type { Subscriber, TaskQueue } from '../../core/queue.ts'
import type { Change, TaskStore } from '../../core/store.ts'
import type { Log } from '../../platform/log.ts'
import { createPeers, rankOf } from './peers.ts'

export interface EmbeddedQueueOptions {
  store: TaskStore
  log: Log
  clock: () => Date
  /** 0 to 1; for the jitter of the backoff. */
  random?: () => number
}

/** Head start of each worker over the next one, for the feed to tell that the task was claimed. */
const STEP_MS = 25
/** Rings that wait for their turn; beyond these, one more look would find nothing that they do not. */
const MAX_RINGS = 1_000
/** Before the feed is followed again. */
const RETRY: Backoff = { firstMs: 100, lastMs: 10_000 }

/** Rings for changes of tasks that are waiting and due, later for a worker of a higher rank. */
const createDoorbell = (store: TaskStore, clock: () => Date, subscriber: Pick<Subscriber, 'poll'>) => {
  const peers = createPeers(store)
  const rings = new Map<string, NodeJS.Timeout>()
  const forget = (id: string): void => {
    clearTimeout(rings.get(id))
    rings.delete(id)
  }
  return {
    async hear(change: Change): Promise<void> {
      if (change.type === 'revoke' || change.type === 'document') return
      const id = change.type === 'task' ? change.task.id : change.id
      forget(id)
      if (change.type === 'removed' || !isDue(change.task, clock().toISOString())) return
      const rank = rankOf(id, store.instance, await peers.current())
      if (rank === 0) subscriber.poll()
      else if (rings.size < MAX_RINGS)
        rings.set(
          id,
          setTimeout(() => {
            rings.delete(id)
            subscriber.poll()
          }, rank * STEP_MS).unref(),
        )
    },
    silence(): void {
      for (const id of [...rings.keys()]) forget(id)
    },
  }
}

/**
 * An api process only announces: it opens no feed, and what it announces has reached the workers by the store.
 * An announcement in a worker's own process (its sweeper's, of a task that became due by time) rings there at once.
 */
export const createEmbeddedQueue = (options: EmbeddedQueueOptions): TaskQueue => {
  const { store, log, clock } = options
  const random = options.random ?? Math.random
  const closing = new AbortController()
  const subscribers = new Set<Subscriber>()
  const feeds = new Set<Promise<void>>()
  let trouble: string | null = null
  let closed: Promise<void> | null = null

  /** Follows the feed from now on until the signal fires. The first `look` finds what came before `cursor`. */
  const follow = async (subscriber: Subscriber, signal: AbortSignal): Promise<void> => {
    const doorbell = createDoorbell(store, clock, subscriber)
    let failures = 0
    while (!signal.aborted) {
      try {
        const cursor = await store.cursor()
        subscriber.poll()
        trouble = null
        for await (const change of store.changes(cursor, signal)) {
          failures = 0
          await doorbell.hear(change)
        }
        if (!signal.aborted) throw new Error('the feed ended')
      } catch (error) {
        if (signal.aborted) break
        const { code, message } = toMadhavaError(error)
        trouble = `the change feed of the store broke off: ${message}`
        log.warn({ code, error, failures }, 'the change feed broke off; following it again')
        await sleep(backoffMs(RETRY, failures++, random()), undefined, { signal, ref: false }).catch(() => {})
      }
    }
    doorbell.silence()
  }

  const shut = async (): Promise<void> => {
    closing.abort()
    await Promise.all([...[...subscribers].map(subscriber => subscriber.stop()), ...feeds])
  }

  return {
    name: 'embedded',

    announce() {
      for (const subscriber of subscribers) subscriber.poll()
    },

    subscribe(subscriber) {
      const ending = new AbortController()
      const signal = AbortSignal.any([closing.signal, ending.signal])
      const feed = follow(subscriber, signal)
      subscribers.add(subscriber)
      feeds.add(feed)
      void feed.finally(() => feeds.delete(feed))
      return {
        // a ring for a full worker costs nothing
        want() {},
        end() {
          ending.abort()
          subscribers.delete(subscriber)
        },
      }
    },

    depth: () => Promise.resolve(0),

    dead: NO_DEAD_MESSAGES,

    counters: () => ({}),

    state() {
      if (closing.signal.aborted) return { status: 'closed', reason: 'closed', outbox: 0 }
      return { status: trouble === null ? 'ready' : 'connecting', reason: trouble, outbox: 0 }
    },

    // what is announced is in the store already
    flush: () => Promise.resolve(true),

    close() {
      closed ??= shut()
      return closed
    },
  }
}
