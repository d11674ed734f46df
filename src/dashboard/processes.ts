// The processes as the dashboard shows and controls them. The only file that knows PM2's records and methods. A record
// carries the whole environment of its process, secrets included. Only the fields of `ProcessRow` and the paths of the
// two logs leave this file, and the paths never reach HTTP.
import { z } from 'zod'
import { MadhavaError } from '../core/errors.ts'
import type { Log } from '../platform/log.ts'
import { askSupervisor } from './supervisor.ts'

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
   * Every process of that name. @throws SUPERVISOR_UNAVAILABLE, NOT_FOUND, PROCESS_BUSY while one of them is
   * stopping, FORBIDDEN for stopping the dashboard, INTERNAL when PM2 refuses
   */
  act(action: Action, name: string): Promise<ActionOutcome>
  /** Acts on all of them. A stop leaves out the dashboard and what is already stopping. @throws as `act` */
  actAll(action: Action): Promise<ActionOutcome>
  /** The path of a log file; null if PM2 keeps none. @throws SUPERVISOR_UNAVAILABLE, NOT_FOUND */
  logFile(name: string, stream: LogStream, pmId: number | null): Promise<string | null>
}

export interface ProcessesOptions {
  /** PM2's own folder, absolute. */
  pm2Home: string
  log: Log
  /** Longest wait for one answer of PM2, milliseconds. */
  timeoutMs?: number
  /** The name of the dashboard's own process. */
  self?: string
  /** Milliseconds since 1970. */
  clock?: () => number
}

const count = z.number().catch(0)
const seenSchema = z.array(
  z.object({
    name: z.string().catch('?'),
    pm_id: z.number(),
    pid: count,
    monit: z.object({ cpu: count, memory: count }).catch({ cpu: 0, memory: 0 }),
    pm2_env: z.object({
      status: z.string().catch('unknown'),
      pm_uptime: count,
      restart_time: count,
      pm_out_log_path: z.string().nullable().catch(null),
      pm_err_log_path: z.string().nullable().catch(null),
    }),
  }),
)
type Pm2Process = z.infer<typeof seenSchema>[number]

const isRunning = (state: string): boolean => state === 'online' || state === 'launching'

/** PM2 keeps the dead process's pid in the record while it waits to start the next one. */
const hasProcess = ({ pid, pm2_env }: Pm2Process): boolean =>
  pid > 0 && (isRunning(pm2_env.status) || pm2_env.status === 'stopping')

