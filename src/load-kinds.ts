// Loads the kinds of a process: the built-in ones, and those of KINDS_DIR.
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Config } from './config.ts'
import { MadhavaError } from './core/errors.ts'
import { checkExample, type KindSettings, loadKind, type NamedKind } from './core/kind.ts'
import { sortKindFiles } from './core/kind-files.ts'
import type { KindReader, KindSet } from './core/kind-sets.ts'
import { createKinds } from './core/kinds.ts'
import { didYouMean } from './core/nearest.ts'
import type { Log } from './platform/log.ts'
import type { Mirror, ModuleCopies } from './platform/module-copies.ts'
import { createModuleReader, hashOf } from './platform/module-files.ts'
import { MirrorError, type MirroredFile } from './platform/module-mirror.ts'
import { findModules, loadModules, ModuleLoadError, tryImports } from './platform/modules.ts'
import { askPrograms } from './programs/load-programs.ts'
import { findPrograms } from './programs/program-files.ts'

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

/** Where the files of kinds are loaded from. */
interface KindPlace {
  addModule(file: string): Promise<MirroredFile>
  addProgram(file: string): Promise<MirroredFile>
  finish(): Promise<void>
}

/** Where they lie. What they are is told as they are just before they are loaded. */
const originals = (): KindPlace => {
  const reader = createModuleReader()
  return {
    addModule: async file => ({ file, code: (await reader.read(file)).code }),
    addProgram: async file => ({ file, code: await hashOf(file).catch(() => null) }),
    finish: async () => {},
  }
}

interface PlacedFile extends MirroredFile {
  name: string
  /** The original's name. */
  shown: string
}

const placeAll = async (
  found: readonly { name: string; file: string }[],
  add: (file: string) => Promise<MirroredFile>,
) => {
  const placed: PlacedFile[] = []
  const failed: { name: string; file: string; shown: string; error: Error }[] = []
  for (const { name, file } of found) {
    const shown = path.basename(file)
    try {
      placed.push({ name, shown, ...(await add(file)) })
    } catch (error) {
      if (error instanceof MirrorError) throw error
      failed.push({ name, file, shown, error: error as Error })
    }
  }
  return { placed, failed }
}

/** A copy may have another name than the link that led to it: people know the link. */
const withShownName = <T extends { file: string; shown: string; error: Error }>(one: T): T => {
  const own = `${path.basename(one.file)}: `
  const { message } = one.error
  if (message.startsWith(own)) one.error.message = `${one.shown}: ${message.slice(own.length)}`
  return one
}

/** The kinds of a user's folder, and the kinds in trouble. @throws KIND_INVALID for the folder itself; MirrorError */
const loadUsersKinds = async (
  folder: string,
  place: KindPlace,
  ours: ReadonlySet<string>,
  settings: KindSettings,
) => {
  const [modules, { programs, refused }] = await Promise.all([
    findModules(folder),
    findPrograms(folder),
  ]).catch(refuseFolder(folder))
  const copied = await placeAll(modules, place.addModule)
  const copiedPrograms = await placeAll(programs, place.addProgram)
  await place.finish()
  const [imported, asked] = await Promise.all([tryImports(copied.placed), askPrograms(copiedPrograms.placed)])
  const failed = [...imported.failed, ...asked.failed].map(withShownName)
  const judged = await sortKindFiles({
    loaded: [...imported.loaded, ...asked.loaded],
    failed: [
      ...[...copied.failed, ...copiedPrograms.failed, ...failed],
      ...refused.map(one => ({ ...one, shown: path.basename(one.file), error: new Error(one.reason) })),
    ],
    ours,
    settings,
  })
  const codes = new Map([...copied.placed, ...copiedPrograms.placed].map(({ file, code }) => [file, code]))
  return { ...judged, codes }
}

/** Read once: the package of a process does not change, even where somebody installs another one over it. */
const ourCodes = new Map<string, Promise<string>>()
const codeOfOurs = (file: string): Promise<string> => {
  const read = async (): Promise<string> => (await createModuleReader().read(file)).code
  const code = ourCodes.get(file) ?? read()
  ourCodes.set(file, code)
  return code
}

/**
 * The built-in kinds and those of KINDS_DIR. A broken file there is a kind in trouble; the others run.
 * @param place a mirror for the files of KINDS_DIR; left out: they are loaded where they lie
 * @throws KIND_INVALID with the file's name and the reason if a built-in kind is broken or the folder cannot be read;
 * MirrorError
 */
export const loadKinds = async (
  { kindsDir, kindSettings, builtInKinds = null }: KindsConfig,
  place: KindPlace = originals(),
): Promise<KindSet> => {
  const ours = await loadOurKinds(builtInKinds, kindSettings)
  const builtIn = new Set(ours.map(([{ name }]) => name))
  const users =
    kindsDir === null
      ? { kinds: [], troubles: [], codes: new Map<string, string | null>() }
      : await loadUsersKinds(kindsDir, place, builtIn, kindSettings)
  const all = [...ours, ...users.kinds]
  const codes = new Map<string, string>()
  for (const [{ name }, file] of ours) codes.set(name, await codeOfOurs(file))
  for (const [{ name }, file] of users.kinds) {
    const code = users.codes.get(file) ?? null
    if (code !== null) codes.set(name, code)
  }
  return {
    builtIn,
    kinds: createKinds(
      all.map(([kind]) => kind),
      users.troubles,
      codes,
    ),
    files: new Map(all.map(([{ name }, file]) => [name, file])),
    codes,
  }
}

/**
 * Reads the kinds of a process again and again, each time into a mirror of their files: so a later reading sees what has
 * changed, also in what a kind imports, and a thread that loads a kind late gets what was read, and not a file that
 * somebody is just writing. The first reading does without where the data folder takes no copies: a worker should run
 * nevertheless.
 */
export const createKindReader = (config: KindsConfig, copies: ModuleCopies, log: Log): KindReader => {
  const mirrors = new WeakMap<KindSet, Mirror>()
  let isFirst = true
  /** One after the other: what a file does while it is imported is told by the time. */
  let reading: Promise<unknown> = Promise.resolve()
  const readCopies = async (): Promise<KindSet> => {
    const mirror = await copies.open()
    try {
      const set = await loadKinds(config, mirror)
      mirrors.set(set, mirror)
      return set
    } catch (error) {
      await mirror.remove()
      throw error
    }
  }
  const read = async (): Promise<KindSet> => {
    const wasFirst = isFirst
    isFirst = false
    try {
      return await (config.kindsDir === null ? loadKinds(config) : readCopies())
    } catch (error) {
      if (!(error instanceof MirrorError)) throw error
      if (!wasFirst) throw new MadhavaError('KIND_INVALID', error.message, { cause: error })
      log.error(
        { error },
        'the files of kinds cannot be copied; they are loaded where they lie, as they are at that time',
      )
      return loadKinds(config)
    }
  }
  return {
    read() {
      const next = reading.then(read)
      reading = next.catch(() => {})
      return next
    },
    release: async set => mirrors.get(set)?.remove(),
  }
}
