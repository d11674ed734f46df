// What is counted by the minute, in memory.
import type { RateCounter } from '../shared/rates.ts'

export type StoredRates = Map<string, { count: number; endsMs: number }>

interface RateDeps {
  stored: StoredRates
  clock: () => Date
  /** @throws STORE_UNAVAILABLE when the store is closed */
  open: () => void
}

export const createRateCounter =
  ({ stored, clock, open }: RateDeps): RateCounter =>
  async (name, points, seconds, limit) => {
    open()
    const nowMs = clock().getTime()
    const known = stored.get(name)
    const window = known && known.endsMs > nowMs ? known : { count: 0, endsMs: nowMs + seconds * 1000 }
    const next = window.count + points
    if (points < 0) window.count = Math.max(0, next)
    else if (next <= limit) window.count = next
    stored.set(name, window)
    return [next, window.endsMs - nowMs]
  }
