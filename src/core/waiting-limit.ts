// Limits how many tasks may wait. Counts are cached briefly, so several processes together may exceed the limit by
// what they accept in that time.
import { type IsForPeople, waitingForWorkers } from './counts.ts'
import { MadhavaError } from './errors.ts'
import type { TaskStore } from './store.ts'

/** How long a count is used, milliseconds. */
const COUNT_MS = 250

export interface WaitingLimit {
  /** Checks that so many more tasks for workers may wait. @throws TOO_MANY_WAITING */
  take(tasks: number): Promise<void>
}

/**
 * @param max null: no limit
 * @param isForPeople kinds whose tasks do not count
 */
export const createWaitingLimit = (
  store: Pick<TaskStore, 'counts'>,
  max: number | null,
  clock: () => Date,
  isForPeople: IsForPeople = () => false,
): WaitingLimit => {
  let [waiting, countedAt] = [0, Number.NEGATIVE_INFINITY]
  let counting: Promise<void> | null = null
  const count = async (): Promise<void> => {
    waiting = waitingForWorkers(await store.counts(), isForPeople)
    countedAt = clock().getTime()
  }
  return {
    async take(tasks) {
      if (max === null || tasks === 0) return
      // the difference is absolute, so a clock that was set back does not keep an old count in use
      if (Math.abs(clock().getTime() - countedAt) >= COUNT_MS) {
        counting ??= count().finally(() => {
          counting = null
        })
        await counting
      }
      if (waiting + tasks > max)
        throw new MadhavaError(
          'TOO_MANY_WAITING',
          // not how many do: that counts what others have
          `As many tasks wait as may, which are ${max} (MAX_WAITING); try again when some have run`,
        )
      waiting += tasks
    },
  }
}
