// How long the last runs of a kind took, by the records of its ended tasks, and what those under way still need, by
// their own estimates. An answer is used for a few seconds.
import type { RunTimes } from './start-estimate.ts'
import { statusesIn } from './status.ts'
import type { TaskStore } from './store.ts'

/** Records per kind: enough for a mean, and cheap to read. */
const SAMPLE = 20
const KEPT_MS = 5_000
/** Kinds whose answer is remembered. */
const KINDS_KEPT = 200

/** Ends of runs that took as long as their kind takes; a lost worker's last run lasted until somebody noticed. */
const TOLD = statusesIn('final').filter(status => status !== 'REVOKED')
const OTHERWISE: readonly string[] = ['WORKER_LOST', 'EXPIRED']

export interface RunTimesReader {
  /** Of those of the kinds that have ended tasks. @throws STORE_UNAVAILABLE */
  read(kinds: readonly string[]): Promise<Map<string, RunTimes>>
}

/** How long the last runs of a kind took, in seconds, the newest task first. @throws STORE_UNAVAILABLE */
export const lastRunsOf = async (
  store: Pick<TaskStore, 'list'>,
  kind: string,
  limit: number,
): Promise<number[]> => {
  const { tasks } = await store.list({ kinds: [kind], statuses: TOLD }, { limit, cursor: null })
  return tasks.flatMap(({ startedAt, finishedAt, error }) =>
    startedAt === null || finishedAt === null || OTHERWISE.includes(error?.code ?? '')
      ? []
      : [Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt)) / 1000],
  )
}

/** Seconds until the first run of the kind ends; null unless each gives an estimate. @throws STORE_UNAVAILABLE */
const soonestOf = async (store: Pick<TaskStore, 'list'>, kind: string): Promise<number | null> => {
  const { tasks, next } = await store.list(
    { kinds: [kind], statuses: statusesIn('running') },
    { limit: SAMPLE, cursor: null },
  )
  const left = tasks.flatMap(({ progress }) => progress?.etaSeconds ?? [])
  return next === null && left.length > 0 && left.length === tasks.length ? Math.min(...left) : null
}

export const createRunTimes = (store: Pick<TaskStore, 'list'>, clock: () => Date): RunTimesReader => {
  const known = new Map<string, { at: number; times: Promise<RunTimes | null> }>()

  const sample = async (kind: string): Promise<RunTimes | null> => {
    const [seconds, soonest] = await Promise.all([lastRunsOf(store, kind, SAMPLE), soonestOf(store, kind)])
    if (seconds.length === 0) return null
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
    return { mean: mean(seconds), meanSquare: mean(seconds.map(value => value * value)), soonest }
  }

  const of = (kind: string): Promise<RunTimes | null> => {
    const now = clock().getTime()
    const last = known.get(kind)
    if (last && Math.abs(now - last.at) < KEPT_MS) return last.times
    const times = sample(kind)
    known.delete(kind)
    known.set(kind, { at: now, times })
    // a failure is not remembered
    times.catch(() => known.delete(kind))
    const [oldest] = known.keys()
    if (known.size > KINDS_KEPT && oldest !== undefined) known.delete(oldest)
    return times
  }

  return {
    async read(kinds) {
      const found = await Promise.all(kinds.map(async kind => [kind, await of(kind)] as const))
      return new Map(found.flatMap(([kind, times]) => (times ? [[kind, times] as const] : [])))
    },
  }
}
