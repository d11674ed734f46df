// Keeps how each process under PM2 has ended: PM2 itself forgets the signal, and takes a kill for a clean exit.

/** How many ends are kept for a process: the restarts of half an hour in which it dies again and again. */
const KEPT = 20
/** States in which PM2 has been told to end the process. */
const ASKED = ['stopping', 'stopped', 'errored']

/**
 * @typedef {{ at: number, pid: number, code: number | null, signal: string | null, asked: boolean }} End
 * `at` in milliseconds since 1970; `asked`: PM2 was told to stop it
 * @typedef {{ status: string, madhava_ends?: End[] }} Env
 * @typedef {{ pm2_env: Env, process?: { pid?: number }, pid?: number }} Child
 * @typedef {(child: Child, code: number, signal: string | null) => unknown} HandleExit
 */

/**
 * Adds `madhava_ends` to what PM2 tells of a process, which its restarts carry on. Call this once PM2's settings are in the
 * environment, before it starts a process.
 * @param {NodeJS.Require} load
 * @param {() => number} clock milliseconds since 1970
 */
export const noteEnds = (load, clock = Date.now) => {
  /** @type {{ handleExit: HandleExit }} */
  const god = load('pm2/lib/God.js')
  const { handleExit } = god
  god.handleExit = function noted(child, code, signal) {
    const { pm2_env: env } = child
    const pid = child.process?.pid ?? child.pid ?? 0
    const end = {
      at: clock(),
      pid,
      code: signal ? null : code,
      signal: signal || null,
      asked: ASKED.includes(env.status),
    }
    env.madhava_ends = [...(Array.isArray(env.madhava_ends) ? env.madhava_ends : []), end].slice(-KEPT)
    return handleExit.call(this, child, code, signal)
  }
}
