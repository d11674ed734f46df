// Loads the kinds of a process: the built-in ones, and those of KINDS_DIR.
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Config } from './config.ts'
import { MadhavaError } from './core/errors.ts'
import {
  checkExample,
  createKinds,
  type KindSettings,
  loadKind,
  type NamedKind,
} from './core/kind.ts'
import { sortKindFiles } from './core/kind-files.ts'
import type { KindSet } from './core/kind-sets.ts'
import { didYouMean } from './core/nearest.ts'
import { findModules, loadModules, ModuleLoadError, tryModules } from './platform/modules.ts'
import { tryPrograms } from './programs/load-programs.ts'

const BUILT_IN_KINDS = fileURLToPath(new URL('./kinds/', import.meta.url))

/** Without `builtInKinds`: all of them. */
type KindsConfig = Pick<Config, 'kindsDir' | 'kindSettings'> & Partial<Pick<Config, 'builtInKinds'>>

/** @throws CONFIG_INVALID for a name that no built-in kind has */
const refuseUnknown = async (wanted: readonly string[]): Promise<void> => {
  const there = (await findModules(BUILT_IN_KINDS)).map(({ name }) => name)
  const unknown = wanted.find(name => !there.includes(name))
  if (unknown === undefined) return
  const meant = didYouMean(unknown, there) || '.'
  throw new MadhavaError(
    'CONFIG_INVALID',
    `BUILT_IN_KINDS: there is no built-in kind ${unknown}${meant} There are ${there.join(', ')}`,
  )
}

/** The built-in kinds; `wanted` null: all. A broken one stops everything. @throws CONFIG_INVALID, KIND_INVALID */
const loadOurKinds = async (
  wanted: readonly string[] | null,
  settings: KindSettings,
): Promise<[NamedKind, string][]> => {
  if (wanted) await refuseUnknown(wanted)
  const wants = (name: string): boolean => wanted?.includes(name) ?? true
  try {
    const kinds: [NamedKind, string][] = []
    for (const { name, file, exported } of await loadModules(BUILT_IN_KINDS, wants)) {
      const kind = loadKind(name, exported, path.basename(file), settings)
      await checkExample(kind, path.basename(file))
      kinds.push([kind, file])
    }
    return kinds
  } catch (error) {
    if (error instanceof ModuleLoadError)
      throw new MadhavaError('KIND_INVALID', error.message, { cause: error })
    throw error
  }
}

const refuseFolder = (folder: string) => (error: NodeJS.ErrnoException) => {
  if (error.syscall === undefined) throw error
  const text = `The folder of KINDS_DIR, ${folder}, cannot be read (${error.code}): this user needs the right to`
  throw new MadhavaError('KIND_INVALID', text, { cause: error })
}

/**
 * Checks what stops a start: a broken built-in kind, or a folder that cannot be read. It runs no user's file: only a
 * process that can be restarted does that. @throws KIND_INVALID
 */
export const checkKinds = async ({
  kindsDir,
  kindSettings,
  builtInKinds = null,
}: KindsConfig): Promise<void> => {
  await loadOurKinds(builtInKinds, kindSettings)
  if (kindsDir !== null) await readdir(kindsDir).catch(refuseFolder(kindsDir))
}

/** The kinds of a user's folder, and the kinds in trouble. @throws KIND_INVALID for the folder itself */
const loadUsersKinds = async (folder: string, ours: ReadonlySet<string>, settings: KindSettings) => {
  const [modules, programs] = await Promise.all([tryModules(folder), tryPrograms(folder)]).catch(
    refuseFolder(folder),
  )
  const short = <T extends { file: string }>(one: T) => ({ ...one, shown: path.basename(one.file) })
  return sortKindFiles({
    loaded: [...modules.loaded, ...programs.loaded].map(short),
    failed: [...modules.failed, ...programs.failed].map(short),
    ours,
    settings,
  })
}

/**
 * The built-in kinds and those of KINDS_DIR. A broken file there is a kind in trouble; the others run.
 * @throws KIND_INVALID with the file's name and the reason if a built-in kind is broken or the folder cannot be read
 */
export const loadKinds = async ({
  kindsDir,
  kindSettings,
  builtInKinds = null,
}: KindsConfig): Promise<KindSet> => {
  const ours = await loadOurKinds(builtInKinds, kindSettings)
  const builtIn = new Set(ours.map(([{ name }]) => name))
  const users =
    kindsDir === null ? { kinds: [], troubles: [] } : await loadUsersKinds(kindsDir, builtIn, kindSettings)
  const all = [...ours, ...users.kinds]
  return {
    builtIn,
    kinds: createKinds(
      all.map(([kind]) => kind),
      users.troubles,
    ),
    files: new Map(all.map(([{ name }, file]) => [name, file])),
    codes: new Map(),
  }
}
