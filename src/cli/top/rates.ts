// How many tasks come and end in a second, from counts that were read one after another. Pure.
import type { ServerStatus } from '../../client/client.ts'

/** So far back a rate looks. */
const WINDOW_MS = 60_000

export interface Rates {
  /** A second; null: there is too little to say. */
  ended: number | null
  failed: number | null
}

interface Sample {
  at: number
  ended: number
  failed: number
}

/** What is removed meanwhile counts as nothing, and never as less than nothing. */
const rise = (samples: readonly Sample[], of: (sample: Sample) => number): number =>
  samples.slice(1).reduce((sum, sample, at) => sum + Math.max(0, of(sample) - of(samples[at] as Sample)), 0)

export const createRates = (): { add(status: ServerStatus): Rates } => {
  let samples: Sample[] = []
  return {
    add({ tasks, time }) {
      const at = Date.parse(time)
      if (!tasks || Number.isNaN(at)) return { ended: null, failed: null }
      const { SUCCESS, FAILURE, REVOKED } = tasks.byStatus
      const last = samples.at(-1)
      // a clock that was set back
      if (last && at < last.at) samples = []
      samples.push({ at, ended: SUCCESS + FAILURE + REVOKED, failed: FAILURE })
      samples = samples.filter(sample => sample.at >= at - WINDOW_MS)
      const seconds = (at - (samples[0]?.at ?? at)) / 1000
      if (seconds < 1) return { ended: null, failed: null }
      return {
        ended: rise(samples, ({ ended }) => ended) / seconds,
        failed: rise(samples, ({ failed }) => failed) / seconds,
      }
    },
  }
}
