// The command line of the start script. Uses only Node's own modules: it is read before anything is installed.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { messageOf } from './own-output.mjs'

/** Options that stand for a setting, which they win over. */
const OF_SETTINGS = {
  kinds: 'KINDS_DIR',
  'data-dir': 'DATA_DIR',
  port: 'API_PORT',
  'rpc-port': 'RPC_PORT',
  'dashboard-port': 'DASHBOARD_PORT',
}

const usage = `madhava start [OPTION]      in a clone: npm start [-- OPTION]
  (none)                 runs the roles that ROLES names; a clone installs and builds what is missing first
  --kinds DIR            a folder of kinds (KINDS_DIR)
  --data-dir DIR         the folder that holds everything kept (DATA_DIR; data)
  --port N               port of REST (API_PORT; 8000); 0 picks a free one
  --rpc-port N           port of Thrift (RPC_PORT; 9000)
  --dashboard-port N     port of the dashboard (DASHBOARD_PORT; 9001)
  --watch                reads the kinds again when one of their files changes, as madhava dev does; their folder is
                         ./kinds, where there is one and no setting names another
  --check                prints the effective settings and the kinds, and ends: 1 when something is wrong with them
  --help                 prints this
  --version              prints the version
Settings come from these options, from the environment and from .env in this folder; docs/settings.md lists them.`

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
  if (process.env.npm_lifecycle_event !== 'start') return
  for (const name of ['check', 'watch', ...Object.keys(OF_SETTINGS)])
    if (process.env[`npm_config_${name.replaceAll('-', '_')}`])
      end(2, `npm has kept --${name} for itself. Put -- before it: npm start -- --${name}`)
}

/**
 * Reads the options, and puts those that stand for a setting into the environment, where every process of the bundle
 * finds them. Ends the process for --help, --version and unknown options.
 */
export const readStartOptions = () => {
  refuseWhatNpmKept()
  try {
    const flag = { type: /** @type {const} */ ('boolean'), default: false }
    const text = { type: /** @type {const} */ ('string') }
    const { values } = parseArgs({
      options: {
        ...{ check: flag, watch: flag, help: flag, version: flag },
        ...{ kinds: text, 'data-dir': text, port: text, 'rpc-port': text, 'dashboard-port': text },
      },
    })
    if (values.help) end(0, usage)
    if (values.version) end(0, versionOf())
    for (const [name, setting] of Object.entries(OF_SETTINGS)) {
      const value = values[/** @type {keyof typeof OF_SETTINGS} */ (name)]
      // an empty variable would leave the default
      if (value === '') end(2, `--${name} needs a value\n${usage}`)
      if (value !== undefined) process.env[setting] = value
    }
    return { check: values.check, watch: values.watch }
  } catch (error) {
    return end(2, `${messageOf(error)}\n${usage}`)
  }
}
