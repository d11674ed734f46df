// Loader hooks for TypeScript files below a folder whose name holds a `?`: tsx takes what follows it for a query, and
// with it the file for JavaScript. Everything else is left to the next loader.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { transform } from 'esbuild'

const TYPESCRIPT = /^file:.*%3F.*\.m?ts$/i

/** @type {import('node:module').LoadHook} */
export const load = async (url, context, next) => {
  const [address = ''] = url.split(/[?#]/)
  if (!TYPESCRIPT.test(address)) return next(url, context)
  const file = fileURLToPath(address)
  const { code } = await transform(await readFile(file, 'utf8'), {
    loader: 'ts',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    // with the folder's name esbuild's own messages would be cut at the `?`
    sourcefile: path.basename(file),
  })
  return { format: 'module', source: code, shortCircuit: true }
}
