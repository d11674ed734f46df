// What a kind of store is to this process: how it is opened, how it is looked at from outside, and what the tools do
// with it. `src/wire.ts` chooses one; each adapter stands in the file `adapter.ts` of its folder.
import type { SeenPresence, TaskStore } from '../../core/store.ts'
import type { Log } from '../../platform/log.ts'
import type { SharedClock } from '../../platform/shared-clock.ts'
import type { ExportOptions } from './export.ts'
import type { ImportOptions, ImportSummary } from './import.ts'
import type { MigrateOptions } from './upgrade-documents.ts'
import type { VerifyOptions, VerifySummary } from './verify.ts'

export interface OpenOptions {
  /** The time of this process; a store that tells the time itself puts it right. */
  sharedClock: SharedClock
  log: Log
  /**
   * For a process that writes many tasks: the calls to the disk in a thread of their own, where the store makes such.
   */
  writerThread?: boolean
  /** This process owns the data folder, so it may bring it to the present format. */
  isOwner?: boolean
}

export interface StoreAdapter {
  /** Where the tasks are, without a password: the same for all processes of this host that use them. */
  readonly place: string
  /** Whether processes of other bundles may use the same tasks. */
  readonly isShared: boolean
  /** @throws STORE_UNAVAILABLE when it cannot be used, with the reason */
  open(options: OpenOptions): Promise<TaskStore>
  /**
   * All processes of the store, for a reader from outside: nothing is written, nothing stays open. @throws
   * STORE_UNAVAILABLE
   */
  presences(): Promise<SeenPresence[]>
  /** The lines of an export. @throws STORE_UNAVAILABLE */
  exportTasks(options: ExportOptions): AsyncIterable<string>
  /** @throws STORE_UNAVAILABLE; DATA_DIR_IN_USE where the folder is not free */
  importTasks(options: ImportOptions): Promise<ImportSummary>
  /** What this version would change in the store; with `apply` it changes it. @throws as `importTasks` */
  migrate(options: MigrateOptions): Promise<void>
  /** Compares the tasks with an export. @throws as `importTasks` */
  verifyTasks(options: VerifyOptions): Promise<VerifySummary>
}
