// What is counted by the minute, by rate-limiter-flexible, over whatever counts for all processes of a store. A window
// begins with the first that is counted, or where the counter says.
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import { RATE_WINDOW_SECONDS } from '../../core/quotas.ts'
import type { Rates } from '../../core/store.ts'

/**
 * Counts points for a name unless there would be more than `limit`; fewer than 0 take back. Answers how many there are
 * with them, and until the window ends, milliseconds.
 */
export type RateCounter = (
  name: string,
  points: number,
  seconds: number,
  limit: number,
) => Promise<readonly [count: number, resetMs: number]>

/** What the library calls of a client: its script, whose arguments are name, points, seconds and limit. */
const clientOver = (counter: RateCounter) => ({
  rlflxIncr: ([name = '', points, seconds, limit]: string[]) =>
    counter(name, Number(points), Number(seconds), Number(limit)),
})

/** Limits that are in use: those of the settings. */
const LIMITERS_MAX = 16

/** @param elapsed milliseconds of a monotonic clock */
export const createRates = (counter: RateCounter, elapsed = () => performance.now()): Rates => {
  const limiters = new Map<number, RateLimiterRedis>()
  const limiterOf = (limit: number): RateLimiterRedis => {
    const known = limiters.get(limit)
    if (known) return known
    if (limiters.size >= LIMITERS_MAX) limiters.clear()
    const made = new RateLimiterRedis({
      storeClient: clientOver(counter),
      points: limit,
      duration: RATE_WINDOW_SECONDS,
      keyPrefix: '',
    })
    limiters.set(limit, made)
    return made
  }
  /** @param endsMs of the window, on the monotonic clock: what a window has counted is no part of the next one */
  const taker = (name: string, points: number, endsMs: number): (() => Promise<void>) => {
    let isDue = true
    return async () => {
      if (!isDue || elapsed() >= endsMs) return
      isDue = false
      await limiterOf(1).reward(name, points)
    }
  }
  return {
    async take(name, points, limit) {
      // before the store looks at its clock: the window is not over earlier than this says
      const askedMs = elapsed()
      try {
        const { consumedPoints, msBeforeNext } = await limiterOf(limit).consume(name, points)
        return {
          ...{ allowed: true, left: Math.max(0, limit - consumedPoints), resetMs: msBeforeNext },
          giveBack: taker(name, points, askedMs + msBeforeNext),
        }
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal
        const { consumedPoints, msBeforeNext } = refusal
        return {
          ...{ allowed: false, left: Math.max(0, limit - (consumedPoints - points)), resetMs: msBeforeNext },
          giveBack: async () => {},
        }
      }
    },
  }
}
