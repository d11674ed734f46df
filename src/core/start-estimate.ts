// When a waiting task is likely to start: from what runs, what comes before it, and how long such tasks have run. It
// supposes that the next runs are like the last ones, that no other task overtakes, and that no worker comes or goes.
import type { StartEstimate } from './wait-reasons.ts'

/** How long runs of a kind took, in seconds. */
export interface RunTimes {
  mean: number
  /** Mean of the squares, so that kinds can be put together. */
  meanSquare: number
  /** What the run that ends first still needs, by the running tasks' own estimates; null: not each gives one. */
  soonest: number | null
}

/** Slots that work off the same tasks. */
export interface Station {
  slots: number
  /** Busy slots, by kind. */
  running: ReadonlyMap<string, number>
  /** Tasks that come first, by kind. */
  before: ReadonlyMap<string, number>
}

/** How many standard deviations the ninetieth percentile of a normal distribution is above its mean. */
const Z90 = 1.2816

const sum = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((total, count) => total + count, 0)

/** Whole milliseconds, in seconds. */
export const estimateOf = (p50: number, p90 = p50): StartEstimate => {
  const rounded = (seconds: number): number => Math.round(Math.max(0, seconds) * 1000) / 1000
  return { p50: rounded(p50), p90: rounded(Math.max(p50, p90)) }
}

/** Mean and variance of a run of these kinds; kinds without run times count as the others. Null: none has any. */
const mixed = (
  weights: ReadonlyMap<string, number>,
  times: ReadonlyMap<string, RunTimes>,
): { mean: number; variance: number } | null => {
  let [weight, mean, square] = [0, 0, 0]
  for (const [kind, count] of weights) {
    const known = times.get(kind)
    if (!known) continue
    weight += count
    mean += count * known.mean
    square += count * known.meanSquare
  }
  if (weight === 0) return null
  return { mean: mean / weight, variance: Math.max(0, square / weight - (mean / weight) ** 2) }
}

/** What the first of the runs under way still needs; 0 where one of them does not say. */
const soonestEnd = (running: ReadonlyMap<string, number>, times: ReadonlyMap<string, RunTimes>): number => {
  const kinds = [...running].filter(([, count]) => count > 0)
  const known = kinds.flatMap(([kind]) => times.get(kind)?.soonest ?? [])
  return known.length > 0 && known.length === kinds.length ? Math.min(...known) : 0
}

/**
 * With free slots for all that come before, at once. Otherwise k = (those before) - (free slots) + 1 runs have to end
 * first. With S busy slots one ends every mean/S seconds, so that takes k * mean / S, with a standard deviation of
 * sqrt(k) * deviation / S (the central limit theorem; the deviation is taken as at least half of the mean, since it is
 * unknown how long the present runs have to go). It is not before the first of the present runs ends, by their own
 * estimates. Null: nothing is known of these kinds.
 */
export const estimateStart = (
  { slots, running, before }: Station,
  times: ReadonlyMap<string, RunTimes>,
): StartEstimate | null => {
  const ends = sum(before) - Math.max(0, slots - sum(running)) + 1
  if (ends <= 0) return estimateOf(0)
  if (slots <= 0) return null
  const weights = new Map(before)
  for (const [kind, count] of running) weights.set(kind, (weights.get(kind) ?? 0) + count)
  const run = mixed(weights, times)
  if (!run) return null
  const soonest = soonestEnd(running, times)
  const p50 = Math.max((ends * run.mean) / slots, soonest)
  const deviation = Math.max(Math.sqrt(run.variance), run.mean / 2)
  return estimateOf(p50, p50 + (Z90 * Math.sqrt(ends) * deviation) / slots)
}

/** The later of two; null where neither is known. */
export const laterOf = (a: StartEstimate | null, b: StartEstimate | null): StartEstimate | null =>
  a && b ? estimateOf(Math.max(a.p50, b.p50), Math.max(a.p90, b.p90)) : (a ?? b)
