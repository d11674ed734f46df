// Shared by the tools for tasks and data folders: their arguments, the build, and how they end. It prints no results.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { built } from './built.mjs'
import { becomeOwnerOf } from './folder-owner.mjs'
import { messageOf, watchOutput } from './own-output.mjs'

/**
 * Until the build is loaded, the tools print only their own text.
 * @type {(text: string) => string}
 */
let plain = text => text
/**
 * As `visibleText`: text made safe for a terminal.
 * @param {string} text
 */
export const visible = text => plain(text)

/**
 * Ends the process with a message: the tool could not work.
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
 * Ends the process when its output cannot be written: at once, or, for a tool that is writing to the store, when
 * `whenDone` is called. The exit code is not the one for findings, since some may be missing.
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
 * The beginning of an error about a folder. It names the folder, since the tool may run in the wrong place.
 * @param {string} dir
 */
export const folderPrefix = dir =>
  `Looked at ${path.resolve(dir)} (--data-dir or DATA_DIR names the folder). `

/**
 * Reads the command line. `--help` and mistakes print the usage.
 * @template {string} Flag
 * @param {string} usage
 * @param {readonly Flag[]} flags options beside `--data-dir` and `--help`, off unless they are given
 * @returns {{ given: string | undefined, flags: Record<Flag, boolean> }}
 */
export const readArguments = (usage, flags) => {
  const told = `${usage}\nIn a clone or an image, madhava is node bin/madhava.mjs`
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
    process.stdout.write(`${told}\n`)
    process.exit(0)
  } catch (error) {
    return giveUp(`${messageOf(error)}\n${told}`)
  }
}

/** Installs and builds what is missing, in its own process: its output must not mix with the tool's. */
const build = () => {
  const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'build.mjs')
  const { status } = spawnSync(process.execPath, [script], { stdio: ['ignore', 2, 2] })
  if (status !== 0) process.exit(2)
}

/**
 * What root does in a data folder of another user is done as that user, or the bundle could not read it afterwards.
 * Everything is loaded before: that user may not be able to read this program.
 * @param {string} dataDir
 */
const becomeOwnerWhenLoaded = async dataDir => {
  const { dataFolder } = await built('wire')
  await (await dataFolder({ dataDir })).load()
  becomeOwnerOf(dataDir)
}

/**
 * The tools for a folder, and the folder: `--data-dir`, else DATA_DIR.
 * @param {string | undefined} given
 */
export const openFolderTools = async given => {
  build()
  plain = (await built('platform/visible')).visibleText
  const { dataFolder } = await built('wire')
  const { readConfig } = await built('config')
  const dataDir = given ?? readConfig().dataDir
  return { ...(await dataFolder({ dataDir })), becomeOwner: () => becomeOwnerWhenLoaded(dataDir) }
}

/**
 * The tools for tasks: in the folder `--data-dir`, else in the store of the settings. `place` is for errors.
 * @param {string | undefined} given
 */
export const openTransferTools = async given => {
  build()
  plain = (await built('platform/visible')).visibleText
  const { chooseStore } = await built('wire')
  const { readConfig } = await built('config')
  const target = given === undefined ? readConfig() : { redis: null, dataDir: given }
  return {
    ...(await chooseStore(target)),
    place: target.redis ? '' : folderPrefix(target.dataDir),
    becomeOwner: async () => {
      if (!target.redis) await becomeOwnerWhenLoaded(target.dataDir)
    },
  }
}

/**
 * What changes logins: in the folder `--data-dir`, else in the store of the settings. `configured` is the password that
 * the settings have for the role. `place` is for people.
 * @param {string | undefined} given
 * @param {'operator' | 'viewer'} role
 */
export const openLoginTools = async (given, role) => {
  build()
  plain = (await built('platform/visible')).visibleText
  const { openDocuments } = await built('wire')
  const { readConfig } = await built('config')
  const { silentLog } = await built('platform/log')
  const { removeViewer, resetLogin } = await built('dashboard/access/reset-login')
  const settings = given === undefined ? readConfig() : null
  const target = settings ?? { redis: null, dataDir: given ?? '' }
  const becomeOwner = () => target.redis || becomeOwnerOf(target.dataDir)
  const opened = await openDocuments(target, silentLog(), becomeOwner).catch(error => {
    throw target.redis ? error : new Error(`${folderPrefix(target.dataDir)}${messageOf(error)}`)
  })
  const options = {
    role,
    isAlive: opened.isAlive,
    clock: opened.clock,
    place: target.redis ? opened.place : path.resolve(target.dataDir),
    configured: (role === 'viewer' ? settings?.viewerPassword : settings?.dashboardPassword) ?? null,
  }
  // nobody logs in to run a tool
  const by = /** @type {const} */ ({ actor: null, via: 'tool', address: null })
  const deed = /** @type {const} */ ({ action: 'password.reset', target: role })
  return {
    place: options.place,
    resetLogin: () => opened.audit.run(by, deed, () => resetLogin(opened.documents, options)),
    removeViewer: () => opened.audit.run(by, deed, () => removeViewer(opened.documents, options)),
    close: opened.close,
  }
}
