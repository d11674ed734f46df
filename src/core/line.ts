// The line: the due tasks in the order in which a store gives them out, and what their kinds have room for. The port
// answers in these terms; core/why.ts makes a reason of them.
import type { KindLimits } from './kind-limits.ts'
import type { TaskRecord } from './task.ts'

/** Up to so many permits of a rate are counted. */
export const PERMITS_MAX = 1_000

/** What a place in the line depends on. */
export type LineFields = Pick<TaskRecord, 'id' | 'priority' | 'createdAt'>

export interface LineQuery {
  now: string
  /** Only tasks of these kinds stand in the line. Null: those of every kind. */
  kinds: readonly string[] | null
  /** The kinds whose room is asked for, with their limits. */
  limits: ReadonlyMap<string, KindLimits>
  /** Up to so many tasks before another one are counted. */
  most: number
}

/** What a kind's limits leave; null where the kind has no such limit. */
export interface KindRoom {
  /** How many run in living processes. Below `maxConcurrency` it may include some of processes that died just now. */
  running: number | null
  /** How many may begin at once by the rate, up to PERMITS_MAX. */
  permits: number | null
}

export interface Line {
  /**
   * For each task that was asked about, in that order: how many due tasks come before it, by kind; kinds without any
   * are left out. Null: more than `most` in all. The task need not stand in the line itself.
   */
  before: (ReadonlyMap<string, number> | null)[]
  /** By kind. */
  rooms: ReadonlyMap<string, KindRoom>
  /** Why the store gives out no task now, for people; null while it does. */
  closed: string | null
}

/** For a store that does not say more. */
export const NO_ROOM = 'The store has no room for what a task would write'

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Priority, then age: the order of the line. */
export const nextFirst = (a: LineFields, b: LineFields): number =>
  b.priority - a.priority || byText(a.createdAt, b.createdAt) || byText(a.id, b.id)

/** Tasks counted between two chances to yield. */
const STRIDE = 50

/**
 * Counts along the line, for a store that can walk it. `line`: due tasks of the wanted kinds, in order. `pause` is
 * awaited now and then.
 */
export const countBefore = async (
  tasks: readonly LineFields[],
  line: Iterable<LineFields & { kind: string }>,
  most: number,
  pause: () => Promise<void> | undefined,
): Promise<Line['before']> => {
  const before: Line['before'] = tasks.map(() => null)
  const order = tasks.map((task, place) => ({ task, place })).sort((a, b) => nextFirst(a.task, b.task))
  const counts = new Map<string, number>()
  let [next, total] = [0, 0]
  const settleUpTo = (isReached: (task: LineFields) => boolean): void => {
    for (let one = order[next]; one && isReached(one.task); one = order[next]) {
      before[one.place] = new Map(counts)
      next += 1
    }
  }
  for (const one of line) {
    settleUpTo(task => nextFirst(task, one) <= 0)
    if (next === order.length || total === most) return before
    counts.set(one.kind, (counts.get(one.kind) ?? 0) + 1)
    total += 1
    if (total % STRIDE === 0) await pause()
  }
  settleUpTo(() => true)
  return before
}
