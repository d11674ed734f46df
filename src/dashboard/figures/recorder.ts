// Samples machine, queue and tasks every ten seconds, keeps the figures, and tells them to whoever listens. What
// cannot be read at a time is a gap there.

import path from 'node:path'
import { within } from '../../core/async/deadline.ts'
import { INSIDE } from '../../core/policy.ts'
import type { Service, ServiceState } from '../../core/service.ts'
import type { SeenPresence } from '../../core/store.ts'
import type { HostSnapshot } from '../../platform/host.ts'
import type { Log } from '../../platform/log.ts'
import { percent } from '../../platform/percent.ts'
import {
  COLUMN_NAMES,
  type ColumnName,
  MEASURED_ROLES,
  noValues,
  type Sample,
  shown,
  type Values,
  valuesOf,
} from './columns.ts'
import { openRings, SPANS, type Span, stepOf } from './rings.ts'
import { addCounts, createWorkFigures, NOTHING, quantile, type WorkDone } from './work-figures.ts'

/** As columns of one length. Null: a gap. `at`: milliseconds since 1970, `everyMs` apart. */
export type FigureColumns = { span: Span; everyMs: number; at: number[] } & Record<
  ColumnName,
  (number | null)[]
>

export interface Figures {
  /**
   * `points`: at most so many, each the mean of several steps where there are more; left out: all steps.
   * `names`: only these columns.
   */
  columns(span: Span, points?: number, names?: readonly ColumnName[]): FigureColumns
  /** The samples of the last hour after this time, oldest first: to go on without a gap. */
  since(ms: number): Sample[]
  /** Calls `listener` with each new sample, until the answer is called. */
  subscribe(listener: (sample: Sample) => void): () => void
  /** Takes a sample now. Never rejects. */
  sample(): Promise<void>
  /** Idempotent. */
  close(): Promise<void>
}

export interface FiguresOptions {
  dataDir: string
  service: Pick<Service, 'state'>
  host: { snapshot(): HostSnapshot }
  /** Whether a process is of this bundle. */
  isOwn: (presence: SeenPresence) => boolean
  log: Log
  /** Milliseconds since 1970. */
  clock?: () => number
  /** Milliseconds of a monotonic clock. */
  elapsed?: () => number
  /** Whether samples are taken by themselves; a test takes them by hand. */
  isTimed?: boolean
}

/** The file in the data folder. */
export const figuresFile = (dataDir: string): string => path.join(dataDir, 'figures')

/** How long the store may take, less than the time between two samples. */
const STATE_MS = 5_000
/** After a step of the clock, so that a timer that is early by a millisecond falls behind it. */
const AFTER_MS = 50

const hostValues = ({ cpu, memory, disks, loadAverages, container }: HostSnapshot) => {
  const { memoryLimitBytes = null, memoryUsedBytes = null } = container ?? {}
  return {
    cpu: cpu.loadPercent,
    memory:
      memoryLimitBytes === null || memoryUsedBytes === null
        ? memory.usedPercent
        : percent(memoryUsedBytes, memoryLimitBytes),
    disk: disks.find(disk => disk.data)?.usedPercent ?? null,
    load: loadAverages[0],
  }
}

const stateValues = ({ counts, waiting, queue }: ServiceState) => ({
  ...counts.byStatus,
  // the embedded queue holds nothing: its tasks wait in the store
  queueDepth: queue.name === 'embedded' ? waiting : queue.depth,
})

/** What each role of the bundle uses, by its own word. */
const roleValues = (presences: readonly SeenPresence[]): Partial<Values> => {
  const used: Partial<Values> = {}
  for (const role of MEASURED_ROLES) {
    const alive = presences.filter(one => one.alive && one.role === role)
    if (alive.length === 0) continue
    used[`${role}Cpu`] = alive.reduce((sum, { details }) => sum + 100 * details.cpu, 0)
    used[`${role}Memory`] = alive.reduce((sum, { details }) => sum + details.rssBytes, 0)
  }
  return used
}

const timesOf = ({ wait, run }: Pick<WorkDone, 'wait' | 'run'>) => ({
  waitP50: quantile(wait, 0.5),
  waitP90: quantile(wait, 0.9),
  runP50: quantile(run, 0.5),
  runP90: quantile(run, 0.9),
})

const workValues = (work: WorkDone) => ({
  started: work.started / work.minutes,
  succeeded: work.succeeded / work.minutes,
  failed: work.failed / work.minutes,
  ...timesOf(work),
})

