// Ends processes that were found: SIGTERM, a grace time, SIGKILL, until a look finds none. It does not know whose they
// are.
import { setTimeout as wait } from 'node:timers/promises'
import type { FoundProcess } from './marked-processes.ts'
import { readProcess } from './process-proof.ts'

export interface FoundProcesses {
  processes: readonly FoundProcess[]
  /** Process groups all of whose members are to end: one signal reaches those too that are being made this moment. */
  groups: readonly number[]
}

export interface EndingTimes {
  /** From SIGTERM to SIGKILL, milliseconds. */
  graceMs: number
  /** What death may take after SIGKILL. */
  killMs: number
}
export const ENDING_TIMES: EndingTimes = { graceMs: 500, killMs: 2_000 }

export interface Ending {
  /** Every process that got a signal. */
  signalled: FoundProcess[]
  /** Those that live on all the same. */
  left: FoundProcess[]
}

const LOOK_MS = 20

/** False: there is none any more, or it belongs to somebody else. */
const send = (pid: number, signal: NodeJS.Signals | 0): boolean => {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

/** Whether a group has members that may be signalled. */
export const groupLives = (group: number): boolean => send(-group, 0)

const lives = ({ pid, startedTicks }: FoundProcess): boolean => {
  const now = readProcess(pid)
  return now !== null && now.startedTicks === startedTicks && now.state !== 'Z' && now.state !== 'X'
}

/** To the groups first, and then to each that is in none of them. */
export const signalAll = ({ processes, groups }: FoundProcesses, signal: NodeJS.Signals): void => {
  for (const group of groups) send(-group, signal)
  // an id may be somebody else's by now
  for (const process of processes)
    if (!groups.includes(process.group) && lives(process)) send(process.pid, signal)
}

const isGone = ({ processes, groups }: FoundProcesses): boolean =>
  !processes.some(lives) && (processes.length > 0 || !groups.some(groupLives))

/** Whether all were gone within the time. */
const goneWithin = async (found: FoundProcesses, ms: number): Promise<boolean> => {
  for (const end = performance.now() + ms; performance.now() < end; await wait(LOOK_MS))
    if (isGone(found)) return true
  return isGone(found)
}

/** `find` is asked again until it finds none. Never rejects unless `find` does. */
export const endProcesses = async (
  find: () => Promise<FoundProcesses>,
  { graceMs, killMs }: EndingTimes = ENDING_TIMES,
): Promise<Ending> => {
  const signalled = new Map<string, FoundProcess>()
  const note = ({ processes }: FoundProcesses): void => {
    for (const process of processes) signalled.set(`${process.pid} ${process.startedTicks}`, process)
  }
  const isEmpty = ({ processes, groups }: FoundProcesses): boolean =>
    processes.length === 0 && groups.length === 0
  let found = await find()
  if (!isEmpty(found)) {
    note(found)
    signalAll(found, 'SIGTERM')
    // one that is stopped would hear of it only when it goes on
    signalAll(found, 'SIGCONT')
    await goneWithin(found, graceMs)
  }
  const end = performance.now() + killMs
  while (!isEmpty(found)) {
    found = await find()
    if (isEmpty(found) || performance.now() > end) break
    note(found)
    signalAll(found, 'SIGKILL')
    await goneWithin(found, Math.max(LOOK_MS, Math.min(killMs / 4, end - performance.now())))
  }
  return { signalled: [...signalled.values()], left: [...found.processes] }
}
