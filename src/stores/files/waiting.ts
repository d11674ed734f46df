// Which waiting task comes next: by priority, then age, once it is due. Kept beside the index, in memory only.

export interface Waiting {
  id: string
  kind: string
  priority: number
  createdAt: string
  /** Null: due at once. */
  notBefore: string | null
  /** For PENDING: not taken from then on. */
  expiresAt: string | null
}

type Before = (a: Waiting, b: Waiting) => boolean
const older: Before = (a, b) => (a.createdAt === b.createdAt ? a.id < b.id : a.createdAt < b.createdAt)
const sooner: Before = (a, b) => (a.notBefore ?? '') < (b.notBefore ?? '')

/** Places of tasks that left stay until they are many. */
const STALE_KEPT = 256

/**
 * Tasks in an order. Adding at the end is cheap; what comes out of order is sorted in when somebody asks, so that
 * loading many in no order costs one sort. Who is going through it is not disturbed: it is replaced, never changed.
 */
const createOrdered = (before: Before, isPresent: (task: Waiting) => boolean) => {
  let items: Waiting[] = []
  let head = 0
  let stale = 0
  let sorted = true
  const tidy = (): void => {
    while (head < items.length && !isPresent(items[head] as Waiting)) {
      head += 1
      stale -= 1
    }
    const crowded = stale > STALE_KEPT && stale > (items.length - head) / 2
    if (sorted && !crowded && head <= STALE_KEPT) return
    items = items.slice(head).filter(isPresent)
    head = 0
    stale = 0
    if (!sorted) items.sort((a, b) => (before(a, b) ? -1 : 1))
    sorted = true
  }
  return {
    add(task: Waiting): void {
      const last = items.at(-1)
      if (last && before(task, last)) sorted = false
      items.push(task)
    },
    /** One that stands here is no longer present. */
    left(): void {
      stale += 1
      if (stale > STALE_KEPT && stale > items.length / 2) tidy()
    },
    *each(): Generator<Waiting> {
      tidy()
      const list = items
      for (let at = head; at < list.length; at += 1) {
        const task = list[at] as Waiting
        if (isPresent(task)) yield task
      }
    },
  }
}

export interface WaitingList {
  add(task: Waiting): void
  remove(id: string): void
  /** Those due at `now`, the best first. */
  due(now: string): Generator<Waiting>
  countDue(now: string): number
  /** When the next one becomes due, or null. */
  nextAt(now: string): string | null
}

const PRIORITIES = 10

export const createWaitingList = (): WaitingList => {
  const present = new Map<string, Waiting>()
  const isPresent = (task: Waiting): boolean => present.get(task.id) === task
  const due = Array.from({ length: PRIORITIES }, () => createOrdered(older, isPresent))
  const later = createOrdered(sooner, isPresent)
  let dueCount = 0

  const listOf = (task: Waiting) => (task.notBefore === null ? due[task.priority] : later)

  const remove = (id: string): void => {
    const task = present.get(id)
    if (!task) return
    present.delete(id)
    if (task.notBefore === null) dueCount -= 1
    listOf(task)?.left()
  }

  const add = (task: Waiting): void => {
    remove(task.id)
    present.set(task.id, task)
    if (task.notBefore === null) dueCount += 1
    listOf(task)?.add(task)
  }

  const ripen = (now: string): void => {
    const ripe: Waiting[] = []
    for (const task of later.each()) {
      if ((task.notBefore ?? '') > now) break
      ripe.push(task)
    }
    for (const task of ripe) add({ ...task, notBefore: null })
  }

  return {
    add,
    remove,
    *due(now) {
      ripen(now)
      for (let priority = PRIORITIES - 1; priority >= 0; priority -= 1) yield* due[priority]?.each() ?? []
    },
    countDue(now) {
      ripen(now)
      return dueCount
    },
    nextAt(now) {
      ripen(now)
      // one that expires before it is due never becomes due
      for (const { notBefore, expiresAt } of later.each())
        if (expiresAt === null || expiresAt > (notBefore ?? '')) return notBefore
      return null
    },
  }
}
