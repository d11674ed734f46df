// The folders that attempts have to themselves, `<this process>/<task>.<claim>` in one folder. Threads make them; this
// removes them when the attempt is over, and those of dead workers of this host.
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import path from 'node:path'
import type { TaskStore } from '../core/store.ts'
import type { Log } from '../platform/log.ts'
import { isOfThisNamespace, isWorkerDead, markOf, markPrefix, readMark } from '../platform/process-mark.ts'
import { removeTree } from '../platform/remove-tree.ts'

export interface Scratch {
  /** Where the folder of an attempt may be made. Nothing is made, and it counts as in use until `release`. */
  pathOf(id: string, claim: number): string
  /** It is no longer in use. `mayBeThere`: begins to remove it. */
  release(folder: string, mayBeThere: boolean): void
  /** Removes what nobody uses: here, and of dead workers. Never rejects. */
  sweep(): Promise<void>
  /** Removes everything of this process. Idempotent. */
  close(): Promise<void>
}

/** The process that a folder belongs to: its mark, and its host. */
const OWNER = 'owner'
/**
 * A worker that lives touches its folder with every sweep, and the store says that it lives. Where the system cannot
 * prove its death (after a boot, in a container that was made anew), its folder counts as left when it was not touched
 * for so long, milliseconds; the second time is for other hosts.
 */
const UNTOUCHED_MS = { here: 10 * 60_000, elsewhere: 24 * 3_600_000 }
const INSTANCE = /^[A-Za-z0-9_-]{1,64}$/

export const createScratch = (deps: {
  /** The folder of all of them. */
  dir: string
  store: Pick<TaskStore, 'instance' | 'presences'>
  /** Identifies the store (platform/process-mark.ts). */
  storeId: string
  clock: () => Date
  log: Log
}): Scratch => {
  const { dir, store, storeId, clock, log } = deps
  const own = path.join(dir, store.instance)
  const used = new Set<string>()
  const removing = new Set<Promise<void>>()
  let closed: Promise<void> | null = null

  const removeQuietly = async (folder: string): Promise<void> => {
    try {
      await removeTree(folder)
    } catch (error) {
      // something may still write there; the next sweep tries again
      log.debug({ error, folder }, 'the folder of an attempt could not be removed')
    }
  }

  const claimOwn = async (): Promise<void> => {
    await mkdir(own, { recursive: true, mode: 0o700 })
    const now = clock()
    const owner = [markOf(markPrefix(storeId), 'worker', 0), hostname()]
    await writeFile(path.join(own, OWNER), `${owner.join('\n')}\n`, { mode: 0o600 })
    await utimes(own, now, now)
  }

  const sweepOwn = async (): Promise<void> => {
    const names = await readdir(own)
    for (const name of names) {
      const folder = path.join(own, name)
      if (name !== OWNER && !used.has(folder)) await removeQuietly(folder)
    }
  }

  /** In doubt, no: what a live worker uses must stay. */
  const isLeft = async (folder: string): Promise<boolean> => {
    const owner = await readFile(path.join(folder, OWNER), 'utf8').catch(() => '')
    const [word = '', host] = owner.split('\n')
    const mark = readMark(word)
    if (mark && isOfThisNamespace(mark)) return isWorkerDead(mark)
    const { mtimeMs } = await stat(folder)
    const untouchedMs = host === hostname() ? UNTOUCHED_MS.here : UNTOUCHED_MS.elsewhere
    return clock().getTime() - mtimeMs > untouchedMs
  }

  const sweepOthers = async (): Promise<void> => {
    const entries = await readdir(dir, { withFileTypes: true })
    const others = entries.filter(
      entry => entry.isDirectory() && INSTANCE.test(entry.name) && entry.name !== store.instance,
    )
    if (others.length === 0) return
    const seen = await store.presences()
    const alive = new Set(seen.flatMap(presence => (presence.alive ? [presence.instance] : [])))
    for (const { name } of others) {
      const folder = path.join(dir, name)
      if (alive.has(name) || !(await isLeft(folder))) continue
      await removeQuietly(folder)
      log.debug({ instance: name }, 'removed the folders of attempts of a worker that is dead')
    }
  }

  const sweep = async (): Promise<void> => {
    if (closed) return
    try {
      await claimOwn()
      await sweepOwn()
      await sweepOthers()
    } catch (error) {
      log.warn({ error }, 'the folders of attempts could not be looked at')
    }
  }

  return {
    pathOf(id, claim) {
      const folder = path.join(own, `${id}.${claim}`)
      used.add(folder)
      return folder
    },
    release(folder, mayBeThere) {
      if (!mayBeThere) return void used.delete(folder)
      const removal = removeQuietly(folder).then(() => {
        used.delete(folder)
        removing.delete(removal)
      })
      removing.add(removal)
    },
    sweep,
    close() {
      closed ??= (async () => {
        await Promise.all(removing)
        await removeQuietly(own)
      })()
      return closed
    },
  }
}
