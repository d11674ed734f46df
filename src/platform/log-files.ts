// Keeps the folder of log files bounded: a file over the limit becomes `<name>.1`, and goes on empty.
import { copyFile, readdir, stat, truncate } from 'node:fs/promises'
import path from 'node:path'

const LIMIT_BYTES = 16 * 1024 * 1024
const LOOK_MS = 30_000

/**
 * Copies and empties what has grown too long. The writer goes on at the new beginning, since it appends; lines that
 * it writes between the copy and the cut are lost, which PM2 has no way to avoid.
 */
export const boundLogs = async (folder: string, limitBytes = LIMIT_BYTES): Promise<void> => {
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.log')) continue
    const file = path.join(folder, name)
    if ((await stat(file)).size <= limitBytes) continue
    await copyFile(file, `${file}.1`)
    await truncate(file)
  }
}

/** Looks now and then, for as long as the process lives; it does not hold the process. */
export const keepLogsBounded = (folder: string): void => {
  setInterval(() => {
    boundLogs(folder).catch(() => {
      // a full disk or a file that has just gone: the next look tries again
    })
  }, LOOK_MS).unref()
}
