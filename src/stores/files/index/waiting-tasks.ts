// Which waiting task comes next: by priority, then age, once it is due. Kept beside the index, in memory only.
import type { Due } from '../../../core/due.ts'

/** `from` is null from the moment on when that time has come. */
export interface WaitingTask extends Due {
  id: string
  kind: string
  priority: number
  /** It runs alone or not at all. */
  suspect: boolean
  createdAt: string
}

/** A task in the lists. `present` is false once it has left, which saves a look-up when it is passed over. */
interface ListedTask extends WaitingTask {
  present: boolean
  /** Its time before it ripened. */
  ripeAt?: string
}

type Before = (a: WaitingTask, b: WaitingTask) => boolean
const older: Before = (a, b) => (a.createdAt === b.createdAt ? a.id < b.id : a.createdAt < b.createdAt)
const sooner: Before = (a, b) => (a.from ?? '') < (b.from ?? '')

/** Places of tasks that left stay until they are many. */
const STALE_KEPT = 256
/** If the clock goes back by less, no task waits again. */
const BACK_MS = 1_000

const isPresent = ({ present }: ListedTask): boolean => present

/**
 * Tasks in an order. Adding at the end is cheap; what comes out of order is sorted in at the next read, so loading many
 * in no order costs one sort. The list is replaced, never changed, so readers are not disturbed.
 */
const createOrdered = (before: Before) => {
  let items: ListedTask[] = []
  let head = 0
  let stale = 0
  let sorted = true
  const tidy = (): void => {
    while (head < items.length && !isPresent(items[head] as ListedTask)) {
      head += 1
      stale -= 1
    }
    const crowded = stale > STALE_KEPT && stale > (items.length - head) / 2
    // only when half of it is gone: a task then costs the same, however many wait
    const spent = head > STALE_KEPT && head > items.length / 2
    if (sorted && !crowded && !spent) return
    items = items.slice(head).filter(isPresent)
    head = 0
    stale = 0
    if (!sorted) items.sort((a, b) => (before(a, b) ? -1 : 1))
    sorted = true
  }
  return {
    add(task: ListedTask): void {
      const last = items.at(-1)
      if (last && before(task, last)) sorted = false
      items.push(task)
    },
    /** One that stands here is no longer present. */
    left(): void {
      stale += 1
      if (stale > STALE_KEPT && stale > items.length / 2) tidy()
    },
    *each(): Generator<ListedTask> {
      tidy()
      const list = items
      for (let at = head; at < list.length; at += 1) {
        const task = list[at] as ListedTask
        if (isPresent(task)) yield task
      }
    },
  }
}

export interface WaitingList {
  add(task: WaitingTask): void
  remove(id: string): void
  /**
   * Those due at `now`, the best first; only of these kinds if some are named, at no cost for tasks of others. A kind
   * that is taken out of the set meanwhile is left out from then on, also at no cost for each of its tasks.
   */
  due(now: string, kinds?: ReadonlySet<string>): Generator<WaitingTask>
  countDue(now: string, kinds?: readonly string[]): number
  /** When the next one becomes due, or null. */
  nextAt(now: string): string | null
}

const PRIORITIES = 10

type Ordered = ReturnType<typeof createOrdered>

/** Merges several ordered lists, each of one kind. A list ends when its kind is no longer wanted. */
const merge = function* (
  lists: readonly Ordered[],
  isWanted: (kind: string) => boolean,
): Generator<WaitingTask> {
  const heads = lists.flatMap(list => {
    const rest = list.each()
    const { value } = rest.next()
    return value ? [{ task: value as WaitingTask, rest }] : []
  })
  while (heads.length > 0) {
    let best = 0
    for (let at = 1; at < heads.length; at += 1)
      if (older((heads[at] as (typeof heads)[0]).task, (heads[best] as (typeof heads)[0]).task)) best = at
    const head = heads[best] as (typeof heads)[0]
    if (isWanted(head.task.kind)) yield head.task
    const { value } = isWanted(head.task.kind) ? head.rest.next() : { value: undefined }
    if (value) head.task = value
    else heads.splice(best, 1)
  }
}

export const createWaitingList = (): WaitingList => {
  const present = new Map<string, ListedTask>()
  // by kind, so that tasks of a kind that no worker has delay no others
  const due = Array.from({ length: PRIORITIES }, () => new Map<string, Ordered>())
  const later = createOrdered(sooner)
  const dueCounts = new Map<string, number>()

  const count = (kind: string, change: number): void => {
    dueCounts.set(kind, (dueCounts.get(kind) ?? 0) + change)
  }

  const listOf = ({ from, priority, kind }: WaitingTask): Ordered | undefined => {
    if (from !== null) return later
    const byKind = due[priority]
    const known = byKind?.get(kind)
    if (known || !byKind) return known
    const made = createOrdered(older)
    byKind.set(kind, made)
    return made
  }

  const remove = (id: string): void => {
    const task = present.get(id)
    if (!task) return
    present.delete(id)
    task.present = false
    if (task.from === null) count(task.kind, -1)
    listOf(task)?.left()
  }

  const add = (task: WaitingTask, ripeAt?: string): void => {
    remove(task.id)
    const entry: ListedTask = { ...task, present: true, ...(ripeAt === undefined ? {} : { ripeAt }) }
    present.set(task.id, entry)
    if (task.from === null) count(task.kind, 1)
    listOf(task)?.add(entry)
  }

  let ripenedTo = ''
  /** The clock went back: tasks that have ripened and are no longer due would block those that are. */
  const unripen = (now: string): void => {
    ripenedTo = now
    for (const { ripeAt, present: _, ...task } of [...present.values()])
      if (ripeAt !== undefined && ripeAt > now) add({ ...task, from: ripeAt })
  }

  const ripen = (now: string): void => {
    if (now >= ripenedTo) ripenedTo = now
    else if (Date.parse(ripenedTo) - Date.parse(now) > BACK_MS) unripen(now)
    const ripe: ListedTask[] = []
    for (const task of later.each()) {
      if ((task.from ?? '') > now) break
      ripe.push(task)
    }
    for (const { ripeAt: _, present: __, ...task } of ripe)
      add({ ...task, from: null }, task.from ?? undefined)
  }

  return {
    add: task => add(task),
    remove,
    *due(now, kinds) {
      ripen(now)
      const isWanted = (kind: string): boolean => kinds?.has(kind) ?? true
      for (let priority = PRIORITIES - 1; priority >= 0; priority -= 1) {
        const byKind = due[priority]
        if (!byKind || byKind.size === 0) continue
        const lists = kinds ? [...kinds].flatMap(kind => byKind.get(kind) ?? []) : [...byKind.values()]
        yield* merge(lists, isWanted)
      }
    },
    countDue(now, kinds) {
      ripen(now)
      const counts = kinds ? [...new Set(kinds)].map(kind => dueCounts.get(kind) ?? 0) : dueCounts.values()
      return [...counts].reduce((sum, each) => sum + each, 0)
    },
    nextAt(now) {
      ripen(now)
      // one that expires before it is due never becomes due
      for (const { from, till } of later.each()) if (till === null || till > (from ?? '')) return from
      return null
    },
  }
}
