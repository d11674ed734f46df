// Sessions that were ended by a logout, kept on disk for as long as their cookies are valid. Each is an empty file
// named by the cookie without its signature, so reading it gives no access.
import { lstat, mkdir, readdir, unlink } from 'node:fs/promises'
import path from 'node:path'
import { createFile } from '../../platform/atomic-file.ts'
import { ensureAccountsFolder } from './operator.ts'

/** Kept beyond the cookie's end, so that a clock that steps back does not revive a session. */
const KEEP_AFTER_MS = 24 * 60 * 60 * 1000
const TIDY_EVERY_MS = 60 * 60 * 1000
const NAME = /^v1\.([0-9a-z]{1,11})\.[A-Za-z0-9_-]{22}$/

export interface EndedSessions {
  /** Resolves when it is durable. If it rejects, the session has still ended for this process. */
  add(name: string): Promise<void>
  has(name: string): Promise<boolean>
}

/** @param clock milliseconds since 1970 */
export const openEndedSessions = async (dataDir: string, clock: () => number): Promise<EndedSessions> => {
  const folder = path.join(await ensureAccountsFolder(dataDir), 'ended')
  /** Sessions that could not be written. */
  const unwritten = new Set<string>()
  let tidied = Number.NEGATIVE_INFINITY

  /** Removes those whose cookies have expired. The limit of logins bounds how many stay. */
  const tidy = async (): Promise<void> => {
    const now = clock()
    if (Math.abs(now - tidied) < TIDY_EVERY_MS) return
    tidied = now
    for (const name of await readdir(folder)) {
      const end = NAME.exec(name)?.[1]
      if (end === undefined || Number.parseInt(end, 36) + KEEP_AFTER_MS > now) continue
      await unlink(path.join(folder, name)).catch(() => {
        // it is not a session's file
      })
    }
  }
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await tidy()

  return {
    async add(name) {
      unwritten.add(name)
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await createFile(path.join(folder, name), '', { mode: 0o600 })
      unwritten.delete(name)
      await tidy().catch(() => {
        // the next logout tries again
      })
    },

    async has(name) {
      if (unwritten.has(name)) return true
      try {
        await lstat(path.join(folder, name))
        return true
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
        throw error
      }
    },
  }
}
