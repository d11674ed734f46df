// Whether a failed attempt is retried, and after how long. Pure.
import type { RetryPolicy } from './task.ts'

/** Whether the policy retries an error with these names. */
export const isRetried = ({ retryOn }: RetryPolicy, names: readonly string[]): boolean =>
  retryOn === undefined || names.some(name => retryOn.includes(name))

/**
 * Milliseconds from the end of attempt `attempt` (1 for the first) to the next: exponential backoff whose upper half
 * is random, so that tasks that failed together do not come back together. `random` lies in [0, 1).
 */
export const retryDelayMs = (policy: RetryPolicy, attempt: number, random: number): number => {
  // 0 times infinity would not be a number
  const grown =
    policy.delaySeconds === 0 ? 0 : policy.delaySeconds * policy.factor ** Math.max(0, attempt - 1)
  const whole = Math.min(grown, policy.maxDelaySeconds) * 1000
  return Math.round(whole / 2 + (whole / 2) * random)
}
