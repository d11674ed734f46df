// Removes the blobs of artifacts that no record lists: what a killed attempt has left, and what a retry by hand begins
// without.
import { unlistedArtifacts } from './artifacts.ts'
import type { TaskStore } from './store.ts'
import type { TaskRecord } from './task.ts'

/**
 * To be called when nobody writes any more under a claim up to that of `task`, a state of its record that is no older.
 * Blobs of later holders stay. Returns how many are removed. @throws what the store throws
 */
export const removeUnlistedArtifacts = async (
  store: Pick<TaskStore, 'listBlobs' | 'removeBlob'>,
  task: TaskRecord,
): Promise<number> => {
  const blobs = await store.listBlobs(task.id)
  const unlisted = unlistedArtifacts(
    task,
    blobs.map(({ name }) => name),
  )
  for (const name of unlisted) await store.removeBlob(task.id, name)
  return unlisted.length
}

/** Whether an attempt may have left something. */
export const hasBeenAttempted = ({ attempts }: Pick<TaskRecord, 'attempts'>): boolean =>
  (attempts?.length ?? 0) > 0
