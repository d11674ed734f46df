// Finds and imports the modules of one folder, TypeScript included, on every Node that we run on.
// It does not judge what they export.
import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { register } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { leadToOwnPackage } from './own-package.ts'

export interface FoundModule {
  /** The file's name without its ending. */
  name: string
  /** Absolute. */
  file: string
}
export interface LoadedModule extends FoundModule {
  /** What it exports by default; undefined when it has no default export. */
  exported: unknown
}

/** A file that could not be imported. The message has its name and the reason; the cause is the import's error. */
export class ModuleLoadError extends Error {
  readonly file: string
  constructor(file: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(
      `${path.basename(file)}: ${reason
        .replaceAll(path.dirname(file) + path.sep, '')
        .slice(0, 2_000)
        .toWellFormed()}`,
      {
        cause,
      },
    )
    this.name = 'ModuleLoadError'
    this.file = file
  }
}

const MODULE = /^(?<name>[^.].*)\.(?:ts|mts|js|mjs)$/
const NOT_A_MODULE = /\.(?:d|test)\.m?[tj]s$/
const TYPESCRIPT = /\.m?ts$/

/** Something already loads TypeScript in this process, or this file would have been compiled. */
const typescriptIsLoaded = import.meta.url.endsWith('.ts')

/**
 * In a folder whose nearest package.json does not say `"type": "module"`, tsx turns TypeScript into CommonJS. The
 * default export then sits one or two levels deeper, in an object that is marked as a compiled module.
 */
const defaultExport = (module: unknown): unknown => {
  let value = (module as { default?: unknown }).default
  while (typeof value === 'object' && value !== null && '__esModule' in value && 'default' in value)
    value = value.default
  return value
}

let hooked = false
/** tsx cannot read TypeScript below a folder with a `?` in its name. */
const importBesideTsx = async (url: string): Promise<unknown> => {
  if (!hooked) register(new URL('./typescript-hooks.mjs', import.meta.url))
  hooked = true
  return import(url)
}

/** As tsx's own `tsImport`, with our hooks before its own. Each file has a loader of its own, and so its own copies. */
const importTypeScript = async (url: string, file: string): Promise<unknown> => {
  const [modules, commonJs] = await Promise.all([import('tsx/esm/api'), import('tsx/cjs/api')])
  const namespace = randomUUID()
  commonJs.register({ namespace })
  const loader = modules.register({ namespace })
  await leadToOwnPackage(file)
  return loader.import(url, import.meta.url)
}

/** Our own modules, the built-in kinds among them, import each other by relative paths. */
const OWN_FOLDER = fileURLToPath(new URL('..', import.meta.url))

/**
 * The default export of one file, which may import `madhava`. A file is read once per process or thread: a change is
 * seen in another place only (platform/module-mirror.ts).
 * @throws ModuleLoadError
 */
export const importModule = async (file: string): Promise<unknown> => {
  const url = pathToFileURL(file).href
  try {
    if (file.startsWith(OWN_FOLDER)) return defaultExport(await import(url))
    if (TYPESCRIPT.test(file) && !typescriptIsLoaded && !file.includes('?'))
      return defaultExport(await importTypeScript(url, file))
    await leadToOwnPackage(file)
    if (TYPESCRIPT.test(file) && file.includes('?')) return defaultExport(await importBesideTsx(url))
    return defaultExport(await import(url))
  } catch (error) {
    throw new ModuleLoadError(file, error)
  }
}

/**
 * The files of a folder that `loadModules` takes, by their names. @throws an error of the file system for the folder
 */
export const findModules = async (folder: string): Promise<FoundModule[]> => {
  const entries = await readdir(folder, { withFileTypes: true })
  return (
    entries
      // a symbolic link counts as what it most likely is: a kind kept elsewhere
      .filter(entry => entry.isFile() || entry.isSymbolicLink())
      .map(entry => entry.name)
      .filter(name => MODULE.test(name) && !NOT_A_MODULE.test(name))
      .sort()
      .map(name => ({ name: name.replace(/\.m?[tj]s$/, ''), file: path.resolve(folder, name) }))
  )
}

/**
 * Imports the *.ts, *.mts, *.js and *.mjs files that lie directly in a folder, in the order of their names;
 * declarations (*.d.ts), tests (*.test.ts) and dotfiles are left out, and those that `wants` does not name.
 * @throws ModuleLoadError for the first that cannot be imported; an error of the file system for the folder
 */
export const loadModules = async (
  folder: string,
  wants: (name: string) => boolean = () => true,
): Promise<LoadedModule[]> => {
  const loaded: LoadedModule[] = []
  for (const found of await findModules(folder))
    if (wants(found.name)) loaded.push({ ...found, exported: await importModule(found.file) })
  return loaded
}

