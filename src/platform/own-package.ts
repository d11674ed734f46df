// Lets files that this process loads import `madhava` and its other entries wherever they lie, with or without a
// node_modules of their own: they get the modules of the program that runs, never a second copy of them.
import { realpathSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import Module, { register } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { filesMeant, relativeImports } from './relative-imports.ts'

const SOURCE = import.meta.url.endsWith('.ts')
const urlOf = (name: string): string => new URL(`../${name}.${SOURCE ? 'ts' : 'js'}`, import.meta.url).href

/** As `exports` in package.json has them; a test compares. */
const ENTRIES: Readonly<Record<string, string>> = {
  madhava: urlOf('define-kind'),
  'madhava/client': urlOf('client/client'),
  'madhava/rpc': urlOf('client/rpc'),
  'madhava/testing': urlOf('testing/testing'),
}

type Resolve = (
  specifier: string,
  context: object,
  next: (specifier: string, context: object) => object,
) => object
/** Of Node 22.15 and later; the types are of an older one. */
type RegisterHooks = (hooks: { resolve: Resolve }) => { deregister(): void }
type ResolveFilename = (request: string, ...rest: unknown[]) => string
const node = Module as unknown as { registerHooks?: RegisterHooks; _resolveFilename: ResolveFilename }

const resolve: Resolve = (specifier, context, next) => {
  const url = Object.hasOwn(ENTRIES, specifier) ? ENTRIES[specifier] : undefined
  return url === undefined ? next(specifier, context) : { url, format: 'module', shortCircuit: true }
}

let hooks: { deregister(): void } | null = null
let ours: ResolveFilename | null = null

/** `require`: whoever has put itself before us since has to come after us. */
const leadForRequire = (): void => {
  const { _resolveFilename: before } = node
  if (before === ours) return
  ours = (request, ...rest) => {
    const url = Object.hasOwn(ENTRIES, request) ? ENTRIES[request] : undefined
    return url === undefined ? before.call(node, request, ...rest) : fileURLToPath(url)
  }
  node._resolveFilename = ours
}

/** With all that it imports by a relative path. Bounded, since anybody may write a file. */
const FILES_READ = 200
const NAME = /['"`]madhava(?:\/\w+)?['"`]/

/** Whether a file names this package, or one that it imports by a relative path does. Never rejects. */
const namesUs = async (file: string): Promise<boolean> => {
  const seen = new Set<string>()
  const rest = [file]
  let read = 0
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (seen.has(next)) continue
    seen.add(next)
    const text = await readFile(next, 'utf8').catch(() => null)
    if (text === null) continue
    if (++read > FILES_READ) return true
    if (NAME.test(text)) return true
    for (const named of relativeImports(text)) rest.push(...filesMeant(path.dirname(next), named).flat())
  }
  return false
}

const OWN_FOLDER = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '')

/** Whether Node itself finds us from there: whoever installs the package has it beside the kinds. */
const leadsToUs = (file: string): boolean => {
  // the loader for TypeScript would load copies of our modules
  if (SOURCE || /\.m?ts$/.test(file)) return false
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    try {
      return realpathSync(path.join(folder, 'node_modules', 'madhava')) === OWN_FOLDER
    } catch {
      // it is not in this folder
    }
    if (folder === path.dirname(folder)) return false
  }
}

/**
 * To be called before a file is imported, and after a loader was registered for it: the last one registered is asked
 * first, and one for TypeScript would load copies of our modules. Without synchronous hooks, a thread needs another
 * thread for them, which takes longer to start than all the rest: so they are for files that name us, and do not find
 * us without them.
 */
export const leadToOwnPackage = async (file: string): Promise<void> => {
  leadForRequire()
  if (node.registerHooks) {
    hooks?.deregister()
    hooks = node.registerHooks({ resolve })
  } else if (!leadsToUs(file) && (await namesUs(file)))
    register(new URL('./own-package-hooks.mjs', import.meta.url), { data: ENTRIES })
}