const mean = (values: readonly (number | null | undefined)[]): number | null => {
  const known = values.filter(value => value !== null && value !== undefined)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length
}

/** The mean of each `steps` values. */
const meansOf = (name: ColumnName, values: readonly (number | null)[], steps: number): (number | null)[] => {
  const means: (number | null)[] = []
  for (let from = 0; from < values.length; from += steps) {
    const value = mean(values.slice(from, from + steps))
    means.push(value === null ? null : shown(name, value))
  }
  return means
}

/** Begins to sample at once. */
export const openFigures = async (options: FiguresOptions): Promise<Figures> => {
  const { dataDir, service, host, isOwn, log, isTimed = true } = options
  const { clock = Date.now, elapsed = () => performance.now() } = options
  const rings = await openRings(figuresFile(dataDir), log)
  const workSince = createWorkFigures()
  const listeners = new Set<(sample: Sample) => void>()
  /** How long tasks waited and ran in this minute, as far as this process has seen it. */
  let minute = { at: 0, wait: NOTHING.wait, run: NOTHING.run }
  let timer: NodeJS.Timeout | undefined
  let underWay: Promise<void> | null = null
  let closed = false

  const readState = async (): Promise<ServiceState | null> => {
    try {
      return await within(STATE_MS, service.state(INSIDE), () => null)
    } catch (error) {
      log.debug({ error }, 'the state cannot be read for the figures')
      return null
    }
  }

  /** The mean over the samples of the minute so far, also over those before a restart. */
  const minuteValues = (at: number): Values => {
    const { everyMs } = SPANS.hour
    const steps = Array.from({ length: SPANS.week.everyMs / everyMs }, (_, step) =>
      rings.at('hour', at + step * everyMs),
    )
    return { ...valuesOf(name => mean(steps.map(step => step?.[name]))), ...timesOf(minute) }
  }

  const takeSample = async (): Promise<void> => {
    const askedAt = elapsed()
    const state = await readState()
    const nowMs = clock()
    const work = state && workSince(state.presences, nowMs, askedAt)
    if (closed) return
    const sample: Sample = {
      ...noValues(),
      ...hostValues(host.snapshot()),
      ...(state ? { ...stateValues(state), ...roleValues(state.presences.filter(isOwn)) } : {}),
      ...(work ? workValues(work) : {}),
      at: stepOf('hour', nowMs),
    }
    rings.put('hour', sample)
    const at = stepOf('week', nowMs)
    if (minute.at !== at) minute = { at, wait: NOTHING.wait, run: NOTHING.run }
    if (work) minute = { at, wait: addCounts(minute.wait, work.wait), run: addCounts(minute.run, work.run) }
    // with every sample, so that a kill loses no minute
    rings.put('week', { at, ...minuteValues(at) })
    const kept = rings.at('hour', sample.at)
    if (kept) for (const listener of listeners) listener(kept)
  }

  const sampleOnce = (): Promise<void> => {
    underWay ??= takeSample()
      .catch((error: unknown) => log.error({ error }, 'the figures cannot be sampled'))
      .finally(() => {
        underWay = null
      })
    return underWay
  }
  const schedule = (): void => {
    if (closed) return
    const { everyMs } = SPANS.hour
    const leftMs = everyMs - (clock() % everyMs) + AFTER_MS
    timer = setTimeout(() => void sampleOnce().then(schedule), leftMs).unref()
  }
  if (isTimed) {
    // the first look is what the next one is compared with
    void service.state(INSIDE).then(
      state => workSince(state.presences, clock(), elapsed()),
      () => null,
    )
    schedule()
  }

  return {
    columns(span, points = SPANS[span].rows, names = COLUMN_NAMES) {
      const times = rings.times(span, clock())
      const steps = Math.max(1, Math.ceil(times.length / points))
      const everyMs = SPANS[span].everyMs * steps
      const columns = names.map(name => {
        const values = rings.column(span, name, times)
        return [name, steps === 1 ? values : meansOf(name, values, steps)]
      })
      return {
        ...{ span, everyMs },
        at: times.filter((_, place) => place % steps === 0),
        ...(Object.fromEntries(columns) as Record<ColumnName, (number | null)[]>),
      }
    },
    since: ms =>
      rings.times('hour', clock()).flatMap(at => {
        const sample = at > ms ? rings.at('hour', at) : null
        return sample ? [sample] : []
      }),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    sample: sampleOnce,
    async close() {
      closed = true
      clearTimeout(timer)
      listeners.clear()
      await underWay
      await rings.close()
    },
  }
}
