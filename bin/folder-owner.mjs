// Lets a tool that root runs act as the owner of the data folder: what it makes there must be readable for the bundle.
import { statSync } from 'node:fs'

/**
 * For the rest of this process. Does nothing unless root runs it on an existing folder of another user.
 * @param {string} dir
 */
export const becomeOwnerOf = dir => {
  const owner = statSync(dir, { throwIfNoEntry: false })
  if (process.getuid?.() !== 0 || !owner || owner.uid === 0) return
  // the user last: nobody else may change the groups
  process.setgroups?.([owner.gid])
  process.setgid?.(owner.gid)
  process.setuid?.(owner.uid)
}
