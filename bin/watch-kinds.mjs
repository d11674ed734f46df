// Watches the folder of kinds for `madhava dev`: each change has all processes read the kinds again, and the terminal is
// told what became of it.
import { realpath } from 'node:fs/promises'
import path from 'node:path'
import { built } from './built.mjs'

/** @typedef {import('../src/core/reload/ask.ts').KindsReloaded} KindsReloaded */

/** @param {string[]} lines */
const tell = lines => process.stdout.write(`${lines.join('\n')}\n`)

const time = () => new Date().toTimeString().slice(0, 8)

/** @param {KindsReloaded} outcome */
export const reloadedText = ({ added, changed, removed }) => {
  const parts = Object.entries({ added, changed, removed })
    .filter(([, names]) => names.length > 0)
    .map(([what, names]) => `${what} ${names.join(', ')}`)
  return parts.length > 0 ? parts.join('; ') : 'no kind has changed'
}

/** @param {unknown} error @returns {string[]} */
export const failedLines = error => {
  const { message, detail } =
    /** @type {Error & { detail?: { problems?: { path: string, problem: string }[] } }} */ (error)
  const problems = detail?.problems?.map(({ path, problem }) => `  ${path}: ${problem}`) ?? [`  ${message}`]
  return ['the old code goes on:', ...problems]
}

/**
 * What the kinds of a folder import by relative paths, and what lies outside of it.
 * @param {string} folder
 */
const filesBeside = async folder => {
  const { findModules } = await built('platform/modules')
  const { createModuleReader } = await built('platform/module-files')
  const reader = createModuleReader()
  const modules = await findModules(folder).catch(() => [])
  const read = await Promise.all(modules.map(({ file }) => reader.read(file).catch(() => null)))
  const top = await realpath(folder).catch(() => path.resolve(folder))
  return read
    .flatMap(one => one?.files ?? [])
    .flatMap(({ file }) => (file.startsWith(top + path.sep) ? [] : [file]))
}

/**
 * Resolves when the folder is watched; nothing is read again before `begin`.
 * @param {import('../src/config.ts').Config} config
 */
export const watchKinds = async config => {
  const { kindsDir } = config
  if (kindsDir === null)
    throw new Error(
      'There is no folder of kinds to watch: make one called kinds here, or name one with --kinds.',
    )
  const { watchFiles } = await built('platform/watch-files')
  const { visibleText } = await built('platform/visible')
  const { createLog } = await built('platform/log')
  const { openReloads } = await built('wire')
  /** @type {Awaited<ReturnType<typeof openReloads>> | null} */
  let reloads = null
  let hasChanged = false
  const watched = await watchFiles(kindsDir, {
    ignores: name => /\.test\.[cm]?[jt]sx?$/.test(name),
    onChange() {
      hasChanged = true
      void watchBeside()
      reloads?.reload()
    },
    onError: error =>
      tell([
        visibleText(`kinds ${time()} cannot be watched: ${error instanceof Error ? error.message : error}`),
      ]),
  })
  const watchBeside = async () => watched.alsoWatch(await filesBeside(kindsDir))
  await watchBeside()
  return {
    async begin() {
      const log = createLog('supervisor', config.logLevel)
      reloads = await openReloads(config, log, {
        onReloaded: outcome => tell([visibleText(`kinds ${time()} ${reloadedText(outcome)}`)]),
        onFailed: error => tell(visibleText(`kinds ${time()} ${failedLines(error).join('\n')}`).split('\n')),
      })
      tell([visibleText(`The kinds in ${kindsDir} are watched: a change is in use as soon as it is saved.`)])
      if (hasChanged) reloads.reload()
    },
  }
}
