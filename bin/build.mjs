// Compiles src/ to dist/, and the dashboard's pages to dist/web/, if dist/ was not made from exactly these sources. Uses
// only Node's own modules.
import { spawn } from 'node:child_process'
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
    inRoot('bin', 'build-web.mjs'),
  ])
    hash.update(path.relative(root, file)).update('\0').update(readFileSync(file)).update('\0')
  return hash.digest('hex')
}

/**
 * The exit status of a program of ours.
 * @param {string[]} args
 * @returns {Promise<number>}
 */
const run = args =>
  new Promise((resolve, reject) => {
    // NODE_ENV may be the user's own; pages are always built for production
    const env = { ...process.env, NODE_ENV: 'production' }
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', env })
    child.once('error', reject)
    child.once('exit', status => resolve(status ?? 1))
  })

/** Ends the process with the compilers' output if src/ does not compile. */
export const ensureBuilt = async () => {
  // an image has dist/ and no sources
  if (!existsSync(inRoot('src'))) return
  const stamp = inRoot('dist', '.sources')
  const wanted = fingerprint()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  // standard output is that of the command, which may be JSON
  console.error('Building dist/ ...')
  const aside = mkdtempSync(inRoot('dist-'))
  const compiler = inRoot('node_modules', 'typescript', 'bin', 'tsc')
  const results = await Promise.all([
    run([compiler, '-p', inRoot('tsconfig.build.json'), '--outDir', aside]),
    run([inRoot('bin', 'build-web.mjs'), path.join(aside, 'web')]),
  ])
  if (results.some(status => status !== 0)) {
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
  await ensureBuilt()
}
