// The processes as the dashboard shows and controls them. Only the fields of `ProcessRow` and the paths of the two logs
// leave this file, and the paths never reach HTTP.
import { within } from '../../core/async/deadline.ts'
import { MadhavaError } from '../../core/errors.ts'
import type { SeenPresence } from '../../core/presence.ts'
import { whySilent } from '../../core/readiness.ts'
import type { Log } from '../../platform/log.ts'
import { type Asked, openAskedBy } from '../asked.ts'
import { createPm2, hasProcess, isRunning, type Pm2Process } from './pm2.ts'
import { createCauses, isCrashLoop, type RestartCause } from './restart-cause.ts'

/** One process, as anyone who is logged in may see it. */
export interface ProcessRow {
  name: string
  /** PM2's number for it; several processes may share a name. */
  pmId: number
  /** PM2's own word: online, launching, stopping, stopped, errored, waiting restart. */
  state: string
  /** Null if it does not run. */
  pid: number | null
  /** Since its last start; null if it does not run. */
  uptimeMs: number | null
  restarts: number
  /** 100 is one core. */
  cpuPercent: number
  memoryBytes: number
  /**
   * Whether it is the dashboard itself, or another process of that name: stopped, it could not be started from here.
   */
  isDashboard: boolean
  /** By its own word in the store; null: not known, since the store is away or it is no role of the bundle. */
  ready?: boolean | null
  /** What it says is wrong, by the name of the part. */
  troubles?: Record<string, string>
  /** Ids of the tasks that it runs: a stop lets them end for the drain time and then gives them back. */
  running?: string[]
  /** How its last process ended; null: none has. */
  restartCause?: RestartCause | null
  /** When it began anew, ISO 8601; null: it has not since the start of the bundle. */
  lastRestartAt?: string | null
  /** Whether it dies again and again. */
  crashLoop?: boolean
}

export const LOG_STREAMS = ['out', 'err'] as const
export type LogStream = (typeof LOG_STREAMS)[number]
export const ACTIONS = ['start', 'stop', 'restart'] as const
export type Action = (typeof ACTIONS)[number]

/**
 * `done`: PM2 says so. `underway`: PM2 is still working; a process may take its whole drain time. `unchanged`: there
 * was nothing to do. `deferred`: it would end this process, so the caller answers first and then calls `act`.
 */
export type ActionOutcome =
  | { outcome: 'done' | 'underway' | 'unchanged' }
  | { outcome: 'deferred'; act: () => Promise<void> }

export interface Processes {
  /** By PM2's number. @throws SUPERVISOR_UNAVAILABLE */
  list(): Promise<ProcessRow[]>
  /**
   * Every process of that name.
   * @param by who asks, for the log and for the cause of the restart
   * @throws SUPERVISOR_UNAVAILABLE, NOT_FOUND, PROCESS_BUSY while one of them is stopping, DASHBOARD_STAYS for stopping
   * the dashboard, SUPERVISOR_REFUSED
   */
  act(action: Action, name: string, by?: string): Promise<ActionOutcome>
  /** Acts on all of them. A stop leaves out the dashboard and what is already stopping. @throws as `act` */
  actAll(action: Action, by?: string): Promise<ActionOutcome>
  /** The path of a log file; null if PM2 keeps none. @throws SUPERVISOR_UNAVAILABLE, NOT_FOUND */
  logFile(name: string, stream: LogStream, pmId: number | null): Promise<string | null>
}

/** What processes say of themselves in the store. */
export interface Probe {
  /** The names of processes that say it. */
  roles: readonly string[]
  /** Of this bundle alone. */
  presences(): Promise<readonly SeenPresence[]>
}

export interface ProcessesOptions {
  /** PM2's own folder, absolute. */
  pm2Home: string
  log: Log
  /** Left out: whether a process is ready is not known. */
  probe?: Probe
  /** Longest wait for one answer of PM2, milliseconds. */
  timeoutMs?: number
  /** The name of the dashboard's own process. */
  self?: string
  /** Milliseconds since 1970. */
  clock?: () => number
}

/** The store may be away: the list of processes does not wait for it. */
const PROBE_MS = 1_000

const STAYS =
  'The dashboard does not stop itself: nothing could start it from here again. Restart it, or stop the whole server where it was started'

/**
 * PM2's word for a process, but for one that was stopped since its last start: where PM2 hears of the end after it has
 * called the process stopped, it calls it `waiting restart` for good, and has no timer for it.
 */
const stateAfter = ({ pm2_env: { status, pm_uptime } }: Pm2Process, order: Asked | undefined): string =>
  status === 'waiting restart' && order?.action === 'stop' && order.at >= pm_uptime ? 'stopped' : status

