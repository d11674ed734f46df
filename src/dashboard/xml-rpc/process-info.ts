// A process as supervisord tells of it: its states, and the words of `supervisorctl status`.

import { describeCause } from '../processes/orders.ts'
import type { ProcessRow } from '../processes/processes.ts'
import type { Value } from './message.ts'

export const STATES = {
  STOPPED: 0,
  STARTING: 10,
  RUNNING: 20,
  BACKOFF: 30,
  STOPPING: 40,
  EXITED: 100,
  FATAL: 200,
  UNKNOWN: 1000,
} as const
type StateName = keyof typeof STATES

/** `RUNNING` is ready by its own word; a process that beats no longer, or not yet, is `STARTING`. */
export const stateOf = ({ state, ready }: ProcessRow): StateName => {
  if (state === 'online') return ready === false ? 'STARTING' : 'RUNNING'
  if (state === 'launching') return 'STARTING'
  if (state === 'waiting restart') return 'BACKOFF'
  if (state === 'stopping') return 'STOPPING'
  if (state === 'stopped') return 'STOPPED'
  return state === 'errored' ? 'FATAL' : 'UNKNOWN'
}

/** As Python writes a span of time: `1 day, 2:03:04`. @param ms milliseconds */
export const spanText = (ms: number): string => {
  const seconds = Math.floor(ms / 1000)
  const days = Math.floor(seconds / 86_400)
  const two = (value: number): string => String(value).padStart(2, '0')
  const clock = `${Math.floor((seconds % 86_400) / 3600)}:${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`
  return days === 0 ? clock : `${days} day${days === 1 ? '' : 's'}, ${clock}`
}

const describeRow = (row: ProcessRow, statename: StateName): string => {
  const { pid, uptimeMs, restartCause, crashLoop } = row
  if (statename === 'RUNNING') return `pid ${pid ?? 0}, uptime ${spanText(uptimeMs ?? 0)}`
  if (statename === 'BACKOFF' || statename === 'FATAL')
    return restartCause ? describeCause(restartCause) : `unknown error (try "tail ${row.name}")`
  if (statename === 'STOPPED') return restartCause ? restartCause.at : 'Not started'
  return statename === 'STARTING' && crashLoop && restartCause ? describeCause(restartCause) : ''
}

const seconds = (ms: number): number => Math.max(0, Math.floor(ms / 1000))

/** @param now milliseconds since 1970 */
export const processInfo = (row: ProcessRow, now: number): { [name: string]: Value } => {
  const statename = stateOf(row)
  const { restartCause: cause } = row
  return {
    name: row.name,
    group: row.name,
    start: row.uptimeMs === null ? 0 : seconds(now - row.uptimeMs),
    stop: cause ? seconds(Date.parse(cause.at)) : 0,
    now: seconds(now),
    state: STATES[statename],
    statename,
    spawnerr: statename === 'BACKOFF' && cause ? describeCause(cause) : '',
    exitstatus: row.pid === null ? (cause?.code ?? 0) : 0,
    // paths stay on the server
    logfile: '',
    stdout_logfile: '',
    stderr_logfile: '',
    pid: row.pid ?? 0,
    description: describeRow(row, statename),
  }
}
