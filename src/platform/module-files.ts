// What a module is made of: its file, and all that it imports by relative paths, read once. Its code is a hash that a
// person can make with sha256sum.
import { createHash } from 'node:crypto'
import { open, readFile, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { openPlain } from './plain-file.ts'
import { filesMeant, relativeImports } from './relative-imports.ts'

export interface ModuleFile {
  /** Its real path. */
  file: string
  bytes: Buffer
  /** Its rights, as the system says them. */
  mode: number
  /** In hex. */
  sha256: string
}

export interface ModuleFiles {
  /** Its real path. */
  file: string
  /** Its own file among them. */
  files: readonly ModuleFile[]
  /**
   * In hex: SHA-256 of the file if it is the only one, else of the lines `<SHA-256>  <path>` of them all, where the
   * paths are relative to its folder and in the order of their bytes.
   */
  code: string
}

/** Of one module. */
export const MODULE_LIMITS = { files: 1_000, bytes: 64 * 1024 ** 2 }

/** Whatever else is imported has no imports of its own. */
const IS_CODE = /\.[mc]?[jt]sx?$/
const MEBIBYTE = 1024 ** 2

const tooManyBytes = (bytes: number): Error =>
  new Error(`it has more than ${bytes / MEBIBYTE} MiB with all that it imports by relative paths`)

/** SHA-256 in hex. */
export const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex')

/** @see ModuleFiles.code */
export const codeOf = (file: string, files: readonly Pick<ModuleFile, 'file' | 'sha256'>[]): string => {
  const [only] = files
  if (files.length === 1 && only) return only.sha256
  const lines = files.map(each => ({
    sha256: each.sha256,
    shown: Buffer.from(path.relative(path.dirname(file), each.file)),
  }))
  lines.sort((a, b) => Buffer.compare(a.shown, b.shown))
  return sha256(lines.map(line => `${line.sha256}  ${line.shown}\n`).join(''))
}

const realFile = async (file: string): Promise<string | null> => {
  try {
    const real = await realpath(file)
    // an addon finds its libraries by its own path
    return !real.endsWith('.node') && (await stat(real)).isFile() ? real : null
  } catch {
    return null
  }
}

/** What CommonJS takes where a folder is imported; null: nothing that its package.json names. */
const mainOf = async (folder: string): Promise<string | null> => {
  try {
    const { main } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as {
      main?: unknown
    }
    return typeof main === 'string' ? path.join(folder, main) : null
  } catch {
    return null
  }
}

/** The files that an import may mean. */
const findMeant = async (folder: string, named: string, mayBeFolder = true): Promise<string[]> => {
  for (const group of filesMeant(folder, named)) {
    const found = await Promise.all(group.map(realFile))
    const files = found.filter(each => each !== null)
    if (files.length > 0) return files
    const main = mayBeFolder && group[0] !== undefined ? await mainOf(group[0]) : null
    if (main !== null) return findMeant(folder, main, false)
  }
  return []
}

/** SHA-256 of a file of any size, in hex. @throws what the file system says */
export const hashOf = async (file: string): Promise<string> => {
  const hash = createHash('sha256')
  const handle = await open(file)
  try {
    for await (const chunk of handle.createReadStream({ autoClose: false })) hash.update(chunk as Buffer)
  } finally {
    await handle.close()
  }
  return hash.digest('hex')
}

export interface ModuleReader {
  /** @throws Error with the reason for people; what the file system says of the file itself */
  read(file: string): Promise<ModuleFiles>
}

/** Reads modules that may share files: each file is read once, so all of them have it in the same state. */
export const createModuleReader = (limits: Partial<typeof MODULE_LIMITS> = {}): ModuleReader => {
  const { files: most, bytes: mostBytes } = { ...MODULE_LIMITS, ...limits }
  const known = new Map<string, Promise<ModuleFile & { imports: readonly string[] }>>()

  const readFirst = async (file: string) => {
    const { handle, info } = await openPlain(file)
    try {
      if (info.size > mostBytes) throw tooManyBytes(mostBytes)
      const bytes = await handle.readFile()
      const imports = IS_CODE.test(file) ? relativeImports(bytes.toString()) : []
      const found = await Promise.all(imports.map(named => findMeant(path.dirname(file), named)))
      return { file, bytes, mode: info.mode, sha256: sha256(bytes), imports: [...new Set(found.flat())] }
    } finally {
      await handle.close()
    }
  }
  const readOnce = (file: string) => {
    const before = known.get(file)
    if (before) return before
    const reading = readFirst(file)
    known.set(file, reading)
    return reading
  }

  return {
    async read(shown) {
      const file = await realpath(shown)
      const files = new Map<string, ModuleFile>()
      let bytes = 0
      const rest = [file]
      for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
        if (files.has(next)) continue
        if (files.size >= most) throw new Error(`it imports more than ${most} files by relative paths`)
        const { imports, ...one } = await readOnce(next)
        files.set(next, one)
        bytes += one.bytes.length
        if (bytes > mostBytes) throw tooManyBytes(mostBytes)
        rest.push(...imports)
      }
      return { file, files: [...files.values()], code: codeOf(file, [...files.values()]) }
    },
  }
}
