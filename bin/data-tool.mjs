// What the tools for tasks and data folders share: their arguments, the build, and how they end. It prints no result
// itself.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { built } from './built.mjs'
import { messageOf, watchOutput } from './own-output.mjs'

/**
 * Until the build is there, what the tools say is their own.
 * @type {(text: string) => string}
 */
let plain = text => text
/**
 * As `visibleText`: text for a terminal.
 * @param {string} text
 */
export const visible = text => plain(text)

/**
 * Ends the process with a word to people: the tool could not work.
 * @param {string} message
 * @returns {never}
 */
export const giveUp = message => {
  process.stderr.write(`${plain(message)}\n`)
  process.exit(2)
}

/** @type {string | null} */
let unwritten = null
/**
 * Ends the process at once when its output cannot be written, or, for a tool that is in the middle of writing to the
 * store, when `whenDone` is called. It did not say all that it found: that is not the exit code of findings.
 */
export const endWithOutput = ({ atOnce = true } = {}) => {
  watchOutput(words => {
    unwritten = words
    if (atOnce) giveUp(words)
  })
  return {
    whenDone: async () => {
      await new Promise(resolve => process.stdout.write('', () => resolve(undefined)))
      if (unwritten !== null) giveUp(unwritten)
    },
  }
}

/**
 * The words before an error about a folder: a tool that is called in another place looks at another folder.
 * @param {string} dir
 */
export const lookedAt = dir => `Looked at ${path.resolve(dir)} (--data-dir or DATA_DIR names the folder). `

/**
 * The options of the command line; `--help` and a mistake print how the tool is used.
 * @template {string} Flag
 * @param {string} usage
 * @param {readonly Flag[]} flags options beside `--data-dir` and `--help`, off unless they are given
 * @returns {{ given: string | undefined, flags: Record<Flag, boolean> }}
 */
export const readArguments = (usage, flags) => {
  try {
    const { values } = parseArgs({
      options: {
        'data-dir': { type: 'string' },
        help: { type: 'boolean' },
        ...Object.fromEntries(flags.map(flag => [flag, { type: /** @type {const} */ ('boolean') }])),
      },
    })
    if (!values.help) {
      /** @type {Record<string, unknown>} */
      const given = values
      const set = Object.fromEntries(flags.map(flag => [flag, given[flag] === true]))
      return { given: values['data-dir'], flags: /** @type {Record<Flag, boolean>} */ (set) }
    }
    process.stdout.write(`${usage}\n`)
    process.exit(0)
  } catch (error) {
    return giveUp(`${messageOf(error)}\n${usage}`)
  }
}

/** Installs and builds what is missing, in a process of its own: its words must not mix with the tool's output. */
const build = () => {
  const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'build.mjs')
  const { status } = spawnSync(process.execPath, [script], { stdio: ['ignore', 2, 2] })
  if (status !== 0) process.exit(2)
}

/**
 * The tools for a folder, and the folder: `--data-dir`, else DATA_DIR as everywhere.
 * @param {string | undefined} given
 */
export const openFolderTools = async given => {
  build()
  plain = (await built('platform/visible')).visibleText
  const { dataFolder } = await built('wire')
  const { readConfig } = await built('config')
  return dataFolder({ dataDir: given ?? readConfig().dataDir })
}

/**
 * The tools for the tasks: of the folder `--data-dir`, else of the store that the settings name; `place` for errors.
 * @param {string | undefined} given
 */
export const openTransferTools = async given => {
  build()
  plain = (await built('platform/visible')).visibleText
  const { chooseStore } = await built('wire')
  const { readConfig } = await built('config')
  const target = given === undefined ? readConfig() : { redis: null, dataDir: given }
  return { ...(await chooseStore(target)), place: target.redis ? '' : lookedAt(target.dataDir) }
}
