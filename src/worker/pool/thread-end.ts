// Explains why a thread ended on its own.
import { describeError } from '../describe-error.ts'
import type { RunOutcome } from './protocol.ts'
import { whyNotStarted } from './shortage.ts'

export const isOutOfMemory = (failure: Error | null): boolean =>
  (failure as NodeJS.ErrnoException | null)?.code === 'ERR_WORKER_OUT_OF_MEMORY'

/** Why a thread ended before it was up. */
export const whyNotUp = (failure: Error | null, exitCode: number): string =>
  failure ? whyNotStarted(failure) : `a thread ended with code ${exitCode} before it was up`

/** Why a thread ended on its own. */
export const explain = (
  failure: Error | null,
  exitCode: number,
  wasReady: boolean,
  memoryMb: number,
): RunOutcome => {
  // it had been sent nothing yet, so no task caused this
  if (!wasReady) return { type: 'unbegun', reason: whyNotUp(failure, exitCode) }
  if (isOutOfMemory(failure))
    return {
      type: 'error',
      error: {
        code: 'OUT_OF_MEMORY',
        message: `The task used more than the ${memoryMb} MB that a thread may`,
        stack: null,
        names: [],
        detail: null,
        retryable: true,
      },
    }
  const said = failure ?? `The kind ended its thread with process.exit(${exitCode})`
  return { type: 'error', error: describeError(said) }
}