/** PM2's processes. Nothing stays open, so there is nothing to close. */
export const createProcesses = ({
  pm2Home,
  log,
  probe,
  timeoutMs = 3_000,
  self = 'dashboard',
  clock = Date.now,
}: ProcessesOptions): Processes => {
  const pm2 = createPm2({ pm2Home, log, timeoutMs })
  const asked = openAskedBy(pm2Home)
  const causes = createCauses()

  const isDashboard = (found: Pm2Process): boolean =>
    found.name === self || (hasProcess(found) && found.pid === process.pid)

  const named = async (name: string): Promise<Pm2Process[]> => {
    const found = (await pm2.list()).filter(found => found.name === name)
    if (found.length > 0) return found
    throw new MadhavaError('NOT_FOUND', 'The supervisor has no process of this name')
  }

  const wouldChange = (action: Action, found: Pm2Process, order: Asked | undefined): boolean => {
    if (action === 'restart') return true
    const state = stateAfter(found, order)
    return action === 'start' ? !isRunning(state) : state !== 'stopped'
  }

  /** By number and never by name: PM2 would also read a name as `all`, a pattern or a file. */
  const apply = async (action: Action, found: Pm2Process, by: string | null): Promise<boolean> => {
    log.info({ action, process: found.name, pmId: found.pm_id, who: by }, 'asking the supervisor')
    if (action === 'stop') return pm2.stop(found.pm_id)
    // PM2 has set a timer for the restart, and only a stop cancels it. Otherwise PM2 refuses to start a second
    // process, or starts two.
    if (found.pm2_env.status === 'waiting restart' && !(await pm2.stop(found.pm_id))) return false
    return pm2.restart(found.pm_id)
  }

  const applyAll = async (
    action: Action,
    targets: readonly Pm2Process[],
    by: string | null,
  ): Promise<ActionOutcome> => {
    const orders = await asked.all()
    const changing = targets.filter(found => wouldChange(action, found, orders[found.name]))
    if (changing.length === 0) return { outcome: 'unchanged' }
    if (by !== null)
      await asked.note(
        changing.map(({ name }) => name),
        { action, by, at: clock() },
      )
    const results = await Promise.allSettled(changing.map(found => apply(action, found, by)))
    const failed = results.find(result => result.status === 'rejected')
    if (failed) throw failed.reason
    return {
      outcome: results.every(result => result.status === 'fulfilled' && result.value) ? 'done' : 'underway',
    }
  }

  /** The others first, then this process, since its end also ends the caller. */
  const deferRestart = (targets: readonly Pm2Process[], by: string | null): ActionOutcome => ({
    outcome: 'deferred',
    act: async () => {
      for (const group of [targets.filter(found => !isDashboard(found)), targets.filter(isDashboard)])
        await applyAll('restart', group, by).catch((error: unknown) =>
          log.error({ error }, 'a restart failed'),
        )
    },
  })

  /** Null: not known. */
  const seePresences = async (): Promise<readonly SeenPresence[] | null> =>
    probe ? within(PROBE_MS, probe.presences(), () => null).catch(() => null) : null

  /** What the process says of itself; `ready` is null where nothing is known. */
  const stateOf = (
    found: Pm2Process,
    presences: readonly SeenPresence[] | null,
  ): Pick<ProcessRow, 'ready' | 'troubles' | 'running'> => {
    if (!hasProcess(found)) return { ready: false, troubles: {}, running: [] }
    if (presences === null || !probe?.roles.includes(found.name))
      return { ready: null, troubles: {}, running: [] }
    const said = presences.find(({ role, pid, alive }) => alive && role === found.name && pid === found.pid)
    if (!said) return { ready: false, troubles: {}, running: [] }
    const { troubles, running } = said.details
    return { ready: whySilent(said, clock()) === null, troubles, running }
  }

  return {
    async list() {
      const [all, presences, orders] = await Promise.all([pm2.list(), seePresences(), asked.all()])
      const now = clock()
      return Promise.all(
        all.map(async found => {
          const { pm_uptime: startedAt, restart_time, madhava_ends: ends } = found.pm2_env
          const status = stateAfter(found, orders[found.name])
          const alive = hasProcess(found)
          const uptimeMs = alive && startedAt > 0 ? Math.max(0, now - startedAt) : null
          const again = alive && startedAt > 0 && (restart_time > 0 || ends.length > 0)
          return {
            name: found.name,
            pmId: found.pm_id,
            state: status,
            pid: alive ? found.pid : null,
            uptimeMs,
            restarts: restart_time,
            cpuPercent: found.monit.cpu,
            memoryBytes: found.monit.memory,
            isDashboard: isDashboard(found),
            ...stateOf(found, presences),
            restartCause: await causes.of(found, orders[found.name]),
            lastRestartAt: again ? new Date(startedAt).toISOString() : null,
            crashLoop: isCrashLoop(ends, now, status === 'waiting restart' ? null : uptimeMs),
          }
        }),
      )
    },

    async act(action, name, by) {
      const targets = await named(name)
      if (action === 'stop' && targets.some(isDashboard)) throw new MadhavaError('DASHBOARD_STAYS', STAYS)
      if (targets.some(found => found.pm2_env.status === 'stopping')) throw new MadhavaError('PROCESS_BUSY')
      if (action === 'restart' && targets.some(isDashboard)) return deferRestart(targets, by ?? null)
      return applyAll(action, targets, by ?? null)
    },

    async actAll(action, by) {
      const idle = (await pm2.list()).filter(found => found.pm2_env.status !== 'stopping')
      if (action === 'restart' && idle.some(isDashboard)) return deferRestart(idle, by ?? null)
      const targets = action === 'stop' ? idle.filter(found => !isDashboard(found)) : idle
      return applyAll(action, targets, by ?? null)
    },

    async logFile(name, stream, pmId) {
      const found = (await named(name)).find(one => pmId === null || one.pm_id === pmId)
      if (!found) throw new MadhavaError('NOT_FOUND', 'The supervisor has no process of this name and number')
      return stream === 'out' ? found.pm2_env.pm_out_log_path : found.pm2_env.pm_err_log_path
    },
  }
}
