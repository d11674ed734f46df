// Before `npm pack`: builds dist/, and puts beside its entries the declarations that they need, and no others. Whoever
// installs the package gets them; a clone has the sources.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ensureBuilt } from './build.mjs'
import { ensureInstalled } from './install.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const dist = path.join(root, 'dist')
const CONFIG = 'tsconfig.types.json'
const BROWSER = 'client/client.d.ts'
/** A declaration's import of another one; the compiler writes it as in the sources. */
const RELATIVE = /(\bfrom |\bimport\()(['"])(\.{1,2}\/[^'"]+?)\.ts\2/g

/**
 * The entries and all that they refer to, relative to the folder.
 * @param {string} folder
 * @param {string[]} entries
 */
const reached = (folder, entries) => {
  /** @type {Map<string, string>} */
  const texts = new Map()
  const rest = [...entries]
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    if (texts.has(name)) continue
    const text = readFileSync(path.join(folder, name), 'utf8')
    for (const [, , , target = ''] of text.matchAll(RELATIVE))
      rest.push(path.join(path.dirname(name), `${target}.d.ts`))
    texts.set(name, text.replaceAll(RELATIVE, '$1$2$3.js$2'))
  }
  return texts
}

/**
 * The compiler takes in the types of Node only where a program asks for them. The REST client is for browsers too, and
 * does without.
 * @param {string} name
 * @param {string[]} entries
 */
const withNode = (name, entries) =>
  entries.includes(name) && name !== BROWSER ? '/// <reference types="node" />\n' : ''

/** Ends the process if the declarations cannot be made. */
export const buildTypes = () => {
  const { files } = JSON.parse(readFileSync(path.join(root, CONFIG), 'utf8'))
  const aside = mkdtempSync(path.join(root, 'dist-'))
  try {
    const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const { status } = spawnSync(
      process.execPath,
      [compiler, '-p', path.join(root, CONFIG), '--outDir', aside],
      {
        // npm takes what is written to standard output for the names of what it has packed
        stdio: ['ignore', 2, 2],
      },
    )
    if (status !== 0) process.exit(1)
    const entries = files.map((/** @type {string} */ name) => name.replace(/^src\/(.*)\.ts$/, '$1.d.ts'))
    const texts = reached(aside, entries)
    for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' }))
      if (name.endsWith('.d.ts') && !texts.has(name)) rmSync(path.join(dist, name))
    for (const [name, text] of texts) {
      writeFileSync(path.join(aside, name), withNode(name, entries) + text)
      cpSync(path.join(aside, name), path.join(dist, name))
    }
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  ensureInstalled()
  await ensureBuilt()
  buildTypes()
}
