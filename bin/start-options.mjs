// The command line of the start script. Uses only Node's own modules: it is read before anything is installed.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { messageOf } from './own-output.mjs'

const usage = `npm start [-- OPTION]      or: node bin/start.mjs [OPTION]
  (none)     installs and builds what is missing, then runs the roles that ROLES names
  --check    prints the effective settings and the kinds, and ends: 1 when something is wrong with them
  --help     prints this
  --version  prints the version
Settings come from the environment and from .env; docs/settings.md lists them.`

/**
 * @param {number} code
 * @param {string} words
 * @returns {never}
 */
const end = (code, words) => {
  const stream = code === 0 ? process.stdout : process.stderr
  stream.write(`${words}\n`)
  process.exit(code)
}

const versionOf = () => JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version

/** npm takes options before `--` for itself, and only passes them on in the environment. */
const refuseWhatNpmKept = () => {
  if (process.env.npm_lifecycle_event === 'start' && process.env.npm_config_check)
    end(2, 'npm has kept --check for itself. Put -- before it: npm start -- --check')
}

/** Reads the options. Ends the process for --help, --version and unknown options. */
export const readStartOptions = () => {
  refuseWhatNpmKept()
  try {
    const flag = { type: /** @type {const} */ ('boolean'), default: false }
    const { values } = parseArgs({ options: { check: flag, help: flag, version: flag } })
    if (values.help) end(0, usage)
    if (values.version) end(0, versionOf())
    return { check: values.check }
  } catch (error) {
    return end(2, `${messageOf(error)}\n${usage}`)
  }
}
