// Makes the last move of a run durable, however long the store is away. The one place that tries a move again.
import { setTimeout as wait } from 'node:timers/promises'
import { type ErrorCode, isMadhavaError } from '../core/errors.ts'
import type { Log } from '../platform/log.ts'

const MIN_BACKOFF_MS = 100
const MAX_BACKOFF_MS = 10_000

/** With these the task is no longer ours to write, and trying again would not change that. */
const OVER: readonly ErrorCode[] = ['CLAIM_LOST', 'ILLEGAL_MOVE', 'TASK_NOT_FOUND']

export const isOver = (error: unknown): boolean => isMadhavaError(error) && OVER.includes(error.code)

/**
 * Runs `write` until it succeeds; null when the task is no longer ours or the signal ended the tries. `write` must
 * be safe to repeat after any failure.
 */
export const persist = async <T>(
  write: () => Promise<T>,
  deps: { log: Log; random: () => number; signal: AbortSignal },
): Promise<T | null> => {
  for (let backoff = MIN_BACKOFF_MS; ; backoff = Math.min(MAX_BACKOFF_MS, backoff * 2)) {
    try {
      return await write()
    } catch (error) {
      if (isOver(error)) {
        deps.log.warn({ error }, 'the task is no longer held here; its end is left to others')
        return null
      }
      if (deps.signal.aborted) {
        deps.log.error({ error }, 'the end of the task could not be written before the worker closed')
        return null
      }
      const retryMs = Math.round(backoff * (0.5 + deps.random() / 2))
      deps.log.warn({ error, retryMs }, 'the end of the task could not be written; trying again')
      await wait(retryMs, undefined, { signal: deps.signal }).catch(() => {})
    }
  }
}
