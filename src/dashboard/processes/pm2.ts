// PM2's processes and its calls. The only file that knows PM2's records and methods. A record carries the whole
// environment of its process, secrets included: only the fields of `Pm2Process` leave this file.
import { z } from 'zod'
import { cutText } from '../../core/cut-text.ts'
import { MadhavaError } from '../../core/errors.ts'
import type { Log } from '../../platform/log.ts'
import { askSupervisor } from './supervisor.ts'

const count = z.number().catch(0)
/** How a process ended, as bin/pm2-ends.mjs keeps it. */
const endSchema = z.object({
  /** Milliseconds since 1970. */
  at: z.number(),
  pid: z.number(),
  code: z.number().nullable(),
  signal: z.string().max(20).nullable(),
  /** PM2 was told to stop it. */
  asked: z.boolean(),
})
export type End = z.infer<typeof endSchema>

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
      madhava_ends: z.array(endSchema).catch([]),
    }),
  }),
)
export type Pm2Process = z.infer<typeof seenSchema>[number]

export interface Pm2 {
  /** By PM2's number. @throws SUPERVISOR_UNAVAILABLE */
  list(): Promise<Pm2Process[]>
  /**
   * Both answer whether PM2 finished in time. Being slow is no error, being away is.
   * @throws SUPERVISOR_UNAVAILABLE, SUPERVISOR_REFUSED
   */
  stop(pmId: number): Promise<boolean>
  /** A process that does not run is started. */
  restart(pmId: number): Promise<boolean>
}

export interface Pm2Options {
  /** PM2's own folder, absolute. */
  pm2Home: string
  log: Log
  /** Longest wait for one answer, milliseconds. */
  timeoutMs: number
}

export const isRunning = (state: string): boolean => state === 'online' || state === 'launching'

/** PM2 keeps the dead process's pid in the record while it waits to start the next one. */
export const hasProcess = ({ pid, pm2_env }: Pm2Process): boolean =>
  pid > 0 && (isRunning(pm2_env.status) || pm2_env.status === 'stopping')

/** PM2's words, for people: a path in them is nobody's business. */
const shownReason = (reason: string): string =>
  cutText(reason.split('\n')[0] ?? '', 200).replace(/(?:\/[^\s/:'"]+){2,}/g, '(a path)')

export const createPm2 = ({ pm2Home, log, timeoutMs }: Pm2Options): Pm2 => {
  const away = (reason: string): MadhavaError => {
    log.warn({ reason }, 'the supervisor does not answer')
    return new MadhavaError('SUPERVISOR_UNAVAILABLE', undefined, { cause: reason })
  }

  const call = async (method: string, args: readonly unknown[]): Promise<boolean> => {
    const reply = await askSupervisor({ pm2Home, method, args, timeoutMs })
    if (reply.kind === 'away') throw away(reply.reason)
    if (reply.kind === 'refused')
      throw new MadhavaError(
        'SUPERVISOR_REFUSED',
        `The process supervisor refused: ${shownReason(reply.reason)}`,
        {
          cause: reply.reason,
        },
      )
    return reply.kind === 'answer'
  }

  return {
    async list() {
      const reply = await askSupervisor({ pm2Home, method: 'getMonitorData', args: [{}], timeoutMs })
      if (reply.kind !== 'answer') throw away('reason' in reply ? reply.reason : 'no answer in time')
      const parsed = seenSchema.safeParse(reply.value)
      if (!parsed.success) throw away('its list of processes cannot be read')
      return parsed.data.sort((a, b) => a.pm_id - b.pm_id)
    },
    stop: pmId => call('stopProcessId', [pmId]),
    restart: pmId => call('restartProcessId', [{ id: pmId, env: {} }]),
  }
}
