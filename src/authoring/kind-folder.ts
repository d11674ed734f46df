// What lies in a folder of kinds: the files that a server takes for kinds, and what else its author should know of. It
// runs none of them.
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { findModules } from '../platform/modules.ts'
import { findPrograms, namesInterpreter } from '../programs/program-files.ts'

/** `file`: its name in the folder. */
export interface Said {
  file: string
  reason: string
}

export interface KindFolder {
  /** By the names of the files. */
  files: { name: string; file: string }[]
  /** Files that a server refuses before it has read them. */
  refused: { name: string; file: string; reason: string }[]
  warnings: Said[]
}

const WRONG_ENDING = /\.(?:c[tj]s|[tj]sx)$/i
const TEST = /^test[_-]|[._-](?:test|spec)\.[^.]+$/i
const CAPITAL = /^[A-Z][^.]*$/
/** Files like these lie beside programs. */
const TEXTS = /^(?:LICEN[CS]E|README|CHANGELOG|NOTICE|AUTHORS|COPYING|Makefile|Dockerfile|Procfile|VERSION)$/i

/** Why the author may have meant a kind, or null. */
const whyPassedOver = async (file: string): Promise<string | null> => {
  const name = path.basename(file)
  if (/^[._]|~$/.test(name) || /\.d\.m?ts$/.test(name)) return null
  if (TEST.test(name)) return null
  if (WRONG_ENDING.test(name)) return 'it is no kind: a module ends in .ts, .mts, .js or .mjs'
  const found = await stat(file).catch(() => null)
  if (!found?.isFile()) return null
  const isExecutable = (found.mode & 0o111) !== 0
  if (isExecutable && CAPITAL.test(name) && !TEXTS.test(name))
    return `it is no kind: a name with a capital and no ending is taken for a text; ${name.toLowerCase()} would be one`
  // an ending that a server passes over is said to be none, however executable the file is
  if (isExecutable || /\.[a-z0-9]+$/i.test(name)) return null
  const isScript = await namesInterpreter(file).catch(() => false)
  return isScript ? `it begins with #! and is not executable: chmod +x ${name}, if it is a kind` : null
}

/** @throws an error of the file system for the folder */
export const readKindFolder = async (folder: string): Promise<KindFolder> => {
  const [modules, programs, entries] = await Promise.all([
    findModules(folder),
    findPrograms(folder),
    readdir(folder, { withFileTypes: true }),
  ])
  const files = [...modules, ...programs.programs].sort((a, b) => (a.file < b.file ? -1 : 1))
  const known = new Set([...files, ...programs.refused].map(({ file }) => path.basename(file)))
  const warnings: Said[] = []
  for (const { name } of entries.filter(entry => entry.isFile() || entry.isSymbolicLink())) {
    if (known.has(name)) continue
    const reason = await whyPassedOver(path.join(folder, name))
    if (reason !== null) warnings.push({ file: name, reason })
  }
  return { files, refused: programs.refused, warnings: warnings.sort((a, b) => (a.file < b.file ? -1 : 1)) }
}

/** Whether a file that is taken for a kind looks like a test of one. */
export const looksLikeATest = (file: string): boolean => TEST.test(path.basename(file))
