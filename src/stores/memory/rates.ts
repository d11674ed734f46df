// What is counted by the minute, in memory.
import type { RateCounter } from '../shared/rates.ts'

export type StoredRates = Map<string, { count: number; endsMs: number }>

export const createRateCounter =
  (stored: StoredRates, clock: () => Date): RateCounter =>
  async (name, points, seconds, limit) => {
    const nowMs = clock().getTime()
    const known = stored.get(name)
    const window = known && known.endsMs > nowMs ? known : { count: 0, endsMs: nowMs + seconds * 1000 }
    const next = window.count + points
    if (points < 0) window.count = Math.max(0, next)
    else if (next <= limit) window.count = next
    stored.set(name, window)
    return [next, window.endsMs - nowMs]
  }
