// The names of Madhava's own kinds, without loading them.
import { fileURLToPath } from 'node:url'
import { findModules } from '../platform/modules.ts'

const FOLDER = fileURLToPath(new URL('../kinds/', import.meta.url))

/** @param setting BUILT_IN_KINDS; all of them for a text that is none, which a start refuses */
export const builtInNames = async (setting = 'all'): Promise<string[]> => {
  const all = (await findModules(FOLDER)).map(({ name }) => name)
  if (setting === '' || setting === 'all') return all
  if (setting === 'none') return []
  const wanted = setting.split(',').map(name => name.trim())
  return all.filter(name => wanted.includes(name))
}
