// Asks the store and the presences what core/why.ts needs, for one task or a whole page: each is asked once.

import { type KindLimits, parseRate } from './kind-limits.ts'
import { seenKindTroubles } from './kind-trouble.ts'
import type { Kinds } from './kinds.ts'
import { whySilent } from './readiness.ts'
import { createRunTimes } from './run-times.ts'
import type { RunTimes } from './start-estimate.ts'
import type { SeenPresence, TaskStore } from './store.ts'
import { isWaiting, type TaskRecord } from './task.ts'
import { POSITION_MAX, type Waiting } from './wait-reasons.ts'
import { explainWait, type LimitedKind, type LivingWorker } from './why.ts'

export interface WaitingCalls {
  /** For each task why it waits, in the same order; null for one that does not wait. @throws STORE_UNAVAILABLE */
  explain(tasks: readonly TaskRecord[]): Promise<(Waiting | null)[]>
}

interface WaitingDeps {
  store: Pick<TaskStore, 'instance' | 'line' | 'list' | 'presences'>
  kinds: Kinds
  clock: () => Date
}

/** Kinds whose run times are read for one answer: those of which most tasks stand in the way. */
const KINDS_TIMED = 20

interface Limits {
  limits: KindLimits
  rate: string | null
}

const workerOf = ({ details }: SeenPresence): LivingWorker => ({
  kinds: details.kinds ?? [],
  slots: details.slots,
  runningByKind: new Map(Object.entries(details.runningByKind ?? {})),
  running: details.running.length,
  takesNone: details.takesNone ?? null,
})

/** A rate that a worker of another version published may be none here. */
const limitsOf = (maxConcurrency: number | null, rate: string | null): Limits | null => {
  try {
    return { limits: { maxConcurrency, rate: rate === null ? null : parseRate(rate) }, rate }
  } catch {
    return null
  }
}

/** The limits in force are those of the workers; where none has the kind, those of this process. */
const limitsInForce = (workers: readonly SeenPresence[], kinds: Kinds): Map<string, Limits> => {
  const inForce = new Map<string, Limits>()
  for (const { name, maxConcurrency = null, rate = null } of kinds.list()) {
    const limits = limitsOf(maxConcurrency, rate)
    if (limits && (maxConcurrency !== null || rate !== null)) inForce.set(name, limits)
  }
  for (const { details } of workers) {
    for (const kind of details.kindLimits ? (details.kinds ?? []) : []) inForce.delete(kind)
    for (const [kind, { maxConcurrency, rate }] of Object.entries(details.kindLimits ?? {})) {
      const limits = limitsOf(maxConcurrency, rate)
      if (limits) inForce.set(kind, limits)
    }
  }
  return inForce
}

/** The kinds of most tasks that run or come before one of those asked about. */
const timedKinds = (counts: Iterable<ReadonlyMap<string, number> | null>): string[] => {
  const most = new Map<string, number>()
  for (const each of counts)
    for (const [kind, count] of each ?? []) most.set(kind, Math.max(most.get(kind) ?? 0, count))
  return [...most]
    .sort(([, a], [, b]) => b - a)
    .slice(0, KINDS_TIMED)
    .map(([kind]) => kind)
}

export const createWaitingCalls = ({ store, kinds, clock }: WaitingDeps): WaitingCalls => {
  const runTimes = createRunTimes(store, clock)

  return {
    async explain(tasks) {
      const waiting = tasks.filter(({ status }) => isWaiting(status))
      if (waiting.length === 0) return tasks.map(() => null)
      const now = clock()
      const presences = await store.presences()
      const living = presences.filter(({ alive, role }) => alive && role === 'worker')
      const silence = new Map(living.map(seen => [seen, whySilent(seen, now.getTime())]))
      // a store that takes no beat of this process either says nothing about the others
      const own = presences.find(({ instance }) => instance === store.instance)
      const provesNothing = own !== undefined && whySilent(own, now.getTime()) !== null
      const beating = living.filter(seen => provesNothing || silence.get(seen) === null)
      const workers = beating.map(workerOf)
      const inForce = limitsInForce(beating, kinds)
      const had = [...workers.flatMap(worker => worker.kinds), ...waiting.map(({ kind }) => kind)]
      const { before, rooms, closed } = await store.line(waiting, {
        now: now.toISOString(),
        kinds: workers.length === 0 ? null : [...new Set(had)],
        limits: new Map([...inForce].map(([kind, { limits }]) => [kind, limits])),
        most: POSITION_MAX,
      })
      const limited = new Map(
        [...inForce].map(([kind, one]): [string, LimitedKind] => [
          kind,
          { ...one, room: rooms.get(kind) ?? { running: null, permits: null } },
        ]),
      )
      // without a worker nothing is estimated
      const times: ReadonlyMap<string, RunTimes> =
        workers.length === 0
          ? new Map()
          : await runTimes.read(timedKinds([...before, ...workers.map(worker => worker.runningByKind)]))
      const troubles = seenKindTroubles(kinds.troubles(), living)
      const silent = [...silence.values()].find(reason => reason !== null) ?? null
      const answers = new Map(
        waiting.map((task, place) => {
          const broken = troubles.find(({ name }) => name === task.kind)
          const answer = explainWait({
            now: now.toISOString(),
            task,
            workers,
            silent,
            closed,
            fileTrouble: broken ? `${broken.file}: ${broken.reason}` : null,
            limited,
            before: before[place] ?? null,
            times,
          })
          return [task, answer] as const
        }),
      )
      return tasks.map(task => answers.get(task) ?? null)
    },
  }
}
