// The folders of a data folder are folders and no links: what is written and read below them must stay in it. The data
// folder itself may be a link; that is its operator's choice.
import { lstatSync } from 'node:fs'
import path from 'node:path'
import { MadhavaError } from '../../core/errors.ts'
import type { Log } from '../../platform/log.ts'
import { isRealFolder } from '../../platform/plain-file.ts'
import { type Layout, makeFolders } from './layout.ts'
import { moveAway } from './quarantine.ts'

const standsInTheWay = (folder: string): boolean =>
  lstatSync(folder, { throwIfNoEntry: false }) !== undefined && !isRealFolder(folder)

/**
 * Makes the folders, when nothing else stands in their places. What stands in that of a shard is moved to `broken/`: no
 * task of ours is in it. Of a whole folder only people can say what a link in its place is for.
 * @throws STORE_UNAVAILABLE, and what the file system says
 */
export const prepareFolders = async (layout: Layout, log: Log): Promise<void> => {
  for (const folder of [...layout.folders(), path.join(layout.dir, 'broken')])
    if (standsInTheWay(folder))
      throw new MadhavaError(
        'STORE_UNAVAILABLE',
        `In the data folder, ${path.relative(layout.dir, folder)} is a link or a file where a folder must be: mount what it leads to there, or move the data folder as a whole and set DATA_DIR`,
      )
  for (const root of [layout.tasks, layout.blobs])
    for (const shard of layout.shardsOf(root)) {
      if (!standsInTheWay(shard)) continue
      const place = path.relative(layout.dir, shard)
      moveAway(layout, shard, place.replaceAll(path.sep, '.'))
      log.error({ place }, 'something else stood in the place of a folder and was set aside')
    }
  await makeFolders(layout)
}
