// Removes a folder with all that is in it, also where somebody has taken away the right to change it.
import { chmod, readdir, rm } from 'node:fs/promises'
import path from 'node:path'

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? ''

/** Gives the owner all rights on every folder. Follows no link. */
const openUp = async (folder: string): Promise<void> => {
  await chmod(folder, 0o700)
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isDirectory()) await openUp(path.join(folder, entry.name))
}

/** Nothing happens if it is not there. Links are removed, not followed. @throws what the file system says */
export const removeTree = async (folder: string): Promise<void> => {
  const options = { recursive: true, force: true, maxRetries: 2 } as const
  try {
    await rm(folder, options)
  } catch (error) {
    if (!['EACCES', 'EPERM'].includes(codeOf(error))) throw error
    await openUp(folder)
    await rm(folder, options)
  }
}
