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

const older = (a: Waiting, b: Waiting): boolean =>
  a.createdAt === b.createdAt ? a.id < b.id : a.createdAt < b.createdAt

const insert = <T>(list: T[], item: T, before: (a: T, b: T) => boolean): void => {
  let low = 0
  let high = list.length
  // the common case, a task younger than all, is found at once
  if (high > 0 && before(list[high - 1] as T, item)) low = high
  while (low < high) {
    const middle = (low + high) >> 1
    if (before(list[middle] as T, item)) low = middle + 1
    else high = middle
  }
  list.splice(low, 0, item)
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

/** A place that was left is passed over, and taken away when half of a list is such places. */
export const createWaitingList = (): WaitingList => {
  const present = new Map<string, Waiting>()
  const due: Waiting[][] = Array.from({ length: 10 }, () => [])
  let later: Waiting[] = []
  let dueCount = 0
  const isPresent = (task: Waiting): boolean => present.get(task.id) === task

  const ripen = (now: string): void => {
    let ripe = 0
    while (ripe < later.length && (later[ripe]?.notBefore ?? '') <= now) ripe += 1
    for (const task of later.splice(0, ripe)) {
      if (!isPresent(task)) continue
      dueCount += 1
      const ripened = { ...task, notBefore: null }
      present.set(task.id, ripened)
      insert(due[task.priority] as Waiting[], ripened, older)
    }
  }

  const remove = (id: string): void => {
    const task = present.get(id)
    if (!task) return
    present.delete(id)
    if (task.notBefore !== null) return
    dueCount -= 1
    const list = due[task.priority] as Waiting[]
    if (list[0] === task) list.shift()
    else if (list.length > 64 && dueCount < list.length / 2) due[task.priority] = list.filter(isPresent)
  }

  return {
    add(task) {
      remove(task.id)
      present.set(task.id, task)
      if (task.notBefore !== null) insert(later, task, (a, b) => (a.notBefore ?? '') < (b.notBefore ?? ''))
      else {
        dueCount += 1
        insert(due[task.priority] as Waiting[], task, older)
      }
    },
    remove,
    *due(now) {
      ripen(now)
      for (let priority = due.length - 1; priority >= 0; priority -= 1) {
        const list = due[priority] as Waiting[]
        while (list[0] && !isPresent(list[0])) list.shift()
        for (const task of [...list]) if (isPresent(task)) yield task
      }
    },
    countDue(now) {
      ripen(now)
      return dueCount
    },
    nextAt(now) {
      ripen(now)
      later = later.filter(isPresent)
      // one that expires before it is due never becomes due
      const next = later.find(
        ({ notBefore, expiresAt }) => expiresAt === null || expiresAt > (notBefore ?? ''),
      )
      return next?.notBefore ?? null
    },
  }
}
