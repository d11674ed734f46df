// Counts of tasks, by kind and status. Pure.
import { countIn, STATUSES, type Status } from './status.ts'
import type { TaskCounts } from './store.ts'

/** Whether people do tasks of a kind. */
export type IsForPeople = (kind: string) => boolean

/** How many tasks wait for a worker, or for the time when one may take them: all that wait but those that people do. */
export const waitingForWorkers = ({ byKind }: Pick<TaskCounts, 'byKind'>, isForPeople: IsForPeople): number =>
  Object.entries(byKind).reduce(
    (sum, [kind, byStatus]) => (isForPeople(kind) ? sum : sum + countIn('waiting', byStatus)),
    0,
  )

/** How many tasks wait for people, by kind; kinds without such tasks are left out. */
export const openForPeople = (
  { byKind }: Pick<TaskCounts, 'byKind'>,
  isForPeople: IsForPeople,
): Record<string, number> =>
  Object.fromEntries(
    Object.entries(byKind).flatMap(([kind, byStatus]) => {
      const open = countIn('waiting', byStatus)
      return isForPeople(kind) && open > 0 ? [[kind, open]] : []
    }),
  )

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
