// The tasks in a data folder, for the processes of one host.
import path from 'node:path'
import { once } from '../../core/async/once.ts'
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
  /** Loads all code, for a tool that gives up its rights before it uses the folder. */
  load(): Promise<void>
  /** @throws STORE_UNAVAILABLE when there is no data folder: to open it would make one */
  mustExist(): Promise<void>
  /** Looks for what is wrong in the folder, and mends it when that is asked. @throws STORE_UNAVAILABLE */
  checkFolder(options: Omit<CheckOptions, 'dir' | 'clock'>): Promise<CheckSummary>
}

/** A process carries only what it uses. */
const PARTS = {
  open: once(() => import('./open.ts')),
  instances: once(() => import('./claims/instances.ts')),
  lock: once(() => import('./folder-lock.ts')),
  export: once(() => import('./tools/export.ts')),
  import: once(() => import('./tools/import.ts')),
  migrate: once(() => import('./tools/migrate.ts')),
  fsck: once(() => import('./tools/fsck.ts')),
}

/** @param settings `dir` is made when it is missing; no new task takes the last `reserveBytes` of the disk */
export const filesAdapter = (settings: { dir: string; reserveBytes?: number }): FilesAdapter => {
  const { dir } = settings
  const folder = { dir, clock: () => new Date() }
  return {
    place: dir,
    isShared: false,
    async open({ sharedClock, log, writerThread = false, isOwner = false }) {
      const { openFilesStore } = await PARTS.open()
      return openFilesStore({ ...settings, clock: sharedClock.now, log, writerThread, isOwner })
    },
    async presences() {
      const { seeInstances } = await PARTS.instances()
      return seeInstances(createLayout(path.resolve(dir)).run)
    },
    async *exportTasks(options) {
      const { exportFolder } = await PARTS.export()
      yield* exportFolder({ ...folder, ...options })
    },
    async importTasks(options) {
      const { importFolder } = await PARTS.import()
      return importFolder({ ...folder, ...options })
    },
    async migrate(options) {
      const { migrateFolderByHand } = await PARTS.migrate()
      return migrateFolderByHand({ ...folder, ...options })
    },
    async verifyTasks(options) {
      const { verifyFolder } = await PARTS.import()
      return verifyFolder({ ...folder, ...options })
    },
    async own(options) {
      const { lockFolder } = await PARTS.lock()
      return lockFolder({ dir, ...options })
    },
    async load() {
      await Promise.all(Object.values(PARTS).map(part => part()))
    },
    async mustExist() {
      const { mustBeDataFolder } = await PARTS.fsck()
      mustBeDataFolder(createLayout(path.resolve(dir)))
    },
    async checkFolder(options) {
      const { checkFolder } = await PARTS.fsck()
      return checkFolder({ ...folder, ...options })
    },
  }
}
