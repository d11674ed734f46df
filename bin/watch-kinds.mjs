// Watches the folder of kinds for `madhava dev`: each change has all processes read the kinds again, and the terminal is
// told what became of it.
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
  await watchFiles(kindsDir, {
    ignores: name => /\.test\.[cm]?[jt]sx?$/.test(name),
    onChange() {
      hasChanged = true
      reloads?.reload()
    },
    onError: error =>
      tell([
        visibleText(`kinds ${time()} cannot be watched: ${error instanceof Error ? error.message : error}`),
      ]),
  })
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
