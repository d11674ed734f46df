// What each kind does: its tasks that wait and run, how long its last runs took, and its failures of the last day.

import { within } from '../../core/async/deadline.ts'
import { INSIDE } from '../../core/policy.ts'
import { lastRunsOf } from '../../core/run-times.ts'
import type { Service } from '../../core/service.ts'
import { countIn } from '../../core/status.ts'
import type { TaskStore } from '../../core/store.ts'
import type { FailureBook } from './failure-book.ts'

/** Of one kind. Null: not known in time. */
export interface KindFigure {
  name: string
  waiting: number | null
  running: number | null
  /** Tasks that ended in FAILURE in the last day. */
  failures: number | null
  /** Seconds, of so many of its last ended tasks; null if none has ended too. */
  runs: { count: number; p50: number; p90: number } | null
}

/** The known kinds, then those that only tasks that wait have. */
export interface KindFigures {
  /** ISO-8601: where the day of the failures begins. */
  since: string
  kinds: KindFigure[]
  /** False: not all failures are read, because there are too many or the reading goes on. */
  isWhole: boolean
}

export interface KindFiguresDeps {
  service: Pick<Service, 'kinds'>
  store: Pick<TaskStore, 'list' | 'counts'>
  failures: FailureBook
  /** Milliseconds since 1970. */
  clock: () => number
}

/** Ended tasks per kind: enough for a ninetieth percentile, and cheap to read. */
const SAMPLE = 50
const SOURCE_MS = 1_500
/** An answer is used for so long. */
const KEPT_MS = 3_000
const DAY_MS = 24 * 60 * 60 * 1000

/** The smallest value that so large a share of them do not exceed (nearest rank). */
const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0

const runsOf = (seconds: readonly number[]): KindFigure['runs'] => {
  if (seconds.length === 0) return null
  const sorted = seconds.toSorted((a, b) => a - b)
  return { count: sorted.length, p50: quantile(sorted, 0.5), p90: quantile(sorted, 0.9) }
}

/** Never rejects. Questions within some seconds share the reading. */
export const createKindFigures = ({
  service,
  store,
  failures,
  clock,
}: KindFiguresDeps): (() => Promise<KindFigures>) => {
  const inTime = <T>(asked: Promise<T>): Promise<T | null> =>
    within<T | null, null>(
      SOURCE_MS,
      asked.catch(() => null),
      () => null,
    )

  const read = async (): Promise<KindFigures> => {
    const names = service.kinds(INSIDE).map(({ name }) => name)
    const [counts, found, runs] = await Promise.all([
      inTime(store.counts()),
      inTime(failures()),
      Promise.all(names.map(name => inTime(lastRunsOf(store, name, SAMPLE)))),
    ])
    // a task outlives the file of its kind
    const gone = Object.entries(counts?.byKind ?? {})
      .filter(([name, byStatus]) => !names.includes(name) && countIn('waiting', byStatus) > 0)
      .map(([name]) => name)
      .sort()
    const kinds = [...names, ...gone].map((name, at): KindFigure => {
      const byStatus = counts?.byKind[name] ?? {}
      return {
        name,
        waiting: counts && countIn('waiting', byStatus),
        running: counts && countIn('running', byStatus),
        failures: found && (found.byKind[name] ?? 0),
        runs: runsOf(runs[at] ?? []),
      }
    })
    const since = new Date(clock() - DAY_MS).toISOString()
    return { since, kinds, isWhole: found?.isWhole ?? false }
  }

  let last: { at: number; reading: Promise<KindFigures> } | null = null
  return () => {
    if (!last || Math.abs(clock() - last.at) >= KEPT_MS) last = { at: clock(), reading: read() }
    return last.reading
  }
}
