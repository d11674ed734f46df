// Why a task waits: exactly one reason, decided from its record, the living workers, and what the store says of the
// line. Pure.
import { dueOf, dueSince, isReady } from './due.ts'
import { type KindLimits, permitsAt, type Rate } from './kind-limits.ts'
import type { KindRoom } from './line.ts'
import { estimateOf, estimateStart, laterOf, type RunTimes } from './start-estimate.ts'
import { isSuspect, type TaskRecord } from './task.ts'
import {
  POSITION_MAX,
  type StartEstimate,
  type WaitFacts,
  type Waiting,
  type WaitReason,
} from './wait-reasons.ts'

/** A living worker, as its presence describes it. */
export interface LivingWorker {
  kinds: readonly string[]
  slots: number
  runningByKind: ReadonlyMap<string, number>
  /** How many it runs. */
  running: number
  /** Why it begins no task now, for people; null while it does. */
  takesNone: string | null
}

/** A kind's limits as its file has them, and what they leave. */
export interface LimitedKind {
  limits: KindLimits
  /** As in the kind's file; null: none. */
  rate: string | null
  room: KindRoom
}

/** All that the decision reads. */
export interface WhyInput {
  now: string
  /** A task that waits. */
  task: Pick<
    TaskRecord,
    | 'kind'
    | 'status'
    | 'notBefore'
    | 'expiresAt'
    | 'updatedAt'
    | 'workersLost'
    | 'error'
    | 'doneBy'
    | 'history'
  >
  /** Those that are alive and beat. */
  workers: readonly LivingWorker[]
  /** Why a worker that is alive does not count; null: there is no such worker. */
  silent: string | null
  /** Why the store gives out no task, for people; null while it does. */
  closed: string | null
  /** Why a file of the kind cannot be used; null: nothing is known of that. */
  fileTrouble: string | null
  /** By kind. */
  limited: ReadonlyMap<string, LimitedKind>
  /** How many due tasks come before it, by kind; null: more than POSITION_MAX. */
  before: ReadonlyMap<string, number> | null
  times: ReadonlyMap<string, RunTimes>
}

/** What the rules share of one input. */
interface Scene extends WhyInput {
  able: readonly LivingWorker[]
  /** Of the able ones, those that begin tasks. */
  takers: readonly LivingWorker[]
  slots: number
  busy: number
  position: number | null
  /** How many of its own kind come before it. */
  kinBefore: number
}

interface Found {
  detail: string
  facts?: WaitFacts
  startsIn?: StartEstimate | null
}

const total = (numbers: Iterable<number>): number => [...numbers].reduce((sum, number) => sum + number, 0)

const sceneOf = (input: WhyInput): Scene => {
  const { task, workers, before } = input
  const able = workers.filter(({ kinds }) => kinds.includes(task.kind))
  const takers = able.filter(({ takesNone }) => takesNone === null)
  // tasks of kinds that nobody has are in nobody's way
  const had = new Set([task.kind, ...workers.flatMap(({ kinds }) => kinds)])
  const counted = before && [...before].filter(([kind]) => workers.length === 0 || had.has(kind))
  return {
    ...input,
    before: counted && new Map(counted),
    able,
    takers,
    slots: total(takers.map(({ slots }) => slots)),
    busy: total(takers.map(({ slots, running }) => Math.min(slots, running))),
    position: counted && total(counted.map(([, count]) => count)),
    kinBefore: counted ? (before?.get(task.kind) ?? 0) : Number.POSITIVE_INFINITY,
  }
}

const runningIn = (workers: readonly LivingWorker[]): Map<string, number> => {
  const running = new Map<string, number>()
  for (const { runningByKind } of workers)
    for (const [kind, count] of runningByKind) running.set(kind, (running.get(kind) ?? 0) + count)
  return running
}

/**
 * When the slots reach the task. Tasks of another kind that is full do not hold it up, and the slots of that kind do
 * not get free for it: the next of its own kind has them.
 */
