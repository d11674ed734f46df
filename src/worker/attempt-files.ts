// The files of one attempt: the artifacts that it makes, the uploads that it reads, and its own folder; and what
// earlier attempts at the task have left.
import { removeUnlistedArtifacts } from '../core/artifact-cleaning.ts'
import type { Move } from '../core/moves.ts'
import type { TaskStore } from '../core/store.ts'
import type { TaskRecord } from '../core/task.ts'
import type { Log } from '../platform/log.ts'
import { createArtifacts } from './artifacts.ts'
import { lazy } from './lazy.ts'
import type { RunFiles } from './pool/file-calls.ts'
import type { RetryOptions } from './retry-write.ts'
import type { Scratch } from './scratch.ts'
import { createUploads } from './uploads.ts'

export interface AttemptFiles extends RunFiles {
  /** Where its own folder may be made; undefined: nowhere. */
  readonly scratch: string | undefined
  /** Removes the artifacts of earlier attempts that the record does not list. Never rejects. */
  clean(): Promise<void>
  /**
   * The run is over. Resolves when each artifact is listed or undone; its own folder is being removed. `mayHaveScratch`:
   * the thread may have made the folder without telling. Never rejects.
   */
  end(mayHaveScratch: boolean): Promise<void>
  /** After the last move: removes what could not be removed before. Null: the task is another's. Never rejects. */
  ended(last: TaskRecord | null): Promise<void>
}

export const createAttemptFiles = (deps: {
  task: TaskRecord
  store: TaskStore
  /** The same, but it refuses writes of an attempt that has been overtaken. */
  fenced: () => TaskStore
  move: (change: Move) => Promise<TaskRecord>
  scratch: Scratch | null
  artifactMaxBytes: number
  refusal: () => string | null
  now: () => string
  retryOptions: RetryOptions
  log: Log
}): AttemptFiles => {
  const { task, store, fenced, move, scratch, artifactMaxBytes: maxBytes, log } = deps
  const { refusal, now, retryOptions } = deps
  const removeBlob = store.removeBlob
  const artifacts = lazy(() =>
    createArtifacts({ task, store: fenced, removeBlob, move, maxBytes, refusal, now, retryOptions, log }),
  )
  const uploads = lazy(() => createUploads(store, task.params))
  const folder = scratch?.pathOf(task.id, task.claim)
  let hasFolder = false
  /** The last cleaning did not succeed. */
  let unclean = false

  /** @param known the record as it is; left out: it is read */
  const clean = async (known?: TaskRecord): Promise<void> => {
    try {
      const record = known ?? (await store.get(task.id))
      // what a later holder's record lists is for that holder to decide
      if (record?.claim === task.claim) await removeUnlistedArtifacts(fenced(), record)
      unclean = false
    } catch (error) {
      unclean = true
      log.debug({ error }, 'what attempts have left of artifacts could not be removed')
    }
  }

  return {
    scratch: folder,
    keep: (artifact, bytes) => artifacts().keep(artifact, bytes),
    find: id => uploads().find(id),
    read: (id, range) => uploads().read(id, range),
    scratchMade() {
      hasFolder = true
    },
    clean: () => clean(task),
    async end(mayHaveScratch) {
      if (folder !== undefined) scratch?.release(folder, hasFolder || mayHaveScratch)
      await artifacts.made()?.end()
      unclean ||= artifacts.made()?.mayHaveLeft() ?? false
      if (unclean) await clean()
    },
    async ended(last) {
      if (unclean && last) await clean(last)
    },
  }
}
