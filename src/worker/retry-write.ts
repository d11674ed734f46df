// Repeats a write until it is durable, however long the store is away. The only place that repeats moves, and that
// tells temporary errors from permanent ones.
import { setTimeout as wait } from 'node:timers/promises'
import { type Backoff, backoffMs } from '../core/async/backoff.ts'
import { cutText } from '../core/cut-text.ts'
import { type ErrorCode, isMadhavaError, TEMPORARY_ERRORS } from '../core/errors.ts'
import type { Log } from '../platform/log.ts'

const RETRY: Backoff = { firstMs: 100, lastMs: 10_000 }
/** An unknown error may be temporary; after so many tries it counts as permanent. */
const TRIES_OF_UNKNOWN = 5

/** With these errors the task is no longer ours to write, so another try cannot help. */
const NO_LONGER_HELD: readonly ErrorCode[] = ['CLAIM_LOST', 'ILLEGAL_MOVE', 'TASK_NOT_FOUND']

export const isNoLongerHeld = (error: unknown): boolean =>
  isMadhavaError(error) && NO_LONGER_HELD.includes(error.code)

/** An error of the system, such as a full disk or too many open files. Node sets `syscall` and `errno`. */
const isSystemError = (error: Error): boolean => 'errno' in error || 'syscall' in error

/** A fault in the data, except for a shortage of memory. */
const isDataFault = (error: Error): boolean =>
  (error instanceof TypeError || error instanceof RangeError || error.name === 'DataCloneError') &&
  !/allocation failed/i.test(error.message)

export type ErrorClass =
  /** The store is away, full or busy: a later try may succeed. */
  | 'temporary'
  /** Every try would fail. */
  | 'permanent'
  | 'unknown'

/** What another try of the same write would do. */
export const classifyError = (error: unknown): ErrorClass => {
  if (isMadhavaError(error)) {
    if (TEMPORARY_ERRORS.includes(error.code) || error.code === 'SHUTTING_DOWN') return 'temporary'
    return error.code === 'INTERNAL' ? 'unknown' : 'permanent'
  }
  if (!(error instanceof Error)) return 'unknown'
  if (isDataFault(error)) return 'permanent'
  return isSystemError(error) ? 'temporary' : 'unknown'
}

/** What became of a write. */
export type WriteOutcome<T> =
  | { state: 'written'; value: T }
  /** The task is no longer ours, or the worker closes. */
  | { state: 'abandoned' }
  /** It cannot be written, now or later. */
  | { state: 'refused'; error: unknown }

/** What is wrong, short, for people. Of foreign errors only the name. */
export const whyRefused = (error: unknown): string => {
  if (isMadhavaError(error)) return cutText(error.message, 500)
  return error instanceof Error ? error.name : 'an error without a name'
}

export interface RetryOptions {
  log: Log
  /** 0 to 1, for jitter. */
  random: () => number
  /** Fires when the worker closes and no longer waits for the store. */
  closing: AbortSignal
  /** When this signal fires, the next try comes at once, since something has changed. */
  hurry: () => AbortSignal
  /** Every store accepts this data, so any error is temporary. */
  acceptedByAnyStore?: boolean
}

/**
 * Runs `write` until it succeeds or cannot succeed. `write` must be safe to repeat after any failure; its argument is
 * the number of failed tries. Never rejects.
 */
export const retryWrite = async <T>(
  write: (failed: number) => Promise<T>,
  { log, random, closing, hurry, acceptedByAnyStore = false }: RetryOptions,
): Promise<WriteOutcome<T>> => {
  let unknown = 0
  for (let failed = 0; ; failed += 1) {
    try {
      return { state: 'written', value: await write(failed) }
    } catch (error) {
      if (isNoLongerHeld(error)) {
        log.warn({ error }, 'the task is no longer held here; its end is left to others')
        return { state: 'abandoned' }
      }
      const errorClass = classifyError(error)
      if (errorClass === 'unknown') unknown += 1
      if (!acceptedByAnyStore && (errorClass === 'permanent' || unknown >= TRIES_OF_UNKNOWN))
        return { state: 'refused', error }
      if (closing.aborted) {
        log.error({ error }, 'the end of the task could not be written before the worker closed')
        return { state: 'abandoned' }
      }
      const retryMs = Math.round(backoffMs(RETRY, failed, random()))
      log.warn({ error, retryMs }, 'the end of the task could not be written; trying again')
      const hurried = hurry()
      const signal = hurried.aborted ? closing : AbortSignal.any([closing, hurried])
      await wait(retryMs, undefined, { signal }).catch(() => {})
    }
  }
}
