// Where a store lives, said in JSON so that a child process can open the same one.
import type { TaskStore } from '../../src/core/store.ts'
import { silentLog } from '../../src/platform/log.ts'
import { openFilesStore } from '../../src/stores/files/open.ts'

export interface StorePlace {
  adapter: 'files'
  dir: string
}

/** A store of its own instance on this place. */
export const openPlace = ({ dir }: StorePlace): Promise<TaskStore> =>
  openFilesStore({ dir, clock: () => new Date(), log: silentLog() })
