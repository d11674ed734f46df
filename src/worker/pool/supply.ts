// Supplies a pool with threads: keeps idle ones, opens more, and stops opening while the host refuses. It then tries
// again with a thread that has no task, so that no task pays for the try. The pool decides which run a thread gets.
import { type Backoff, backoffMs } from '../../core/async/backoff.ts'
import { whyNotStarted } from './shortage.ts'
import type { Thread } from './thread.ts'

export interface ThreadSupply {
  /** A thread for a run of this kind: the last used idle one, or a new one; null while the host refuses. */
  get(kind: string): Thread | null
  /** It is idle from now on, and ends if it stays idle. */
  addIdle(thread: Thread): void
  /** Ends it. */
  end(thread: Thread): void
  /** Ends all idle ones. */
  endIdle(): void
  /** A run could not begin because the host is short of something: no thread is opened for a while. */
  reportShortage(reason: string): void
  /** A run has begun and ended: the shortage, if any, is over. */
  reportSuccess(): void
  idle(): number
  /** Ends all threads. Idempotent. */
  close(): Promise<void>
}

export interface SupplyOptions {
  /**
   * Starts a thread. `up` is called once: with null when the thread is up, or with the reason why it failed. May
   * throw.
   */
  open(up: (why: string | null) => void): Thread
  /** As many as the pool may have at work. */
  size: number
  idleMs: number
  /** How many are at work. */
  busy: () => number
  /** Threads are available again. */
  onRoom: () => void
  onGone: (thread: Thread) => void
  /** How many runs can go on at a time: `size`, or fewer while the host refuses. Called on change. */
  onCapacity: (capacity: number) => void
  /** Why no thread can be started, once; null when they start again. */
  onShortage: (reason: string | null) => void
  /** 0 to 1, for jitter. */
  random: () => number
}

const RETRY: Backoff = { firstMs: 100, lastMs: 5_000 }
/** If a thread came up and nothing was refused for so long, the shortage counts as over, even without a run. */
const CALM_MS = 2_000
/** A trial thread that has neither come up nor died by then is given up. */
const LATE_MS = 30_000

export const createThreadSupply = (options: SupplyOptions): ThreadSupply => {
  const { size, idleMs, random } = options
  const idle = new Map<Thread, NodeJS.Timeout>()
  /** Every thread that is not yet gone, also dying ones. */
  const all = new Set<Thread>()
  /** Threads that are up and are not being ended. */
  const up = new Set<Thread>()
  let reason: string | null = null
  let blocked = false
  let tries = 0
  let retryTimer: NodeJS.Timeout | undefined
  let calmTimer: NodeJS.Timeout | undefined
  let lastCapacity = size
  let closing: Promise<void> | null = null

  const tellCapacity = (): void => {
    const capacity = blocked ? Math.min(size, up.size) : size
    if (capacity === lastCapacity || closing) return
    lastCapacity = capacity
    options.onCapacity(capacity)
  }
  const open = (onUp: () => void): Thread => {
    const thread = options.open(why => {
      if (why !== null) return reportShortage(why)
      up.add(thread)
      tellCapacity()
      onUp()
    })
    all.add(thread)
    thread.onGone(() => {
      all.delete(thread)
      up.delete(thread)
      clearTimeout(idle.get(thread))
      idle.delete(thread)
      options.onGone(thread)
      tellCapacity()
    })
    return thread
  }
  const end = (thread: Thread): void => {
    clearTimeout(idle.get(thread))
    idle.delete(thread)
    up.delete(thread)
    tellCapacity()
    void thread.terminate()
  }
  const addIdle = (thread: Thread): void => {
    idle.set(thread, setTimeout(() => end(thread), idleMs).unref())
  }

  const endShortage = (): void => {
    clearTimeout(calmTimer)
    tries = 0
    if (reason === null) return
    reason = null
    options.onShortage(null)
  }
  function reportShortage(why: string): void {
    if (closing) return
    const isNew = reason === null
    reason = why
    blocked = true
    clearTimeout(calmTimer)
    if (retryTimer === undefined) {
      retryTimer = setTimeout(probe, backoffMs(RETRY, tries++, random())).unref()
    }
    tellCapacity()
    if (isNew) options.onShortage(why)
  }
  function probe(): void {
    retryTimer = undefined
    try {
      const thread = open(() => {
        clearTimeout(late)
        if (closing) return
        blocked = false
        calmTimer = setTimeout(endShortage, CALM_MS).unref()
        addIdle(thread)
        tellCapacity()
        options.onRoom()
      })
      const late = setTimeout(() => {
        if (up.has(thread) || !all.has(thread)) return
        end(thread)
        reportShortage('a thread does not come up in time')
      }, LATE_MS).unref()
    } catch (error) {
      reportShortage(whyNotStarted(error))
    }
  }

  return {
    get(kind) {
      // the last used thread is the warmest; one that has this kind alone is of no use to others
      const free = [...idle]
      const last =
        free.findLast(([thread]) => thread.isOnlyFor(kind)) ??
        free.findLast(([thread]) => thread.serves(kind))
      if (last) {
        clearTimeout(last[1])
        idle.delete(last[0])
        return last[0]
      }
      if (blocked) return null
      // idle threads of other kinds count towards `size` too
      const [oldest] = idle.keys()
      if (oldest && idle.size + options.busy() >= size) end(oldest)
      try {
        return open(() => {})
      } catch (error) {
        reportShortage(whyNotStarted(error))
        return null
      }
    },
    addIdle,
    end,
    endIdle() {
      for (const thread of [...idle.keys()]) end(thread)
    },
    reportShortage,
    reportSuccess() {
      if (tries > 0 && !blocked) endShortage()
    },
    idle: () => idle.size,
    close() {
      closing ??= (async () => {
        clearTimeout(retryTimer)
        clearTimeout(calmTimer)
        for (const timer of idle.values()) clearTimeout(timer)
        await Promise.all([...all].map(thread => thread.terminate()))
      })()
      return closing
    },
  }
}
