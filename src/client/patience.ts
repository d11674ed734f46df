// How long to wait before another try, and when to give up.
import { ApiError, isTemporary } from './errors.ts'

const FIRST_DELAY_MS = 100
const LAST_DELAY_MS = 5_000

/** Waits. @throws the reason of the signal */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })

export interface Patience {
  /** Waits before the next try; throws the error if another try is pointless. */
  waitBeforeRetry(error: unknown, signal?: AbortSignal): Promise<void>
  /** Call it after a success. */
  reset(): void
}

/**
 * Exponential backoff with jitter, until `patienceMs` after the first failure in a row.
 * @param mayPass whether another try may succeed
 */
export const createPatience = (patienceMs: number, mayPass = isTemporary): Patience => {
  let failures = 0
  let since = 0
  return {
    async waitBeforeRetry(error, signal) {
      if (signal?.aborted) throw signal.reason
      if (failures === 0) since = performance.now()
      const backoff = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures, 20))
      failures += 1
      const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0
      const delay = Math.max(asked, backoff * (0.5 + Math.random() / 2))
      if (!mayPass(error) || performance.now() - since + delay > patienceMs) throw error
      await pause(delay, signal)
    },
    reset() {
      failures = 0
    },
  }
}
