// Folders of processes of this host side by side in one folder, each with a note of its owner, so that what a killed
// process has left there is told from what a living one uses.
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import path from 'node:path'
import type { Log } from './log.ts'
import { isOfThisNamespace, isWorkerDead, markOf, markPrefix, readMark } from './process-mark.ts'
import { removeTree } from './remove-tree.ts'

/** The process that a folder belongs to: its mark, and its host. */
export const OWNER = 'owner'
/**
 * A process that lives touches its folder again and again, and the store says that it lives. Where the system cannot
 * prove its death (after a boot, in a container that was made anew), its folder counts as left when it was not touched
 * for so long, milliseconds; the second time is for other hosts.
 */
const UNTOUCHED_MS = { here: 10 * 60_000, elsewhere: 24 * 3_600_000 }
const NAME = /^[A-Za-z0-9_-]{1,128}$/

/** Makes it where it is missing, and touches it. @param storeId identifies the store (platform/process-mark.ts) */
export const claimFolder = async (folder: string, storeId: string, now: Date): Promise<void> => {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const owner = [markOf(markPrefix(storeId), 'worker', 0), hostname()]
  await writeFile(path.join(folder, OWNER), `${owner.join('\n')}\n`, { mode: 0o600 })
  await utimes(folder, now, now)
}

/** In doubt, no: what a live process uses must stay. */
const isLeft = async (folder: string, now: Date): Promise<boolean> => {
  const owner = await readFile(path.join(folder, OWNER), 'utf8').catch(() => '')
  const [word = '', host] = owner.split('\n')
  const mark = readMark(word)
  if (mark && isOfThisNamespace(mark)) return isWorkerDead(mark)
  const { mtimeMs } = await stat(folder)
  const untouchedMs = host === hostname() ? UNTOUCHED_MS.here : UNTOUCHED_MS.elsewhere
  return now.getTime() - mtimeMs > untouchedMs
}

/** What is still written to cannot be removed; the next sweep tries again. Never rejects. */
export const removeQuietly = async (folder: string, log: Log): Promise<void> => {
  try {
    await removeTree(folder)
  } catch (error) {
    log.debug({ error, folder }, 'a folder could not be removed')
  }
}

/**
 * Removes the folders of `dir` whose owners are dead. `isOther`: by the folder's name, whether it may be removed at all.
 * `living`: the names of processes that live. @throws what the file system or `living` says
 */
export const sweepFolders = async (deps: {
  dir: string
  isOther: (name: string) => boolean
  living: () => Promise<ReadonlySet<string>>
  /** The name of the process that a folder belongs to. */
  ownerOf?: (name: string) => string
  now: Date
  log: Log
}): Promise<void> => {
  const { dir, isOther, living, ownerOf = (name: string) => name, now, log } = deps
  const entries = await readdir(dir, { withFileTypes: true })
  // a link is nobody's folder
  const others = entries.filter(entry => entry.isDirectory() && NAME.test(entry.name) && isOther(entry.name))
  if (others.length === 0) return
  const alive = await living()
  for (const { name } of others) {
    const folder = path.join(dir, name)
    if (alive.has(ownerOf(name)) || !(await isLeft(folder, now))) continue
    await removeQuietly(folder, log)
    log.debug({ instance: name }, 'removed the folders of a process that is dead')
  }
}