/** PM2's processes. Nothing stays open, so there is nothing to close. */
export const createProcesses = ({
  pm2Home,
  log,
  timeoutMs = 3_000,
  self = 'dashboard',
  clock = Date.now,
}: ProcessesOptions): Processes => {
  const away = (reason: string): MadhavaError => {
    log.warn({ reason }, 'the supervisor does not answer')
    return new MadhavaError('SUPERVISOR_UNAVAILABLE', undefined, { cause: reason })
  }

  /** Whether PM2 finished within the time. Being slow is no error, being away is. */
  const call = async (method: string, args: readonly unknown[]): Promise<boolean> => {
    const reply = await askSupervisor({ pm2Home, method, args, timeoutMs })
    if (reply.kind === 'away') throw away(reply.reason)
    if (reply.kind === 'refused')
      throw new MadhavaError('INTERNAL', 'The process supervisor refused', { cause: reply.reason })
    return reply.kind === 'answer'
  }

  const seeAll = async (): Promise<Pm2Process[]> => {
    const reply = await askSupervisor({ pm2Home, method: 'getMonitorData', args: [{}], timeoutMs })
    if (reply.kind !== 'answer') throw away('reason' in reply ? reply.reason : 'no answer in time')
    const parsed = seenSchema.safeParse(reply.value)
    if (!parsed.success) throw away('its list of processes cannot be read')
    return parsed.data.sort((a, b) => a.pm_id - b.pm_id)
  }

  const isDashboard = (found: Pm2Process): boolean =>
    found.name === self || (hasProcess(found) && found.pid === process.pid)

  const named = async (name: string): Promise<Pm2Process[]> => {
    const found = (await seeAll()).filter(found => found.name === name)
    if (found.length > 0) return found
    throw new MadhavaError('NOT_FOUND', 'The supervisor has no process of this name')
  }

  const wouldChange = (action: Action, found: Pm2Process): boolean => {
    if (action === 'restart') return true
    return action === 'start' ? !isRunning(found.pm2_env.status) : found.pm2_env.status !== 'stopped'
  }

  /** By number and never by name: PM2 would also read a name as `all`, a pattern or a file. */
  const apply = async (action: Action, found: Pm2Process): Promise<boolean> => {
    log.info({ action, process: found.name, pmId: found.pm_id }, 'asking the supervisor')
    if (action === 'stop') return call('stopProcessId', [found.pm_id])
    // PM2 has set a timer for the restart, and only a stop cancels it. Otherwise PM2 refuses to start a second
    // process, or starts two.
    if (found.pm2_env.status === 'waiting restart' && !(await call('stopProcessId', [found.pm_id])))
      return false
    return call('restartProcessId', [{ id: found.pm_id, env: {} }])
  }

  const applyAll = async (action: Action, targets: readonly Pm2Process[]): Promise<ActionOutcome> => {
    const changing = targets.filter(found => wouldChange(action, found))
    if (changing.length === 0) return { outcome: 'unchanged' }
    const results = await Promise.allSettled(changing.map(found => apply(action, found)))
    const failed = results.find(result => result.status === 'rejected')
    if (failed) throw failed.reason
    return {
      outcome: results.every(result => result.status === 'fulfilled' && result.value) ? 'done' : 'underway',
    }
  }

  /** The others first, then this process, since its end also ends the caller. */
  const deferRestart = (targets: readonly Pm2Process[]): ActionOutcome => ({
    outcome: 'deferred',
    act: async () => {
      for (const group of [targets.filter(found => !isDashboard(found)), targets.filter(isDashboard)])
        await applyAll('restart', group).catch((error: unknown) => log.error({ error }, 'a restart failed'))
    },
  })

  return {
    async list() {
      const now = clock()
      return (await seeAll()).map(found => {
        const alive = hasProcess(found)
        return {
          name: found.name,
          pmId: found.pm_id,
          state: found.pm2_env.status,
          pid: alive ? found.pid : null,
          uptimeMs: alive && found.pm2_env.pm_uptime > 0 ? Math.max(0, now - found.pm2_env.pm_uptime) : null,
          restarts: found.pm2_env.restart_time,
          cpuPercent: found.monit.cpu,
          memoryBytes: found.monit.memory,
          isDashboard: isDashboard(found),
        }
      })
    },

    async act(action, name) {
      const targets = await named(name)
      if (action === 'stop' && targets.some(isDashboard))
        throw new MadhavaError(
          'FORBIDDEN',
          'The dashboard does not stop itself: nothing could start it from here again. Restart it, or stop the whole server where it was started',
        )
      if (targets.some(found => found.pm2_env.status === 'stopping')) throw new MadhavaError('PROCESS_BUSY')
      if (action === 'restart' && targets.some(isDashboard)) return deferRestart(targets)
      return applyAll(action, targets)
    },

    async actAll(action) {
      const idle = (await seeAll()).filter(found => found.pm2_env.status !== 'stopping')
      if (action === 'restart' && idle.some(isDashboard)) return deferRestart(idle)
      return applyAll(action, action === 'stop' ? idle.filter(found => !isDashboard(found)) : idle)
    },

    async logFile(name, stream, pmId) {
      const found = (await named(name)).find(one => pmId === null || one.pm_id === pmId)
      if (!found) throw new MadhavaError('NOT_FOUND', 'The supervisor has no process of this name and number')
      return stream === 'out' ? found.pm2_env.pm_out_log_path : found.pm2_env.pm_err_log_path
    },
  }
}
