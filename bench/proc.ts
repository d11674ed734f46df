// What the kernel says about processes: memory and CPU. Linux only.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

const field = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN) * 1024

/** Proportional set size in bytes: memory shared with others counts by its share. */
export const pssOf = (pid: number | 'self'): number =>
  field(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'), 'Pss')

/** Resident bytes now, and at their highest so far. */
export const residentOf = (pid: number | 'self'): { now: number; highest: number } => {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  return { now: field(text, 'VmRSS'), highest: field(text, 'VmHWM') }
}

const ticksPerSecond = (): number =>
  Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout?.trim()) || 100

export interface CpuReading {
  /** Seconds of CPU, user and system, of the processes and of their children that have ended. */
  total: number
  byPid: ReadonlyMap<number, number>
}

/** Seconds on a processor of all threads of a process, from the scheduler: ticks would miss most short wake-ups. */
const onProcessor = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`).reduce(
    (sum, thread) =>
      sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
    0,
  ) / 1e9

/** A reading for `pids`; the difference of two is what they used, and those that came and went between. */
export const cpuOf = (pids: readonly number[]): CpuReading => {
  const perSecond = ticksPerSecond()
  const byPid = new Map<number, number>()
  for (const pid of pids) {
    try {
      // the name in brackets may hold spaces; cutime is the 14th field behind it
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
      const ended = fields.slice(13, 15).reduce((sum, text) => sum + Number(text), 0)
      byPid.set(pid, onProcessor(pid) + ended / perSecond)
    } catch {
      // it ended just now: its parent's reading holds it
    }
  }
  return { total: [...byPid.values()].reduce((sum, seconds) => sum + seconds, 0), byPid }
}
