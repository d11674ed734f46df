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
  type Kinds,
  loadKind,
  type NamedKind,
} from './core/kind.ts'
import { sortKindFiles } from './core/kind-files.ts'
import { loadModules, ModuleLoadError, tryModules } from './platform/modules.ts'
import { tryPrograms } from './programs/load-programs.ts'

const BUILT_IN_KINDS = fileURLToPath(new URL('./kinds/', import.meta.url))

export interface LoadedKinds {
  kinds: Kinds
  /** The file of each kind, by the kind's name. */
  files: ReadonlyMap<string, string>
}

/** The built-in kinds. A broken one stops everything. @throws KIND_INVALID */
const loadOurKinds = async (settings: KindSettings): Promise<[NamedKind, string][]> => {
  try {
    const kinds: [NamedKind, string][] = []
    for (const { name, file, exported } of await loadModules(BUILT_IN_KINDS)) {
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
}: Pick<Config, 'kindsDir' | 'kindSettings'>): Promise<void> => {
  await loadOurKinds(kindSettings)
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
}: Pick<Config, 'kindsDir' | 'kindSettings'>): Promise<LoadedKinds> => {
  const ours = await loadOurKinds(kindSettings)
  const users =
    kindsDir === null
      ? { kinds: [], troubles: [] }
      : await loadUsersKinds(kindsDir, new Set(ours.map(([{ name }]) => name)), kindSettings)
  const all = [...ours, ...users.kinds]
  return {
    kinds: createKinds(
      all.map(([kind]) => kind),
      users.troubles,
    ),
    files: new Map(all.map(([{ name }, file]) => [name, file])),
  }
}
