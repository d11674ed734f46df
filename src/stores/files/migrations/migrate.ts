// Brings a data folder of an earlier version to the present format, one step after another. Each step can be cut off
// anywhere and begins again at the next opening.
import { MadhavaError } from '../../../core/errors.ts'
import type { Log } from '../../../platform/log.ts'
import type { Instances } from '../claims/instances.ts'
import type { Disk } from '../disk.ts'
import { createWriteTurns } from '../documents/write-turns.ts'
import { FORMAT, refuseLaterFormat, writeFormat } from '../format.ts'
import type { Layout } from '../layout.ts'
import { loginsToDocuments } from './logins-to-documents.ts'
import type { FolderChange, FolderMigration } from './migration.ts'

const MIGRATIONS: readonly FolderMigration[] = [{ to: 2, find: loginsToDocuments }]

/** What the opening of this folder would change, in order. Reads only. @throws STORE_UNAVAILABLE */
export const pendingChanges = async (layout: Layout): Promise<{ from: number; changes: FolderChange[] }> => {
  const { format } = await refuseLaterFormat(layout)
  const changes: FolderChange[] = []
  for (const { to, find } of MIGRATIONS) if (to > format) changes.push(...(await find(layout)))
  return { from: format, changes }
}

interface MigrateDeps {
  layout: Layout
  disk: Disk
  instances: Pick<Instances, 'instance' | 'isAlive'>
  clock: () => Date
  log: Log
  /** Whether this process owns the folder. One of an earlier version may be using it otherwise. */
  isOwner: boolean
}

/**
 * Resolves when the folder is of the present format. Of several processes one does it. @throws STORE_UNAVAILABLE, also
 * where something must be changed and this process does not own the folder
 */
export const migrateFolder = async (deps: MigrateDeps): Promise<void> => {
  const { layout, disk, instances, clock, log, isOwner } = deps
  if ((await refuseLaterFormat(layout)).format === FORMAT) return
  // a new folder has nothing to change, and anybody may say of which format it is
  if (!isOwner && (await pendingChanges(layout)).changes.length > 0)
    throw new MadhavaError(
      'STORE_UNAVAILABLE',
      `The data folder ${layout.dir} is of an earlier format, and may still be in use by an earlier version: stop that and start this version on it first (npm start)`,
    )
  // no program of an earlier format writes documents: nothing can be left unfinished
  const turns = createWriteTurns({ layout, disk, instances, onUnfinished: async () => {} })
  await turns.inTurn({ collection: 'accounts', name: 'operator' }, async () => {
    const { from, changes } = await pendingChanges(layout)
    if (from === FORMAT) return
    for (const { place, text, apply } of changes) {
      await apply(clock()).catch((cause: unknown) => {
        throw new MadhavaError(
          'STORE_UNAVAILABLE',
          `The data folder cannot be brought to format ${FORMAT} at ${place}`,
          {
            cause,
          },
        )
      })
      log.info({ place }, text)
    }
    await writeFormat(layout)
  })
}
