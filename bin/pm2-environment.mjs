// Keeps the environment from changing what PM2 does: variables that it takes for its settings, and paths that it takes
// for commands.
import path from 'node:path'

/** PM2 copies the whole environment over a process's description, so a variable `uid` or `watch` would take effect. */
const OWN_FIELDS =
  `status instances vizion_running created_at pm_id pm_uptime unique_id unstable_restarts restart_time
  exit_code prev_restart_delay madhava_ends version node_version versioning axm_actions axm_monitor axm_options
  axm_dynamic km_link restart_task max_memory_restart current_conf args filter_env namespace interpreter script cwd`.split(
    /\s+/,
  )

/** @typedef {{ name: string, script?: string }} Conf one process of a PM2 configuration */

/** Variables that PM2 itself reads. */
const READ_BY_PM2 =
  /^(?:PM2_|KEYMETRICS_|pm_|pm2_)|^(?:OVER_HOME|EXP_BACKOFF_RESET_TIMER|ASZ_MODE|PROCESS_TITLE|INSTANCE_NAME|MACHINE_NAME|ROOT_URL|INFO_NODE|NODE_APP_INSTANCE)$/

/**
 * Removes from this process's environment what PM2 would read. Call it before PM2 is loaded.
 * @param {NodeJS.Require} load
 */
export const clearEnvironment = load => {
  const schema = load('pm2/lib/API/schema.json')
  const own = new Set([...Object.keys(schema), ...OWN_FIELDS])
  for (const name of Object.keys(process.env))
    if (own.has(name) || READ_BY_PM2.test(name)) delete process.env[name]
}

/**
 * PM2 gives a script whose path has a space to a shell, and takes `.json` anywhere in the path of its configuration
 * for the extension. Call this once PM2's settings are in the environment.
 * @param {NodeJS.Require} load
 */
export const fixScriptPaths = load => {
  const common = load('pm2/lib/Common.js')
  const { isConfigFile, verifyConfs } = common
  common.isConfigFile = (/** @type {unknown} */ file) =>
    isConfigFile(typeof file === 'string' ? path.basename(file) : file)
  common.verifyConfs = (/** @type {unknown} */ confs) => {
    /** @type {Map<string, string>} */
    const scripts = new Map()
    for (const conf of /** @type {Conf[]} */ ([confs ?? []].flat())) {
      if (!conf.script?.includes(' ')) continue
      scripts.set(conf.name, conf.script)
      conf.script = path.basename(conf.script)
    }
    const verified = verifyConfs(confs)
    if (Array.isArray(verified))
      for (const conf of verified) conf.script = scripts.get(conf.name) ?? conf.script
    return verified
  }
}
