// Files that appear whole or not at all: written aside in the same folder, synced, then renamed or linked.
// A name of a file written aside begins with a dot and ends in `.tmp`; whoever lists a folder passes over those.
import { randomBytes } from 'node:crypto'
import { link, open, rename, unlink } from 'node:fs/promises'
import path from 'node:path'

export interface WriteOptions {
  mode?: number
  /** Sync the folder too, so that a power cut cannot undo the new name. Default true. */
  durable?: boolean
}

const asideName = (file: string): string =>
  path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString('hex')}.tmp`)

/** Whether a folder entry is a file written aside, whole or not. */
export const isAside = (name: string): boolean => name.startsWith('.') && name.endsWith('.tmp')

/** Makes the entries of a folder durable. */
export const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Writes and syncs `data` under a name of its own beside `file`; answers that name. */
const writeAside = async (file: string, data: string | Uint8Array, mode: number): Promise<string> => {
  const aside = asideName(file)
  const handle = await open(aside, 'wx', mode)
  try {
    await handle.writeFile(data)
    await handle.sync()
    await handle.close()
  } catch (error) {
    await handle.close().catch(() => {})
    await unlink(aside).catch(() => {})
    throw error
  }
  return aside
}

/** Puts `data` in the place of `file`; readers see the old bytes or the new ones. */
export const replaceFile = async (
  file: string,
  data: string | Uint8Array,
  { mode = 0o640, durable = true }: WriteOptions = {},
): Promise<void> => {
  const aside = await writeAside(file, data, mode)
  try {
    await rename(aside, file)
  } catch (error) {
    await unlink(aside).catch(() => {})
    throw error
  }
  if (durable) await syncFolder(path.dirname(file))
}

/** Makes `file` with `data`; false when the name is taken, by exactly one of any number of racing callers. */
export const createFile = async (
  file: string,
  data: string | Uint8Array,
  { mode = 0o640, durable = true }: WriteOptions = {},
): Promise<boolean> => {
  const aside = await writeAside(file, data, mode)
  try {
    await link(aside, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await unlink(aside).catch(() => {})
  }
  if (durable) await syncFolder(path.dirname(file))
  return true
}
