// A record as Redis keeps it, and the sets that it stands in. Pure.
import { createHash } from 'node:crypto'
import { dueOf } from '../../core/due.ts'
import type { KindLimits } from '../../core/kind-limits.ts'
import { permitsAt } from '../../core/kind-limits.ts'
import type { Move } from '../../core/moves.ts'
import type { CountedSubmitter } from '../../core/store.ts'
import {
  idempotencyScope,
  isFailed,
  isFinal,
  isSuspect,
  isWaiting,
  PRIORITY,
  type TaskRecord,
} from '../../core/task.ts'
import { refuseInvalidRecord, refuseLarge } from '../../core/task-check.ts'

/**
 * The scripts find the version of a record at its head, before anything that a user wrote.
 * @throws RECORD_INVALID when it is too large
 */
export const encode = ({ id, claim, rev, status, ...rest }: TaskRecord): string =>
  refuseLarge(JSON.stringify({ id, claim, rev, status, ...rest }))

/** In the order of fields that records have everywhere else. */
export const decode = (json: string): TaskRecord => {
  const { id, version, kind, params, status, ...rest } = JSON.parse(json) as TaskRecord
  return { id, version, kind, params, status, ...rest }
}

/** Null for a record that was damaged by hand: it must not stop the others. */
export const decodeIfSound = (json: string): TaskRecord | null => {
  try {
    return decode(json)
  } catch {
    return null
  }
}

/**
 * What a move makes of the record in `json`. @throws what the move throws; RECORD_INVALID for what no reader would
 * take
 */
export const moved = (json: string, move: Move): TaskRecord => {
  const before = decode(json)
  const after = move(before)
  refuseInvalidRecord(before, after)
  return after
}

/** A time of a record as a score. */
const score = (time: string): number => Date.parse(time)

/** Of a text that becomes part of a key: what UTF-8 cannot carry is replaced. */
export const keyPart = (text: string): string =>
  /[\ud800-\udfff]/.test(text) ? Buffer.from(text, 'utf8').toString('utf8') : text

export const setOf = {
  created: 'created',
  ended: 'ended',
  failed: 'failed',
  status: (kind: string, status: string) => `in:${keyPart(kind)}:${status}`,
  /** Of nobody's tasks as of those of an owner whose name is empty: filters do not tell them apart either. */
  owner: (owner: string | null) => `owner:${keyPart(owner ?? '')}`,
  /** Those of an owner that have ended. */
  ends: (owner: string | null) => `ends:${keyPart(owner ?? '')}`,
  parent: (id: string) => `children:${keyPart(id)}`,
}

/** How many tasks of an owner there are, by kind and status. */
export const tallyOf = (owner: string | null): string => `tally:${keyPart(owner ?? '')}`
const tallyField = ({ kind, status }: TaskRecord): string => `${keyPart(kind)}:${status}`

/** Sets with the score of the task in each. */
const setsOf = (task: TaskRecord): Map<string, number> => {
  const created = score(task.createdAt)
  const sets = new Map([
    [setOf.created, created],
    [setOf.status(task.kind, task.status), created],
    [setOf.owner(task.owner), created],
  ])
  if (task.parentId !== null) sets.set(setOf.parent(task.parentId), created)
  // apart, since each may have a rule of its own by age
  const end = isFailed(task.status) ? setOf.failed : setOf.ended
  if (isFinal(task.status))
    for (const set of [end, setOf.ends(task.owner)]) sets.set(set, score(task.finishedAt ?? task.updatedAt))
  return sets
}

/** The name under which suspects of a kind wait; no kind has it. */
export const suspectsOf = (kind: string): string => `${keyPart(kind)}!`

/** Scores for times until the year 2527 under each priority; sums stay exact. */
const PRIORITY_STEP = 2 ** 44

/**
 * How a waiting task is let in: its place among those that are ready, and the times before and after which it is not.
 */
interface Wait {
  kind: string
  score: number
  from?: number
  till?: number
}

/** A task's place among those that are ready; tasks of one millisecond stand by their ids. */
export const lineScore = ({ priority, createdAt }: Pick<TaskRecord, 'priority' | 'createdAt'>): number => {
  const age = Math.min(Math.max(score(createdAt), 0), PRIORITY_STEP - 1)
  return (PRIORITY.highest - priority) * PRIORITY_STEP + age
}

const waitOf = (task: TaskRecord): Wait | null => {
  const due = dueOf(task)
  if (!due) return null
  return {
    kind: isSuspect(task) ? suspectsOf(task.kind) : keyPart(task.kind),
    score: lineScore(task),
    ...(due.from === null ? {} : { from: score(due.from) }),
    ...(due.till === null ? {} : { till: score(due.till) }),
  }
}

