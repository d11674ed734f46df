// A mirror of the files that modules and programs are made of, in one private folder: each at the folder and its real
// path. What is loaded from there is what was there when it was made, whatever happens to the originals; and a later
// mirror has paths of its own, so a process that has loaded an earlier one loads it anew. What is no module is a link to
// its original: packages, templates, data.

import { constants, type Dirent } from 'node:fs'
import {
  access,
  chmod,
  copyFile,
  lstat,
  mkdir,
  readdir,
  realpath,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import path from 'node:path'
import { createModuleReader, hashOf, type MODULE_LIMITS } from './module-files.ts'

export interface MirroredFile {
  /** What to load. */
  file: string
  /** In hex; null: it cannot be read. */
  code: string | null
}

export interface ModuleMirror {
  /** A module with all that it imports by relative paths. @throws Error with the reason for people; MirrorError */
  addModule(file: string): Promise<MirroredFile>
  /** A program, with the small files beside it. @throws Error with the reason for people; MirrorError */
  addProgram(file: string): Promise<MirroredFile>
  /** To be called when all are added, and before one is loaded. @throws MirrorError */
  finish(): Promise<void>
}

/** The mirror itself cannot be made. */
export class MirrorError extends Error {
  constructor(reason: string, cause?: unknown) {
    super(reason, { cause })
    this.name = 'MirrorError'
  }
}

/** `bytes` of all copies, `links` in all. */
export const MIRROR_LIMITS = { bytes: 512 * 1024 ** 2, links: 20_000 }
/** What is larger than this and lies beside a program is data. */
const BESIDE_BYTES = 1024 ** 2
const MEBIBYTE = 1024 ** 2
/** Compiled beside the copies again: an entry is valid by the time and size of its source, and two copies share those. */
const CACHES = ['__pycache__']

const codeOfError = (error: unknown): string =>
  (error as NodeJS.ErrnoException).code ?? (error as Error).message

const may = (file: string, what: number): Promise<boolean> =>
  access(file, what).then(
    () => true,
    () => false,
  )

const parentsOf = (folder: string): string[] => {
  const parent = path.dirname(folder)
  return parent === folder ? [] : [parent, ...parentsOf(parent)]
}

/**
 * @param root an empty folder, by its real path
 * @param onNotExecutable a copy of a program cannot be executed there, so the original is used
 */
export const createModuleMirror = (
  root: string,
  {
    limits = {},
    onNotExecutable = () => {},
  }: {
    limits?: Partial<typeof MIRROR_LIMITS & { modules: Partial<typeof MODULE_LIMITS> }>
    onNotExecutable?: (file: string) => void
  } = {},
): ModuleMirror => {
  const { bytes: mostBytes, links: mostLinks } = { ...MIRROR_LIMITS, ...limits }
  const reader = createModuleReader(limits.modules)
  /** By real path: what is copied, or about to be. */
  const copies = new Map<string, Promise<void>>()
  /** Real paths of the folders that something was copied from. */
  const folders = new Set<string>()
  /** Those, and the folders above them. */
  const made = new Set<string>()
  let bytes = 0
  let links = 0

  const placeOf = (file: string): string => path.join(root, file.slice(path.parse(file).root.length))
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (error instanceof MirrorError) throw error
      throw new MirrorError(
        `the files of kinds cannot be copied into the data folder (${codeOfError(error)})`,
        error,
      )
    }
  }
  const count = (more: number): void => {
    bytes += more
    if (bytes > mostBytes)
      throw new Error(`the files of all kinds have more than ${mostBytes / MEBIBYTE} MiB together`)
  }
  /** Once for each file. */
  const copyOnce = (file: string, size: number, copy: (to: string) => Promise<void>): Promise<void> => {
    const before = copies.get(file)
    if (before) return before
    count(size)
    const copying = guarded(async () => {
      const folder = path.dirname(file)
      folders.add(folder)
      for (const each of [folder, ...parentsOf(folder)]) made.add(each)
      await mkdir(path.dirname(placeOf(file)), { recursive: true, mode: 0o700 })
      await copy(placeOf(file))
    })
    copies.set(file, copying)
    return copying
  }

  /** With its rights and its time, which some interpreters compare. */
  const copyAsItIs = async (file: string): Promise<void> => {
    const { size, mode, atime, mtime } = await lstat(file)
    await copyOnce(file, size, async to => {
      await copyFile(file, to, constants.COPYFILE_FICLONE)
      await chmod(to, (mode & 0o777) | 0o600)
      await utimes(to, atime, mtime)
    })
  }
  /** What a program imports or reads there is not known, so all small files are taken. */
  const copyBeside = async (folder: string): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const file = path.join(folder, entry.name)
      // hidden ones are settings, and may be secrets
      if (!entry.isFile() || entry.name.startsWith('.') || copies.has(file)) continue
      try {
        const { size } = await lstat(file)
        if (size > BESIDE_BYTES || bytes + size > mostBytes || !(await may(file, constants.R_OK))) continue
        await copyAsItIs(file)
      } catch (error) {
        // an editor's own file may be gone by now
        if (await may(file, constants.F_OK)) throw error
        copies.delete(file)
      }
    }
  }

  const link = async (target: string, at: string): Promise<void> => {
    links += 1
    if (links > mostLinks)
      throw new MirrorError(
        `the folders of the kinds and of what they import have more than ${mostLinks} entries`,
      )
    await symlink(target, at).catch((error: unknown) => {
      // a copy, a folder with copies, or a link that was made before
      if (codeOfError(error) !== 'EEXIST') throw error
    })
  }
  const filled = new Set<string>()
  /** Where the mirror has a file or a folder itself. */
  const isMirrored = (real: string): boolean => copies.has(real) || made.has(real)
  /** Everything else in a folder as links. */
  const fill = async (folder: string): Promise<void> => {
    if (filled.has(folder)) return
    filled.add(folder)
    const entries: Dirent[] = await readdir(folder, { withFileTypes: true }).catch(() => [])
    await mkdir(placeOf(folder), { recursive: true, mode: 0o700 })
    for (const entry of entries) {
      if (CACHES.includes(entry.name)) continue
      const original = path.join(folder, entry.name)
      const real = entry.isSymbolicLink() ? await realpath(original).catch(() => null) : original
      const leads = real !== null && isMirrored(real)
      if (real !== original || !leads) await link(leads ? placeOf(real) : original, placeOf(original))
      if (leads && !copies.has(real)) await fill(real)
    }
  }
  /** What the system looks for in the folders above: packages, and what a package is. */
  const linkPackages = async (folder: string): Promise<void> => {
    for (const name of ['node_modules', 'package.json']) {
      const original = path.join(folder, name)
      const there = await lstat(original).catch(() => null)
      if (there && !isMirrored(original)) await link(original, placeOf(original))
    }
  }
  const hasPackage = (folder: string): Promise<boolean> =>
    lstat(path.join(folder, 'package.json')).then(
      () => true,
      () => false,
    )
  const linkAround = async (folder: string): Promise<void> => {
    const line = [folder, ...parentsOf(folder)]
    let last = 0
    for (const [place, each] of line.entries())
      if (await hasPackage(each)) {
        last = place
        break
      }
    for (const each of line.slice(0, last + 1)) await fill(each)
    for (const each of line.slice(last + 1)) await linkPackages(each)
  }
  /** A package.json above the mirror says nothing about the originals. */
  const shieldRoot = async (): Promise<void> => {
    const above = await Promise.all(parentsOf(root).map(hasPackage))
    const own = path.join(root, 'package.json')
    if (above.includes(true) && !(await hasPackage(root))) await writeFile(own, '{}\n', { mode: 0o600 })
  }

  return {
    async addModule(shown) {
      const { file, files, code } = await reader.read(shown)
      for (const { file: each, bytes: content, mode } of files)
        await copyOnce(each, content.length, to => writeFile(to, content, { mode: (mode & 0o777) | 0o600 }))
      return { file: placeOf(file), code }
    },
    async addProgram(shown) {
      const file = await realpath(shown)
      // one that may be executed and not read runs where it is
      if (!(await may(file, constants.R_OK))) return { file: shown, code: null }
      await copyAsItIs(file)
      const copy = placeOf(file)
      const code = await guarded(() => hashOf(copy))
      if (!(await may(copy, constants.X_OK)) && (await may(file, constants.X_OK))) {
        onNotExecutable(file)
        return { file: shown, code }
      }
      await copyBeside(path.dirname(file))
      return { file: copy, code }
    },
    finish: () =>
      guarded(async () => {
        for (const folder of folders) await linkAround(folder)
        await shieldRoot()
      }),
  }
}
