// The two time limits of one attempt.
import type { Limits } from '../core/task.ts'

/** The longest time that setTimeout takes; a longer one would fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

const after = (ms: number, act: () => void): (() => void) => {
  let timer: NodeJS.Timeout
  const wait = (left: number): void => {
    timer = setTimeout(
      () => (left > MAX_TIMEOUT_MS ? wait(left - MAX_TIMEOUT_MS) : act()),
      Math.min(left, MAX_TIMEOUT_MS),
    )
  }
  wait(ms)
  return () => clearTimeout(timer)
}

/** Calls `soft` and `hard` when their time is over; returns a function that cancels both. */
export const startTimeLimits = (limits: Limits, on: { soft: () => void; hard: () => void }): (() => void) => {
  const takeBack = [
    limits.softSeconds === null ? null : after(limits.softSeconds * 1000, on.soft),
    limits.hardSeconds === null ? null : after(limits.hardSeconds * 1000, on.hard),
  ]
  return () => {
    for (const clear of takeBack) clear?.()
  }
}
