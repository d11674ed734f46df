// What this version would change in a data folder, and the change itself, which needs the folder for itself.
import path from 'node:path'
import { type Document, type Documents, parseDocumentCursor } from '../../../core/documents.ts'
import { silentLog } from '../../../platform/log.ts'
import { type MigrateOptions, upgradeDocuments } from '../../shared/upgrade-documents.ts'
import { readDocumentFile } from '../documents/document-file.ts'
import { namesIn } from '../documents/documents.ts'
import { storeError } from '../errno.ts'
import { lockFolder } from '../folder-lock.ts'
import { DOCUMENTS_FORMAT, FORMAT } from '../format.ts'
import { createLayout, type Layout } from '../layout.ts'
import { pendingChanges } from '../migrations/migrate.ts'
import { openFilesStore } from '../open.ts'
import { mustBeDataFolder } from './fsck.ts'

/** Reads the documents of a folder that is not opened. */
const readerOf = (layout: Layout): Pick<Documents, 'list'> => ({
  async list(collection, { limit, cursor }) {
    const after = parseDocumentCursor(cursor) ?? ''
    const names = (await namesIn(layout, collection)).filter(name => name > after)
    const page = names.slice(0, limit)
    const documents: Document[] = []
    for (const name of page) {
      const found = await readDocumentFile(layout, collection, name)
      if (found.state === 'whole') documents.push(found.document)
    }
    return { documents, next: names.length > limit ? (page.at(-1) ?? null) : null }
  },
})

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
      if (from >= DOCUMENTS_FORMAT) await upgradeDocuments(readerOf(layout), null, options)
      return
    }
    const log = silentLog()
    const lock = await lockFolder({ dir: layout.dir, clock, log, patienceMs: 0 })
    try {
      await tellPending()
      const store = await openFilesStore({ dir: layout.dir, clock, log })
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
