// Finds and imports the modules of one folder, TypeScript included, on every Node that we run on.
// It does not judge what they export.
import { readdir } from 'node:fs/promises'
import { register } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

export interface LoadedModule {
  /** The file's name without its ending. */
  name: string
  /** Absolute. */
  file: string
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

/**
 * The default export of one file. A file is read once per process or thread: a change is seen after a restart.
 * @throws ModuleLoadError
 */
export const importModule = async (file: string): Promise<unknown> => {
  const url = pathToFileURL(file).href
  try {
    if (TYPESCRIPT.test(file) && file.includes('?')) return defaultExport(await importBesideTsx(url))
    if (!TYPESCRIPT.test(file) || typescriptIsLoaded) return defaultExport(await import(url))
    const { tsImport } = await import('tsx/esm/api')
    return defaultExport(await tsImport(url, import.meta.url))
  } catch (error) {
    throw new ModuleLoadError(file, error)
  }
}

/**
 * Imports the *.ts, *.mts, *.js and *.mjs files that lie directly in a folder, in the order of their names;
 * declarations (*.d.ts), tests (*.test.ts) and dotfiles are left out.
 * @throws ModuleLoadError for the first that cannot be imported; an error of the file system for the folder
 */
export const loadModules = async (folder: string): Promise<LoadedModule[]> => {
  const entries = await readdir(folder, { withFileTypes: true })
  const files = entries
    // a symbolic link counts as what it most likely is: a kind kept elsewhere
    .filter(entry => entry.isFile() || entry.isSymbolicLink())
    .map(entry => entry.name)
    .filter(name => MODULE.test(name) && !NOT_A_MODULE.test(name))
    .sort()
  const loaded: LoadedModule[] = []
  for (const name of files) {
    const file = path.resolve(folder, name)
    loaded.push({ name: name.replace(/\.m?[tj]s$/, ''), file, exported: await importModule(file) })
  }
  return loaded
}
