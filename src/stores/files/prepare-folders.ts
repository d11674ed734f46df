// The folders of a data folder are folders and no links: what is written and read below them must stay in it. The data
// folder itself may be a link; that is its operator's choice.
import { existsSync, lstatSync, statSync } from 'node:fs'
import { chmod, mkdir } from 'node:fs/promises'
import path from 'node:path'
import { MadhavaError } from '../../core/errors.ts'
import { syncFolder } from '../../platform/atomic-file.ts'
import type { Log } from '../../platform/log.ts'
import { isRealFolder } from '../../platform/plain-file.ts'
import { refuseLaterFormat } from './format.ts'
import type { Layout } from './layout.ts'
import { moveAway } from './quarantine.ts'

/** One level after another: Node's own way never ends where a folder cannot be made (below /proc, say). */
const makeFolder = async (folder: string): Promise<void> => {
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && path.dirname(folder) !== folder && !existsSync(path.dirname(folder))) {
      await makeFolder(path.dirname(folder))
      await mkdir(folder, { mode: 0o700 })
    } else if (code !== 'EEXIST' || !statSync(folder).isDirectory())
      throw new MadhavaError(
        'STORE_UNAVAILABLE',
        `The data folder cannot be made or used (${code}): set DATA_DIR to a folder that can`,
        {
          cause: error,
        },
      )
  }
}

/** Makes every folder that is missing, also the 256 folders of records, so that no write has to check. */
export const makeFolders = async (layout: Layout): Promise<void> => {
  await makeFolder(layout.dir)
  for (const folder of [...layout.folders(), ...layout.shards()]) await mkdir(folder, { recursive: true })
  for (const folder of layout.closed()) {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    // one that was open to others before
    if ((statSync(folder).mode & 0o777) !== 0o700) await chmod(folder, 0o700)
  }
  for (const folder of [layout.dir, layout.tasks]) await syncFolder(folder)
}

const standsInTheWay = (folder: string): boolean =>
  lstatSync(folder, { throwIfNoEntry: false }) !== undefined && !isRealFolder(folder)

/**
 * Makes the folders. Something else in the place of one of the 256 is moved to `broken/`, since it holds no task. A
 * link in the place of a top-level folder is refused: only people can say what it is for.
 * @throws STORE_UNAVAILABLE, and what the file system says
 */
export const prepareFolders = async (layout: Layout, log: Log): Promise<void> => {
  await refuseLaterFormat(layout)
  for (const folder of [...layout.folders(), ...layout.closed(), path.join(layout.dir, 'broken')])
    if (standsInTheWay(folder))
      throw new MadhavaError(
        'STORE_UNAVAILABLE',
        `In the data folder, ${path.relative(layout.dir, folder)} is a link or a file where a folder must be: mount what it leads to there, or move the data folder as a whole and set DATA_DIR`,
      )
  for (const root of [layout.tasks, layout.blobs, layout.uploadBytes])
    for (const shard of layout.shardsOf(root)) {
      if (!standsInTheWay(shard)) continue
      const place = path.relative(layout.dir, shard)
      moveAway(layout, shard, place.replaceAll(path.sep, '.'))
      log.error({ place }, 'something else stood in the place of a folder and was set aside')
    }
  await makeFolders(layout)
}
