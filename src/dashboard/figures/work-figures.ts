// What the workers did between two looks, from what their presences say: how many attempts began and how tasks ended,
// and how long they waited and ran. A presence has totals since the start of its process. They are compared with
// earlier totals of the same process alone, so a restart counts nothing twice and nothing backwards.
import type { SeenPresence } from '../../core/store.ts'
import { BUCKETS } from '../../core/timings.ts'

/** How many values each bucket of `BUCKETS` has; the last is for values over all bounds. */
type Counts = readonly number[]

interface Totals {
  succeeded: number
  failed: number
  wait: Counts
  run: Counts
}

/** `minutes` is the time between the two looks, for rates. */
export interface WorkDone extends Totals {
  started: number
  minutes: number
}

const ZERO: Counts = new Array<number>(BUCKETS.length + 1).fill(0)
export const NOTHING: Totals = { succeeded: 0, failed: 0, wait: ZERO, run: ZERO }

const sum = (numbers: Iterable<number>): number => {
  let all = 0
  for (const number of numbers) all += number
  return all
}
export const addCounts = (a: Counts, b: Counts): Counts => a.map((count, at) => count + (b[at] ?? 0))
const lessCounts = (a: Counts, b: Counts): Counts => a.map((count, at) => Math.max(0, count - (b[at] ?? 0)))

const totalsOf = ({ details }: SeenPresence): Totals => {
  const timings = Object.values(details.timings ?? {})
  return {
    succeeded: details.counters.succeeded ?? 0,
    failed: sum(Object.values(details.failures ?? {}).flatMap(codes => Object.values(codes))),
    wait: timings.reduce((all, { wait }) => addCounts(all, wait.counts), ZERO),
    run: timings.reduce((all, { run }) => addCounts(all, run.counts), ZERO),
  }
}

/** After a longer time without a look, what was done in it belongs to no point of a chart. */
const LONGEST_MS = 60_000
/** A presence may appear so long after the start of its process. */
const APPEARS_MS = 30_000

/**
 * What was done since the last call; null at the first, and after a gap.
 * @param wallMs milliseconds since 1970, by the clock of the presences
 * @param elapsedMs milliseconds of a monotonic clock
 */
export type WorkFigures = (
  presences: readonly SeenPresence[],
  wallMs: number,
  elapsedMs: number,
) => WorkDone | null

export const createWorkFigures = (): WorkFigures => {
  let before: { totals: Map<string, Totals>; wallMs: number; elapsedMs: number } | null = null
  return (presences, wallMs, elapsedMs) => {
    const workers = presences.filter(({ details }) => details.slots > 0)
    const now = new Map(workers.map(presence => [presence.instance, totalsOf(presence)]))
    const last = before
    before = { totals: now, wallMs, elapsedMs }
    if (last === null || elapsedMs - last.elapsedMs > LONGEST_MS || elapsedMs <= last.elapsedMs) return null
    let done = NOTHING
    for (const presence of workers) {
      const isNew = Date.parse(presence.startedAt) > last.wallMs - APPEARS_MS
      const base = last.totals.get(presence.instance) ?? (isNew ? NOTHING : null)
      const total = now.get(presence.instance)
      // it was there before and not seen: how much of its work is new is not known
      if (!base || !total) continue
      done = {
        succeeded: done.succeeded + Math.max(0, total.succeeded - base.succeeded),
        failed: done.failed + Math.max(0, total.failed - base.failed),
        wait: addCounts(done.wait, lessCounts(total.wait, base.wait)),
        run: addCounts(done.run, lessCounts(total.run, base.run)),
      }
    }
    return { ...done, started: sum(done.wait), minutes: (elapsedMs - last.elapsedMs) / 60_000 }
  }
}

/**
 * Seconds below which the share `part` (0 to 1) of the values lies, between the bounds of its bucket as if they were
 * spread evenly there. Null without values.
 */
export const quantile = (counts: Counts, part: number): number | null => {
  const wanted = sum(counts) * part
  if (wanted === 0) return null
  let below = 0
  for (const [at, count] of counts.entries()) {
    if (count === 0 || below + count < wanted) {
      below += count
      continue
    }
    const from = BUCKETS[at - 1] ?? 0
    // above the last bound nothing more is known
    const to = BUCKETS[at] ?? from
    return from + (to - from) * ((wanted - below) / count)
  }
  return BUCKETS[BUCKETS.length - 1] ?? null
}
