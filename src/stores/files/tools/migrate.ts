// What this version would change in a data folder, and the change itself, which needs the folder for itself.
import path from 'node:path'
import type { Documents } from '../../../core/documents.ts'
import { silentLog } from '../../../platform/log.ts'
import { type MigrateOptions, upgradeDocuments } from '../../shared/upgrade-documents.ts'
import { pageIn } from '../documents/listing.ts'
import { storeError } from '../errno.ts'
import { lockFolder } from '../folder-lock.ts'
import { DOCUMENTS_FORMAT, FORMAT } from '../format.ts'
import { createLayout } from '../layout.ts'
import { pendingChanges } from '../migrations/migrate.ts'
import { openFilesStore } from '../open.ts'
import { mustBeDataFolder } from './fsck.ts'

/** @throws STORE_UNAVAILABLE when it is no data folder, or of a later format; DATA_DIR_IN_USE with `apply` */
export const migrateFolderByHand = async (
  options: MigrateOptions & { dir: string; clock: () => Date },
): Promise<void> => {
  const { apply, onChange, clock } = options
  const layout = createLayout(path.resolve(options.dir))
  mustBeDataFolder(layout)
  const tellPending = async (): Promise<number> => {
    const { from, changes } = await pendingChanges(layout)
    for (const { place, text } of changes) onChange({ place, text })
    if (from < FORMAT)
      onChange({ place: 'format.json', text: `a folder of format ${from} becomes one of format ${FORMAT}` })
    return from
  }
  try {
    if (!apply) {
      const from = await tellPending()
      if (from >= DOCUMENTS_FORMAT) {
        const list: Documents['list'] = (...asked) => pageIn(layout, ...asked)
        await upgradeDocuments({ list }, null, options)
      }
      return
    }
    const log = silentLog()
    const lock = await lockFolder({ dir: layout.dir, clock, log, patienceMs: 0 })
    try {
      await tellPending()
      const store = await openFilesStore({ dir: layout.dir, clock, log, isOwner: true })
      try {
        await upgradeDocuments(store.documents, store.documents.put, options)
      } finally {
        await store.close()
      }
    } finally {
      await lock.release()
    }
  } catch (error) {
    throw storeError(error)
  }
}
