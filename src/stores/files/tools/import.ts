// Import into a data folder that no other process uses, and the comparison of one with an export.
import { rmSync } from 'node:fs'
import path from 'node:path'
import type { TaskStore } from '../../../core/store.ts'
import { silentLog } from '../../../platform/log.ts'
import { type ImportOptions, type ImportSummary, importAll } from '../../shared/import.ts'
import type { TaskImportDeps } from '../../shared/import-task.ts'
import { type VerifyOptions, type VerifySummary, verifyAll } from '../../shared/verify.ts'
import { lockFolder } from '../folder-lock.ts'
import { createLayout } from '../layout.ts'
import { openFilesStore } from '../open.ts'
import { keyFileOf, readKeyLink } from '../records/keys.ts'
import { readStateFile } from '../records/state-file.ts'

export interface FolderOptions {
  /** Made when it is missing. */
  dir: string
  clock: () => Date
}

const withFolder = async <T>(
  { dir: given, clock }: FolderOptions,
  work: (store: TaskStore, refusal: TaskImportDeps['refusal']) => Promise<T>,
): Promise<T> => {
  const dir = path.resolve(given)
  const log = silentLog()
  const layout = createLayout(dir)
  const lock = await lockFolder({ dir, clock, log, patienceMs: 0 })
  try {
    const store = await openFilesStore({ dir, clock, log, isOwner: true })
    try {
      return await work(store, record => {
        const link = keyFileOf(layout, record)
        const bound = link === null ? null : readKeyLink(link)
        // a key that names nothing would give this record the id that it names
        if (link !== null && bound && readStateFile(layout, bound.id).state === 'none')
          rmSync(link, { force: true })
        else if (bound && bound.id !== record.id) return `its idempotency key belongs to the task ${bound.id}`
        return null
      })
    } finally {
      await store.close()
    }
  } finally {
    await lock.release()
  }
}

/** @throws DATA_DIR_IN_USE, STORE_UNAVAILABLE */
export const importFolder = (options: FolderOptions & ImportOptions): Promise<ImportSummary> =>
  withFolder(options, (store, refusal) => importAll(store, { ...options, refusal }))

/** @throws DATA_DIR_IN_USE, STORE_UNAVAILABLE */
export const verifyFolder = (options: FolderOptions & VerifyOptions): Promise<VerifySummary> =>
  withFolder(options, store => verifyAll(store, options))