export interface LimitPlan {
  kind: string
  max?: number
  oldest?: number
  newest?: number
  /** Permits up to this number are forgotten. */
  forget?: number
  /** Those beyond it too: they were taken before the clock went back. */
  beyond?: number
}

/** Expired permits are kept for so many more, in case a taker's clock is behind. */
const PERMITS_KEPT = 1_000
/** The clocks of takers agree within less. */
const SKEW_MS = 2_000

export const limitPlanOf = (kind: string, { maxConcurrency, rate }: KindLimits, nowMs: number) => {
  const plan: LimitPlan = { kind: keyPart(kind) }
  if (maxConcurrency !== null) plan.max = maxConcurrency
  if (!rate) return { plan, nextAtMs: null }
  const { oldest, newest, nextAtMs } = permitsAt(rate, nowMs)
  const perMinute = Math.ceil((rate.count * 60_000) / rate.perMs)
  const beyond = newest + 1 + Math.floor((rate.count * SKEW_MS) / rate.perMs)
  Object.assign(plan, { oldest, newest, forget: oldest - Math.max(PERMITS_KEPT, perMinute), beyond })
  return { plan, nextAtMs }
}

/** How many tasks wait that were submitted with a key, or from an address. */
export const waitingOf = (by: CountedSubmitter): string =>
  'key' in by ? `waitingOf:key:${keyPart(by.key)}` : `waitingOf:address:${keyPart(by.address)}`
export const WAITING_FIELD = 'n'

/** What is added to a count. `field`: for an owner, kind and status. */
type TallyStep = [key: string, field: string, by: 1 | -1]

/** What changes in the sets when a record takes the place of another one; null: there is none. */
export interface WritePlan {
  kind: string
  out: string[]
  in: [string, number][]
  tally?: TallyStep[]
  unwait?: string
  wait?: Wait
  as?: 'taker' | 'holder' | 'asker'
  cancelAt?: string
  /** The record stays as it is: there is nothing to tell. */
  quiet?: true
  limit?: LimitPlan
}

/** The counts that a task stands in, and the field of each. */
const talliesOf = (task: TaskRecord | null): [key: string, field: string][] => {
  if (!task) return []
  const { key, address } = (isWaiting(task.status) ? task.submittedBy : undefined) ?? {}
  return [
    [tallyOf(task.owner), tallyField(task)],
    ...(key ? [[waitingOf({ key }), WAITING_FIELD] as [string, string]] : []),
    ...(address ? [[waitingOf({ address }), WAITING_FIELD] as [string, string]] : []),
  ]
}

const tallySteps = (before: TaskRecord | null, after: TaskRecord | null): TallyStep[] => {
  const [old, now] = [talliesOf(before), talliesOf(after)]
  const isIn = (list: typeof old, [key, field]: (typeof old)[number]): boolean =>
    list.some(other => other[0] === key && other[1] === field)
  return [
    ...old.filter(each => !isIn(now, each)).map((each): TallyStep => [...each, -1]),
    ...now.filter(each => !isIn(old, each)).map((each): TallyStep => [...each, 1]),
  ]
}

export const planOf = (before: TaskRecord | null, after: TaskRecord | null): WritePlan => {
  const [old, now] = [before ? setsOf(before) : new Map(), after ? setsOf(after) : new Map()]
  const [oldWait, wait] = [before && waitOf(before), after && waitOf(after)]
  const plan: WritePlan = {
    kind: keyPart((after ?? before)?.kind ?? ''),
    out: [...old.keys()].filter(set => !now.has(set)),
    in: [...now].filter(([set, at]) => old.get(set) !== at),
  }
  const tally = tallySteps(before, after)
  if (tally.length > 0) plan.tally = tally
  if (JSON.stringify(oldWait) === JSON.stringify(wait)) return plan
  if (oldWait) plan.unwait = oldWait.kind
  if (wait) plan.wait = wait
  return plan
}

/** As `planOf` from a record that waits and was taken out of what may be taken: its place there is given back. */
export const planFromBegun = (before: TaskRecord, after: TaskRecord): WritePlan => {
  const { wait: _, ...plan } = planOf(before, after)
  const wait = waitOf(after)
  return wait ? { ...plan, wait } : plan
}

/** The name under which an idempotency key is kept, or '': keys hold anything, also what must not reach a log. */
export const keyHash = (task: Pick<TaskRecord, 'owner' | 'idempotencyKey'>): string => {
  const scope = idempotencyScope(task)
  return scope === null ? '' : createHash('sha256').update(scope).digest('hex')
}

/** Id, claim and rev are the store's, whatever the move says. */
export const version = (task: TaskRecord, id: string, claim: number, rev: number): TaskRecord => ({
  ...task,
  id,
  claim,
  rev,
})
