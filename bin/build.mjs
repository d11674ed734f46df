// Compiles src/ to dist/ if dist/ was not made from exactly these sources. Uses only Node's own modules.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ensureInstalled } from './install.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
/** @param {string[]} parts */
const inRoot = (...parts) => path.join(root, ...parts)

const sources = () =>
  readdirSync(inRoot('src'), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => path.join(entry.parentPath ?? entry.path, entry.name))
    .sort()

const fingerprint = () => {
  const hash = createHash('sha256')
  for (const file of [
    ...sources(),
    ...['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'].map(name => inRoot(name)),
  ])
    hash.update(path.relative(root, file)).update('\0').update(readFileSync(file)).update('\0')
  return hash.digest('hex')
}

/** Ends the process with the compiler's output if src/ does not compile. */
export const ensureBuilt = () => {
  // an image has dist/ and no sources
  if (!existsSync(inRoot('src'))) return
  const stamp = inRoot('dist', '.sources')
  const wanted = fingerprint()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  console.log('Building dist/ ...')
  const aside = mkdtempSync(inRoot('dist-'))
  const { status } = spawnSync(
    process.execPath,
    [
      inRoot('node_modules', 'typescript', 'bin', 'tsc'),
      '-p',
      inRoot('tsconfig.build.json'),
      '--outDir',
      aside,
    ],
    { cwd: root, stdio: 'inherit' },
  )
  if (status !== 0) {
    rmSync(aside, { recursive: true, force: true })
    console.error('The sources do not compile: the compiler says why above')
    process.exit(1)
  }
  for (const file of sources().filter(name => name.endsWith('.mjs')))
    cpSync(file, path.join(aside, path.relative(inRoot('src'), file)))
  writeFileSync(path.join(aside, '.sources'), wanted)
  // an interrupted build leaves the old dist/ or none, never half of one
  rmSync(inRoot('dist'), { recursive: true, force: true })
  renameSync(aside, inRoot('dist'))
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  ensureInstalled()
  ensureBuilt()
}
