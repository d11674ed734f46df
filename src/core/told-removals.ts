// Which removals a stream may tell its reader of. The record is gone, so only its owner and its kind, or what this very
// stream has told before, say whether the reader may know of it. It knows neither the store nor the feed.
import type { Actor } from './actor.ts'
import type { TaskFilter } from './filter.ts'
import { NOBODY, seesAll } from './policy.ts'
import type { RemovedTask } from './store.ts'

export interface ToldRemovals {
  /** The stream tells of this task. */
  told(id: string): void
  /** @param removed left out: nothing is known of it */
  mayTell(id: string, removed?: RemovedTask): boolean
}

/** So many tasks that a stream has told are remembered, the last ones. */
const REMEMBERED = 2_000

const ANY: ToldRemovals = { told: () => {}, mayTell: () => true }

/** The filter is that of all that the actor may see. */
export const createToldRemovals = (
  actor: Actor,
  { owners, kinds }: Pick<TaskFilter, 'owners' | 'kinds'>,
  remembered = REMEMBERED,
): ToldRemovals => {
  if (seesAll(actor)) return ANY
  const recent = new Set<string>()
  return {
    told(id) {
      recent.delete(id)
      recent.add(id)
      const [oldest] = recent
      if (recent.size > remembered && oldest !== undefined) recent.delete(oldest)
    },
    mayTell(id, { owner, kind } = { owner: undefined, kind: undefined }) {
      if (recent.has(id)) return true
      if (owner === undefined || (kinds && kind === undefined)) return false
      return (owners?.includes(owner ?? NOBODY) ?? true) && (kinds?.includes(kind ?? '') ?? true)
    },
  }
}
