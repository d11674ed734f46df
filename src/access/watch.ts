// Tells streams that what their actor has shown has ended or changed: by the feed of the store, of which a process has
// one reading while anything is watched; by the clock; and by a look now and then, in case the feed has lost something.
// It does not know what a login is: whoever watches says what it hangs on, and how it is read.
import type { Actor, Via } from '../core/actor.ts'
import { backoffMs } from '../core/async/backoff.ts'
import type { CollectionName } from '../core/documents.ts'
import type { TaskStore } from '../core/store.ts'
import type { Access } from './access.ts'

/** What something that was shown allows now. */
export interface Standing {
  actorFor(via: Via): Actor
  /** ISO-8601; null: never. */
  expiresAt: string | null
}

/** Something that was shown. */
export interface Shown {
  /** The same for all streams that were opened with it. */
  key: string
  /** A change of one of these is a reason to look. */
  documents: readonly { collection: CollectionName; name: string }[]
  /** Null: it is valid no longer. @throws STORE_UNAVAILABLE */
  read(): Promise<Standing | null>
}

interface WatchDeps {
  feed: Pick<TaskStore, 'cursor' | 'changes'>
  /** The store's. */
  clock: () => Date
}

export interface Watch {
  /** As `Access.watch`, for what was shown. */
  watch(shown: Shown, actor: Actor): ReturnType<Access['watch']>
  /** Looks at once: this process has changed it. Does nothing for what nobody watches. */
  look(key: string): void
  /** Nothing fires after it. */
  close(): void
}

const LOOK_EVERY_MS = 10_000
const BACKOFF = { firstMs: 500, lastMs: 30_000 }
/** The longest that a timer takes. */
const TIMER_MAX_MS = 2 ** 31 - 1

interface Watched {
  shown: Shown
  /** Each with what the stream's actor may do. */
  streams: Map<AbortController, Actor>
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

export const createWatch = ({ feed, clock }: WatchDeps): Watch => {
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

  const createEntry = (shown: Shown): Watched => {
    const entry: Watched = {
      shown,
      streams: new Map(),
      expiry: null,
      look: oneAtATime(async () => {
        try {
          settle(entry, await shown.read())
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
      for (const { shown, look } of watched.values())
        if (shown.documents.some(one => one.collection === collection && one.name === name)) look()
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
    watch(shown, actor) {
      const { key } = shown
      const entry = watched.get(key) ?? createEntry(shown)
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

    look: key => watched.get(key)?.look(),

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
