// What a module's text imports by a relative path, and which files such an import may mean. Found in the text, without
// a parser: what is in a comment counts too, and a path that is computed does not. Pure.
import path from 'node:path'

const IMPORT = /(?:\bfrom|\bimport|\brequire)\s*(?:\(\s*)?(['"`])(\.{1,2}(?:\/[^'"`$\n]*)?)\1/g
/** How a module names a thread's file. */
const URL_OF_MODULE = /\bnew\s+URL\(\s*(['"`])(\.{1,2}\/[^'"`$\n]*\.[mc]?[jt]sx?)\1\s*,\s*import\.meta\.url/g

/** The relative paths that it names, each once, as they stand there. */
export const relativeImports = (text: string): string[] => [
  ...new Set(
    [IMPORT, URL_OF_MODULE].flatMap(pattern => [...text.matchAll(pattern)].map(([, , named = '']) => named)),
  ),
]

const SWAPPED: Readonly<Record<string, readonly string[]>> = {
  '.js': ['.ts', '.tsx'],
  '.jsx': ['.tsx'],
  '.mjs': ['.mts'],
  '.cjs': ['.cts'],
}
const ENDINGS = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs', '.json']

/** A module that is imported by URL may have signs that stand for others, and a query. */
const unescaped = (named: string): string => {
  const plain = named.replace(/[?#].*$/, '')
  try {
    return decodeURIComponent(plain)
  } catch {
    return plain
  }
}

/**
 * Where the file may be: a loader for TypeScript takes `./a.js` for `a.ts`, and CommonJS needs no ending. The files of
 * an earlier group come before those of a later one.
 * @param folder of the importing file
 */
export const filesMeant = (folder: string, named: string): string[][] => {
  const groups: [string[], string[], string[]] = [[], [], []]
  for (const each of new Set([named, unescaped(named)])) {
    const file = path.resolve(folder, each)
    const { ext } = path.parse(file)
    const stem = file.slice(0, file.length - ext.length)
    groups[0].push(file, ...(SWAPPED[ext] ?? []).map(end => stem + end))
    groups[1].push(...ENDINGS.map(end => file + end))
    groups[2].push(...ENDINGS.map(end => path.join(file, `index${end}`)))
  }
  return groups
}
