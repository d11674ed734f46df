// The folders that attempts have to themselves, `<this process>/<task>.<claim>` in one folder. Threads make them; this
// removes them when the attempt is over, and those of dead workers of this host.
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import type { TaskStore } from '../core/store.ts'
import type { Log } from '../platform/log.ts'
import { ownerOfCopies } from '../platform/module-copies.ts'
import { claimFolder, OWNER, removeQuietly, sweepFolders } from '../platform/owned-folder.ts'

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

  const sweepOwn = async (): Promise<void> => {
    const names = await readdir(own)
    for (const name of names) {
      const folder = path.join(own, name)
      if (name !== OWNER && !used.has(folder)) await removeQuietly(folder, log)
    }
  }

  const living = async (): Promise<ReadonlySet<string>> => {
    const seen = await store.presences()
    return new Set(seen.flatMap(presence => (presence.alive ? [presence.instance] : [])))
  }

  const sweep = async (): Promise<void> => {
    if (closed) return
    try {
      await claimFolder(own, storeId, clock())
      await sweepOwn()
      await sweepFolders({
        dir,
        isOther: name => ownerOfCopies(name) !== store.instance,
        living,
        ownerOf: ownerOfCopies,
        now: clock(),
        log,
      })
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
      const removal = removeQuietly(folder, log).then(() => {
        used.delete(folder)
        removing.delete(removal)
      })
      removing.add(removal)
    },
    sweep,
    close() {
      closed ??= (async () => {
        await Promise.all(removing)
        await removeQuietly(own, log)
      })()
      return closed
    },
  }
}
