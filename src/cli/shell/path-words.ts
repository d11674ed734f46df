// Files of this machine that a typed beginning may become.
import { readdir } from 'node:fs/promises'
import path from 'node:path'

const MOST = 200

/** `src/c` may become `src/cli/`; folders end with a slash. Nothing where the folder cannot be read. */
export const pathWords = async (begin: string): Promise<string[]> => {
  const folder = begin.slice(0, begin.lastIndexOf('/') + 1)
  const name = begin.slice(folder.length)
  try {
    const entries = await readdir(path.resolve(folder === '' ? '.' : folder), { withFileTypes: true })
    return entries
      .filter(entry => entry.name.startsWith(name) && (name !== '' || !entry.name.startsWith('.')))
      .slice(0, MOST)
      .map(entry => `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`)
  } catch {
    return []
  }
}
