// Attempts that have begun and whose record does not say so yet. Such a record is written after a moment, or at its end
// if that comes first: otherwise a tiny task would need two writes instead of one. Until then the claim alone
// says that the task runs. How a record is written is the store's business.

export interface LateStarts {
  /** The attempt has begun: its record is written in a moment. */
  add(id: string): void
  /** Whether the record is still to be written. */
  has(id: string): boolean
  /** The record is written, or is no longer this process's to write. */
  delete(id: string): void
  /** Writes all that are still to be written, as far as the store takes them. */
  flush(): Promise<void>
}

interface LateStartsDeps {
  /** Writes the record, and calls `delete`. Does nothing for a task that is no longer held. */
  write: (id: string) => Promise<void>
  /** Called when a write has failed; it is tried again in a second. */
  onFailed: (id: string, error: unknown) => void
}

/**
 * An attempt that lasts longer is shown as running. Tasks that are taken ahead wait up to so long for a thread, and
 * writing sooner that they run would double the writes of many tiny tasks.
 */
const WRITE_AFTER_MS = 50
/** How long to wait after a write that failed. */
const WRITE_AGAIN_MS = 1_000

export const createLateStarts = ({ write, onFailed }: LateStartsDeps): LateStarts => {
  const timers = new Map<string, NodeJS.Timeout>()

  const schedule = (id: string, afterMs: number): void => {
    clearTimeout(timers.get(id))
    const timer = setTimeout(() => {
      write(id).catch((error: unknown) => {
        // it has ended meanwhile, or begun anew
        if (timers.get(id) !== timer) return
        onFailed(id, error)
        schedule(id, WRITE_AGAIN_MS)
      })
    }, afterMs).unref()
    timers.set(id, timer)
  }

  return {
    add: id => schedule(id, WRITE_AFTER_MS),
    has: id => timers.has(id),
    delete(id) {
      clearTimeout(timers.get(id))
      timers.delete(id)
    },
    async flush() {
      await Promise.allSettled([...timers.keys()].map(write))
    },
  }
}
