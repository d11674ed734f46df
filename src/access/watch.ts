// Tells streams that what their actor has shown has ended or changed: by the feed of the store, of which a process has
// one reading while anything is watched; by the clock; and by a look now and then, in case the feed has lost something.
import type { Actor, Credential, Via } from '../core/actor.ts'
import { backoffMs } from '../core/async/backoff.ts'
import type { TaskStore } from '../core/store.ts'
import type { Access } from './access.ts'
import { COLLECTION_OF } from './credentials.ts'

/** What something that was shown allows now. */
export interface Standing {
  actorFor(via: Via): Actor
  /** ISO-8601; null: never. */
  expiresAt: string | null
}

interface WatchDeps {
  feed: Pick<TaskStore, 'cursor' | 'changes'>
  /** Null: it is valid no longer. @throws STORE_UNAVAILABLE */
  read: (credential: Credential) => Promise<Standing | null>
  /** The store's. */
  clock: () => Date
}

export interface Watch {
  watch: Access['watch']
  /** Nothing fires after it. */
  close(): void
}

const LOOK_EVERY_MS = 10_000
const BACKOFF = { firstMs: 500, lastMs: 30_000 }
/** The longest that a timer takes. */
const TIMER_MAX_MS = 2 ** 31 - 1

/** One credential, and the streams that were opened with it. */
interface Watched {
  credential: Credential
  /** Each with what the stream's actor may do. */
  streams: Map<AbortController, Actor>
  /** Null: that of a link. */
  account: string | null
  expiry: NodeJS.Timeout | null
  look(): void
}

const isSame = (one: Actor, other: Actor): boolean => {
  const rightsOf = ({ account, name, scopes, sees, kinds, task }: Actor) =>
    JSON.stringify([account, name, scopes, sees, kinds, task])
  return rightsOf(one) === rightsOf(other)
}

/** Calls at the same time are one more call after the one that runs. */
const oneAtATime = (work: () => Promise<void>): (() => void) => {
  let [isRunning, isWanted] = [false, false]
  const run = async (): Promise<void> => {
    isRunning = true
    do {
      isWanted = false
      await work()
    } while (isWanted)
    isRunning = false
  }
  return () => {
    isWanted = true
    if (!isRunning) void run()
  }
}

export const createWatch = ({ feed, read, clock }: WatchDeps): Watch => {
  const watched = new Map<string, Watched>()
  let reading: AbortController | null = null
  let looking: NodeJS.Timeout | null = null

  const lookAtAll = (): void => {
    for (const { look } of watched.values()) look()
  }

  const settle = (entry: Watched, valid: Standing | null): void => {
    for (const [stream, actor] of entry.streams)
      if (!valid || !isSame(valid.actorFor(actor.via), actor)) stream.abort()
    if (entry.expiry) clearTimeout(entry.expiry)
    entry.expiry = null
    if (!valid?.expiresAt || entry.streams.size === 0) return
    const leftMs = Math.max(1, Date.parse(valid.expiresAt) - clock().getTime())
    entry.expiry = setTimeout(entry.look, Math.min(leftMs, TIMER_MAX_MS)).unref()
  }

  const createEntry = (credential: Credential, account: string | null): Watched => {
    const entry: Watched = {
      credential,
      streams: new Map(),
      account,
      expiry: null,
      look: oneAtATime(async () => {
        try {
          settle(entry, await read(credential))
        } catch {
          // nobody knows; the next look tells
        }
      }),
    }
    return entry
  }

  /** @throws what the feed throws */
  const readFeed = async (signal: AbortSignal, onChange: () => void): Promise<void> => {
    const since = await feed.cursor()
    // what happened before this place, a look finds
    lookAtAll()
    for await (const change of feed.changes(since, signal)) {
      onChange()
      if (change.type !== 'document') continue
      const { collection, name } = change
      for (const { credential, account, look } of watched.values()) {
        const isOfAccount = collection === 'accounts' && name === account
        const isItself = collection === COLLECTION_OF[credential.type] && name === credential.id
        if (isOfAccount || isItself) look()
      }
    }
  }

  const pause = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise(resolve => {
      const timer = setTimeout(resolve, ms).unref()
      const stop = (): void => {
        clearTimeout(timer)
        resolve()
      }
      signal.addEventListener('abort', stop, { once: true })
    })

  const keepReading = async (signal: AbortSignal): Promise<void> => {
    for (let failures = 0; !signal.aborted; failures += 1) {
      // it ended or failed; either way it is begun anew, and begins with a look
      await readFeed(signal, () => {
        failures = 0
      }).catch(() => {})
      if (!signal.aborted) await pause(backoffMs(BACKOFF, failures), signal)
    }
  }

  const begin = (): void => {
    if (reading) return
    reading = new AbortController()
    void keepReading(reading.signal)
    looking = setInterval(lookAtAll, LOOK_EVERY_MS).unref()
  }
  const end = (): void => {
    reading?.abort()
    reading = null
    if (looking) clearInterval(looking)
    looking = null
  }

  return {
    watch(actor) {
      const { account, credential } = actor
      if (credential === null) return { signal: new AbortController().signal, close: () => {} }
      const key = `${credential.type} ${credential.id}`
      const entry = watched.get(key) ?? createEntry(credential, account)
      watched.set(key, entry)
      const stream = new AbortController()
      entry.streams.set(stream, actor)
      begin()
      // something may have happened since the actor was found out
      entry.look()
      return {
        signal: stream.signal,
        close() {
          entry.streams.delete(stream)
          if (entry.streams.size > 0) return
          if (entry.expiry) clearTimeout(entry.expiry)
          if (watched.get(key) === entry) watched.delete(key)
          if (watched.size === 0) end()
        },
      }
    },

    close() {
      for (const { expiry, streams } of watched.values()) {
        if (expiry) clearTimeout(expiry)
        streams.clear()
      }
      watched.clear()
      end()
    },
  }
}