const queueEstimate = ({ task, takers, slots, before, limited, times }: Scene): StartEstimate | null => {
  if (!before) return null
  const station = { slots, running: runningIn(takers), before: new Map(before) }
  for (const [kind, { limits, room }] of limited) {
    if (kind === task.kind || limits.maxConcurrency === null) continue
    if ((room.running ?? 0) < limits.maxConcurrency) continue
    station.slots -= station.running.get(kind) ?? 0
    station.running.delete(kind)
    station.before.delete(kind)
  }
  return estimateStart(station, times)
}

/** When a place of its kind is free for it. */
const kindEstimate = (
  { task, kinBefore, slots, times }: Scene,
  running: number,
  maxConcurrency: number,
): StartEstimate | null =>
  Number.isFinite(kinBefore)
    ? estimateStart(
        {
          slots: Math.min(slots, maxConcurrency),
          running: new Map([[task.kind, running]]),
          before: new Map([[task.kind, kinBefore]]),
        },
        times,
      )
    : null

/** When the rate has a permit for it. */
const rateEstimate = (now: string, rate: Rate, permits: number, kinBefore: number): StartEstimate | null => {
  if (!Number.isFinite(kinBefore)) return null
  const missing = kinBefore + 1 - permits
  if (missing <= 0) return estimateOf(0)
  const nowMs = Date.parse(now)
  const { nextAtMs } = permitsAt(rate, nowMs)
  return estimateOf((nextAtMs - nowMs + ((missing - 1) * rate.perMs) / rate.count) / 1000)
}

/** Its own kind's limit, as far as that is known. */
const ownLimit = ({ task, limited }: Scene): LimitedKind | undefined => limited.get(task.kind)

/**
 * Whether so many free places are all for those before it. With a free slot somewhere that is what it waits for, also
 * in the moment between one run and the next.
 */
const isTakenUp = ({ slots, busy, kinBefore }: Scene, places: number): boolean =>
  places <= 0 || (busy < slots && places <= kinBefore)

const many = (count: number, one: string, more = `${one}s`): string => `${count} ${count === 1 ? one : more}`

/** Those of its kind that come first, as the end of a sentence. */
const kin = ({ kinBefore }: Scene): string =>
  kinBefore > 0 && Number.isFinite(kinBefore) ? `; ${kinBefore} of the kind come first` : ''

const waitsForTime = (scene: Scene, what: string): Found => {
  const dueAt = dueOf(scene.task)?.from
  if (!dueAt) return { detail: 'It waits for a change of its record' }
  const seconds = (Date.parse(dueAt) - Date.parse(scene.now)) / 1000
  return { detail: `${what} ${dueAt}`, facts: { dueAt }, startsIn: estimateOf(seconds) }
}

