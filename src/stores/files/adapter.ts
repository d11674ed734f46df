// The tasks in a data folder, for the processes of one host.
import path from 'node:path'
import type { Log } from '../../platform/log.ts'
import type { StoreAdapter } from '../shared/adapter.ts'
import type { FolderLock } from './folder-lock.ts'
import { createLayout } from './layout.ts'
import type { CheckOptions, CheckSummary } from './tools/fsck.ts'

export interface FilesAdapter extends StoreAdapter {
  /**
   * Owns the folder until release or death, wherever the tasks are. `patienceMs`: how long processes of an owner that
   * died may take to end. @throws DATA_DIR_IN_USE, STORE_UNAVAILABLE
   */
  own(options: { clock: () => Date; log: Log; patienceMs: number }): Promise<FolderLock>
  /**
   * What opens a folder that is there, for a tool that may give up its rights before: it loads nothing any more.
   * @throws STORE_UNAVAILABLE when there is no data folder: to open it would make one
   */
  existing(): Promise<StoreAdapter['open']>
  /** Looks for what is wrong in the folder, and mends it when that is asked. @throws STORE_UNAVAILABLE */
  checkFolder(options: Omit<CheckOptions, 'dir' | 'clock'>): Promise<CheckSummary>
}

/** @param settings `dir` is made when it is missing; no new task takes the last `reserveBytes` of the disk */
export const filesAdapter = (settings: { dir: string; reserveBytes?: number }): FilesAdapter => {
  const { dir } = settings
  const folder = { dir, clock: () => new Date() }
  return {
    place: dir,
    isShared: false,
    async open({ sharedClock, log, writerThread = false }) {
      const { openFilesStore } = await import('./open.ts')
      return openFilesStore({ ...settings, clock: sharedClock.now, log, writerThread })
    },
    async presences() {
      const { seeInstances } = await import('./claims/instances.ts')
      return seeInstances(createLayout(path.resolve(dir)).run)
    },
    async *exportTasks(options) {
      const { exportFolder } = await import('./tools/export.ts')
      yield* exportFolder({ ...folder, ...options })
    },
    async importTasks(options) {
      const { importFolder } = await import('./tools/import.ts')
      return importFolder({ ...folder, ...options })
    },
    async migrate(options) {
      const { migrateFolderByHand } = await import('./tools/migrate.ts')
      return migrateFolderByHand({ ...folder, ...options })
    },
    async verifyTasks(options) {
      const { verifyFolder } = await import('./tools/import.ts')
      return verifyFolder({ ...folder, ...options })
    },
    async own(options) {
      const { lockFolder } = await import('./folder-lock.ts')
      return lockFolder({ dir, ...options })
    },
    async existing() {
      const { mustBeDataFolder } = await import('./tools/fsck.ts')
      const { openFilesStore } = await import('./open.ts')
      mustBeDataFolder(createLayout(path.resolve(dir)))
      return ({ sharedClock, log }) => openFilesStore({ ...settings, clock: sharedClock.now, log })
    },
    async checkFolder(options) {
      const { checkFolder } = await import('./tools/fsck.ts')
      return checkFolder({ ...folder, ...options })
    },
  }
}