/** A file of which nothing can be used. */
export interface FailedModule extends FoundModule {
  error: ModuleLoadError
}

/** What an import may take, and for how long the next one waits for it: several that hang do so side by side. */
const LIMITS = { importMs: 10_000, turnMs: 2_000 }

const fails = (file: string, reason: string): ModuleLoadError => new ModuleLoadError(file, new Error(reason))

type Complain = (reason: string) => void
const importing = new AsyncLocalStorage<Complain>()
const STRAYS = ['unhandledRejection', 'uncaughtException'] as const

/**
 * Complains when, during an import, something of the file would end the process: a call of `process.exit`, a promise
 * that is rejected and that nobody waits for, an error in a callback. Whose it was is traced; what cannot be traced is
 * of the file that is being imported. In a process that has handlers of its own, which end it, they get only what is of
 * no file.
 */
const guardProcess = () => {
  let last: Complain = () => {}
  const complain = (reason: string): void => (importing.getStore() ?? last)(reason)
  const { exit } = process
  const handlers = STRAYS.map(event => [event, process.rawListeners(event)] as const)
  const listeners = handlers.map(([event, own]) => {
    const stray = (error: unknown, ...rest: unknown[]): void => {
      if (importing.getStore() === undefined && own.length > 0)
        for (const handle of own) Reflect.apply(handle, process, [error, ...rest])
      else complain(error instanceof Error ? error.message : String(error))
    }
    for (const handle of own) process.off(event, handle as () => void)
    process.on(event, stray)
    return [event, stray] as const
  })
  process.exit = (code?: number | string | null): never => {
    complain(`it calls process.exit(${code ?? ''})`)
    throw new Error(`it calls process.exit(${code ?? ''})`)
  }
  return {
    /** Calls `act`, of which a file is to be blamed for all that it starts. */
    during<T>(complained: Complain, act: () => T): T {
      last = complained
      return importing.run(complained, act)
    },
    end(): void {
      process.exit = exit
      for (const [event, stray] of listeners) process.off(event, stray)
      for (const [event, own] of handlers) for (const handle of own) process.on(event, handle as () => void)
    },
  }
}

/**
 * The default exports of files, each beside what was found of it. What is wrong with one file is said beside what the
 * others export: it throws, ends, cannot be read, or is not done within the time. A file that never lets go of the
 * processor holds up this process; nothing here can end that. Never rejects.
 */
export const tryImports = async <T extends FoundModule>(
  found: readonly T[],
  limits: Partial<typeof LIMITS> = {},
): Promise<{ loaded: (T & LoadedModule)[]; failed: (T & FailedModule)[] }> => {
  const { importMs, turnMs } = { ...LIMITS, ...limits }
  const guard = guardProcess()
  const timers = new Set<NodeJS.Timeout>()
  const after = (ms: number): Promise<void> =>
    new Promise(resolve => {
      timers.add(setTimeout(resolve, ms))
    })
  try {
    const imports: Promise<(T & LoadedModule) | (T & FailedModule)>[] = []
    for (const one of found) {
      const { file } = one
      let tell: (error: ModuleLoadError) => void = () => {}
      const told = new Promise<ModuleLoadError>(resolve => {
        tell = resolve
      })
      const imported = guard
        .during(
          reason => tell(fails(file, reason)),
          () => importModule(file),
        )
        .then(
          // what a file leaves behind shows a moment later
          exported => new Promise<unknown>(resolve => setImmediate(resolve, exported)),
        )
      const tried = Promise.race([
        imported.then(exported => ({ ...one, exported })),
        told.then(error => ({ ...one, error })),
        after(importMs).then(() => ({
          ...one,
          error: fails(
            file,
            `its import is not done after ${importMs / 1000} s: does it wait for something?`,
          ),
        })),
      ]).catch((error: unknown) => ({ ...one, error: error as ModuleLoadError }))
      imports.push(tried)
      await Promise.race([tried, after(turnMs)])
    }
    const all = await Promise.all(imports)
    return {
      loaded: all.filter(one => 'exported' in one),
      failed: all.filter(one => 'error' in one),
    }
  } finally {
    for (const timer of timers) clearTimeout(timer)
    guard.end()
  }
}

/** As `loadModules`, with `tryImports`. @throws an error of the file system for the folder */
export const tryModules = async (
  folder: string,
  limits: Partial<typeof LIMITS> = {},
): Promise<{ loaded: LoadedModule[]; failed: FailedModule[] }> =>
  tryImports(await findModules(folder), limits)
