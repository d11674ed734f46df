// What is tried again: which errors pass by themselves, and the wait before the next try, which can be cut short.
import type { ProblemError } from './api.ts'

const WAITS_MS = [500, 1_000, 2_000, 4_000]

/** Whether the same request may be answered better in a moment: the server is away, restarts, or has no room now. */
export const passes = ({ code, status }: ProblemError): boolean =>
  code === 'AWAY' ||
  code === 'REQUEST_TIMEOUT' ||
  (status >= 502 && status <= 504 && code !== 'KIND_IN_TROUBLE')

/** Milliseconds before the next try, after so many in a row that failed. */
export const waitAfter = (fails: number): number => WAITS_MS[Math.min(fails, WAITS_MS.length) - 1] ?? 500

/** Resolves after the time, or when `now` fires. Rejects with the signal's reason. */
export const patience = (ms: number, signal: AbortSignal, now?: EventTarget): Promise<void> =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const end = (): void => {
      clearTimeout(timer)
      now?.removeEventListener('now', done)
      signal.removeEventListener('abort', stop)
    }
    const done = (): void => {
      end()
      resolve()
    }
    const stop = (): void => {
      end()
      reject(signal.reason as Error)
    }
    const timer = setTimeout(done, ms)
    now?.addEventListener('now', done)
    signal.addEventListener('abort', stop)
  })
