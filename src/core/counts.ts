// Counts of tasks, by kind and status. Pure.
import { STATUSES, type Status } from './status.ts'
import type { TaskCounts } from './store.ts'

/** Sums up what is counted by kind. */
export const countsOf = (byKind: TaskCounts['byKind']): TaskCounts => {
  const byStatus = Object.fromEntries(STATUSES.map(status => [status, 0])) as Record<Status, number>
  let total = 0
  for (const counts of Object.values(byKind))
    for (const status of STATUSES) {
      const count = counts[status] ?? 0
      byStatus[status] += count
      total += count
    }
  return { total, byStatus, byKind }
}

/** The same of these kinds alone. */
export const countsOfKinds = ({ byKind }: TaskCounts, kinds: readonly string[]): TaskCounts =>
  countsOf(Object.fromEntries(Object.entries(byKind).filter(([kind]) => kinds.includes(kind))))