/** For each reason but the last: what it says where it holds, else null. In order of precedence. */
const RULES: readonly [WaitReason, (scene: Scene) => Found | null][] = [
  [
    'FOR_PEOPLE',
    ({ task }) =>
      task.doneBy === 'people'
        ? { detail: 'No worker takes it: it is open until somebody completes it' }
        : null,
  ],
  [
    'NOT_DUE',
    scene =>
      scene.task.status === 'RETRY' || isReady(scene.task, scene.now)
        ? null
        : waitsForTime(scene, 'It is not to start before'),
  ],
  [
    'RETRY_WAIT',
    scene => {
      if (isReady(scene.task, scene.now)) return null
      const code = scene.task.error?.code
      return waitsForTime(scene, `An attempt failed${code ? ` (${code})` : ''}; the next one comes after`)
    },
  ],
  [
    'NO_WORKER',
    ({ workers, silent }) => {
      if (workers.length > 0) return null
      if (silent === null) return { detail: 'No worker is alive' }
      return { detail: `No worker works. ${silent}`, facts: { trouble: silent } }
    },
  ],
  [
    'KIND_UNKNOWN',
    ({ able, task, fileTrouble }) => {
      if (able.length > 0) return null
      const said = `No worker has the kind ${task.kind}`
      if (fileTrouble === null) return { detail: said }
      return { detail: `${said}: ${fileTrouble}`, facts: { trouble: fileTrouble } }
    },
  ],
  [
    'NO_ROOM',
    ({ able, takers, task, position, closed }) => {
      if (closed !== null) return { detail: `No task begins. ${closed}`, facts: { trouble: closed } }
      const trouble = able.find(({ takesNone }) => takesNone !== null)?.takesNone
      if (takers.length === 0 && trouble) {
        const who =
          able.length === 1 ? 'The worker that has its kind takes' : 'The workers that have its kind take'
        return { detail: `${who} no task. ${trouble}`, facts: { trouble } }
      }
      if (!isSuspect(task) || position !== 0 || takers.some(({ running }) => running === 0)) return null
      const alone = `${task.workersLost} workers died with it, so it starts where nothing else runs`
      return { detail: `It is next. ${alone}`, facts: { trouble: alone } }
    },
  ],
  [
    'KIND_FULL',
    scene => {
      const own = ownLimit(scene)
      const maxConcurrency = own?.limits.maxConcurrency ?? null
      const running = own?.room.running ?? 0
      if (maxConcurrency === null || !isTakenUp(scene, maxConcurrency - running)) return null
      const estimate = kindEstimate(scene, running, maxConcurrency)
      const may = `${maxConcurrency} of its kind may run at a time (maxConcurrency)`
      return {
        detail: `${may}, and ${many(running, 'runs', 'run')}${kin(scene)}`,
        facts: { running, maxConcurrency },
        startsIn: estimate && laterOf(estimate, queueEstimate(scene)),
      }
    },
  ],
  [
    'RATE',
    scene => {
      const own = ownLimit(scene)
      const rate = own?.limits.rate
      const permits = own?.room.permits ?? 0
      if (!own || !rate || !isTakenUp(scene, permits)) return null
      const estimate = rateEstimate(scene.now, rate, permits, scene.kinBefore)
      return {
        detail: `Its kind begins at most ${own.rate ?? 'as its rate says'} (rate)${kin(scene)}`,
        facts: own.rate === null ? {} : { rate: own.rate },
        startsIn: estimate && laterOf(estimate, queueEstimate(scene)),
      }
    },
  ],
]

const behind = (scene: Scene): Found => {
  const { position, slots, busy } = scene
  const next =
    busy < slots ? 'It starts in a moment' : `It starts when one of ${many(slots, 'slot')} gets free`
  const others =
    position === null
      ? `More than ${POSITION_MAX} tasks are before it`
      : `${many(position, 'task is', 'tasks are')} before it, for ${many(slots, 'slot')}`
  return {
    detail: position === 0 ? `It is next. ${next}` : others,
    facts: { slots, busy },
    startsIn: queueEstimate(scene),
  }
}

/** An edit writes the record, and is no move. */
const movedAt = ({ history, updatedAt, doneBy }: WhyInput['task']): string =>
  doneBy === 'people' ? (history.at(-1)?.at ?? updatedAt) : updatedAt

/** The first reason that holds, with what there is to say about it. */
export const explainWait = (input: WhyInput): Waiting => {
  const scene = sceneOf(input)
  let found: [WaitReason, Found] = ['BEHIND', behind(scene)]
  for (const [reason, holds] of RULES) {
    const answer = holds(scene)
    if (!answer) continue
    found = [reason, answer]
    break
  }
  const [reason, { detail, facts = {}, startsIn = null }] = found
  const isDue = isReady(input.task, input.now)
  return {
    reason,
    since: isDue ? dueSince(input.task) : movedAt(input.task),
    detail,
    facts,
    position: isDue ? scene.position : null,
    startsIn,
  }
}
