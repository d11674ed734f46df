// Installs the packages of package-lock.json that are missing or outdated. Uses only Node's own modules.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))

/**
 * A checkout needs the compiler, whatever NODE_ENV is. An image has no sources and needs only the runtime packages.
 */
const hasSources = existsSync(path.join(root, 'src'))

/**
 * @param {string} file
 * @returns {Record<string, { version?: string, optional?: boolean, dev?: boolean }>}
 */
const packagesOf = file => JSON.parse(readFileSync(file, 'utf8')).packages

/** Whether node_modules matches the lockfile; npm keeps a list of installed packages there. */
const isInstalled = () => {
  const installed = path.join(root, 'node_modules', '.package-lock.json')
  const wanted = path.join(root, 'package-lock.json')
  // an image and an installed package have no lockfile: whoever made them has installed the rest, wherever it lies
  if (!existsSync(wanted)) return true
  if (!existsSync(installed)) return false
  const present = packagesOf(installed)
  return Object.entries(packagesOf(wanted)).every(
    ([name, { version, optional, dev }]) =>
      name === '' || optional || (dev && !hasSources) || present[name]?.version === version,
  )
}

/** Ends the process with a message if the install fails. */
export const ensureInstalled = () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`Madhava needs Node 20.19 or later; this is ${process.versions.node}`)
    process.exit(1)
  }
  if (isInstalled()) return
  // standard output is that of the command, which may be JSON
  console.error('Installing packages (npm ci) ...')
  // explicit, since a user's npm settings could leave out half of the packages
  const kept = hasSources ? ['dev', 'optional', 'prod'].map(kind => `--include=${kind}`) : ['--omit=dev']
  const plain = ['--no-global', '--no-dry-run', '--no-package-lock-only', '--no-audit', '--no-fund']
  const { status } = spawnSync('npm', ['ci', ...kept, ...plain, '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
  })
  if (status === 0) return
  console.error('npm ci failed: its own words are above. Mend that, and start again')
  process.exit(1)
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) ensureInstalled()
