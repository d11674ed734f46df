// Loads one file as a kind, a module or a program, for whoever tries or checks it. A server loads whole folders
// (load-kinds).
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import path from 'node:path'
import { MadhavaError } from './core/errors.ts'
import { checkExample, type KindSettings, loadKind, type NamedKind } from './core/kind.ts'
import { importModule, ModuleLoadError } from './platform/modules.ts'
import { describeProgram } from './programs/describe.ts'

const MODULE = /\.m?[tj]s$/
const NO_MODULE = /\.(?:c[tj]s|[tj]sx)$/

const programOf = async (file: string) => {
  const shown = path.basename(file)
  await access(file, constants.X_OK).catch((cause: unknown) => {
    const isThere = (cause as NodeJS.ErrnoException).code === 'EACCES'
    const why = isThere
      ? `it is not executable. If it is a program: chmod +x ${shown}`
      : `it cannot be read (${(cause as NodeJS.ErrnoException).code})`
    throw new Error(why, { cause })
  })
  // its packages take a while to load, and most kinds are modules
  const { programKind } = await import('./programs/program-kind.ts')
  const program = await describeProgram(file)
  const { kind, schemas } = programKind(file, program)
  return { exported: kind, origin: { schemas, program } }
}

/**
 * The kind that a file is, as a worker would have it; a program is asked with --describe. A module is read once per
 * process.
 * @param file absolute
 * @throws KIND_INVALID with the file's name and the reason
 */
export const loadKindFile = async (file: string, settings?: KindSettings): Promise<NamedKind> => {
  const shown = path.basename(file)
  const name = shown.replace(/\.[^.]+$/, '')
  const refuse = (why: string, cause?: unknown): MadhavaError =>
    new MadhavaError('KIND_INVALID', `${shown}: ${why}`, { cause })
  if (NO_MODULE.test(file)) throw refuse('a module of a kind ends in .ts, .mts, .js or .mjs')
  let found: { exported: unknown; origin?: Awaited<ReturnType<typeof programOf>>['origin'] }
  try {
    found = MODULE.test(file) ? { exported: await importModule(file) } : await programOf(file)
  } catch (error) {
    if (error instanceof ModuleLoadError)
      throw new MadhavaError('KIND_INVALID', error.message, { cause: error })
    throw refuse(error instanceof Error ? error.message : String(error), error)
  }
  const kind = loadKind(name, found.exported, shown, settings, found.origin)
  await checkExample(kind, shown)
  return kind
}
