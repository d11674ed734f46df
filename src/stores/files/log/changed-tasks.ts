// Gathers which tasks entries of journals are about, and which of them are removed. Pure: it reads nothing.
import type { ChangedTasks, RemovedTask } from '../../../core/store.ts'
import { type JournalEntry, LOST } from './journal-files.ts'

export interface ChangedTasksGathering {
  take(entry: JournalEntry): void
  found(): Omit<ChangedTasks, 'cursor'>
}

/** The journals of several processes are read one after another, so a claim number says what came last. */
export const gatherChangedTasks = (): ChangedTasksGathering => {
  /** The highest claim number of a record, by id. */
  const claims = new Map<string, number>()
  const removals = new Map<string, RemovedTask & { claim: number }>()
  const note = (id: string, claim: number): void => {
    claims.set(id, Math.max(claim, claims.get(id) ?? LOST))
  }

  return {
    take(entry) {
      if (entry.type === 'document') return
      if (entry.type === 'task') return note(entry.task.id, entry.task.claim)
      const { id } = entry
      note(id, LOST)
      if (entry.type !== 'removed') return
      const before = removals.get(id)
      // a recovery, or another process, may have told of one removal again, with less knowledge
      if (before && before.claim > entry.claim) return
      if (before?.claim === entry.claim && entry.owner === undefined) return
      const kind = entry.kind ?? (before?.claim === entry.claim ? before.kind : undefined)
      removals.set(id, { claim: entry.claim, owner: entry.owner, kind })
    },
    found() {
      const removed = new Map<string, RemovedTask>()
      for (const [id, { claim, owner, kind }] of removals)
        if (owner !== undefined && claim >= (claims.get(id) ?? LOST)) removed.set(id, { owner, kind })
      return { ids: [...claims.keys()], removed }
    },
  }
}
