// Measures how long tasks wait and run, by kind, in the buckets of a histogram.

/** Upper bounds in seconds; the last bucket is for longer times. */
export const BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200, 43_200,
] as const

/** `counts`: how many values each bucket has, not cumulative; the last is for values over all bounds. */
export interface Histogram {
  counts: number[]
  sumSeconds: number
}

/**
 * Waits: from when a task is due until an attempt begins. Runs: from the beginning of a run until the attempt's end.
 */
export interface KindTimings {
  wait: Histogram
  run: Histogram
}

export type Timings = Record<string, KindTimings>

const empty = (): Histogram => ({ counts: new Array<number>(BUCKETS.length + 1).fill(0), sumSeconds: 0 })

export interface TimingsMeter {
  /** A negative time, from a clock that went back, counts as 0. */
  observe(kind: string, what: keyof KindTimings, seconds: number): void
  snapshot(): Timings
}

export const createTimings = (): TimingsMeter => {
  const kinds = new Map<string, KindTimings>()
  return {
    observe(kind, what, seconds) {
      const timings = kinds.get(kind) ?? { wait: empty(), run: empty() }
      kinds.set(kind, timings)
      const histogram = timings[what]
      const took = Math.max(0, seconds)
      const found = BUCKETS.findIndex(bound => took <= bound)
      const place = found < 0 ? BUCKETS.length : found
      histogram.counts[place] = (histogram.counts[place] ?? 0) + 1
      histogram.sumSeconds += took
    },
    snapshot: () => structuredClone(Object.fromEntries(kinds)),
  }
}
