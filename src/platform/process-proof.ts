// Proof that a process of this host is gone, for which no time has to pass. A doubt counts as alive.
// It knows Linux: elsewhere nothing is ever proved, and others wait for a lease to run out.
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** Names one process for ever: the kernel's boot and the space of its process ids, the id, and when it began. */
export interface ProcessName {
  /** Null where the system does not tell. */
  space: string | null
  pid: number
  /** In the kernel's ticks since the boot. */
  startedTicks: string | null
}

/** What the system says about a process. */
export interface ProcessState {
  /** Of the program, at most 15 characters. */
  name: string
  /** Z and X: it has ended, and is only not yet fetched by its parent. */
  state: string
  parent: number
  group: number
  session: number
  /** In the kernel's ticks since the boot. */
  startedTicks: string
  /** Of Linux itself: it runs no program. */
  isKernel: boolean
}

/** `PF_KTHREAD` of Linux's include/linux/sched.h. */
const KERNEL_FLAG = 0x0020_0000

/** Null when it cannot be read. `/proc/<pid>/stat`: see proc(5), fields 2 to 6, 9 and 22. */
export const readProcess = (pid: number | 'self'): ProcessState | null => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // the second field is the program's name in brackets, which may hold anything
    const end = text.lastIndexOf(')')
    const fields = text.slice(end + 2).split(' ')
    const [state, parent, group, session] = fields
    const [flags, startedTicks] = [Number(fields[6]), fields[19]]
    if (!state || !startedTicks) return null
    return {
      name: text.slice(text.indexOf('(') + 1, end),
      state,
      parent: Number(parent),
      group: Number(group),
      session: Number(session),
      startedTicks,
      isKernel: (flags & KERNEL_FLAG) !== 0,
    }
  } catch {
    return null
  }
}

/** What `USER_HZ` is in every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

/** This moment as a begin of a process would show it, or a little before; 0 where the system does not tell. */
export const ticksNow = (): number => {
  try {
    return Math.floor(Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * TICKS_PER_SECOND) - 1
  } catch {
    return 0
  }
}

const readSpace = (): string | null => {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
    // a pid means the same process only within one space of them: containers have their own
    // the name of the host, for a machine that was copied while it ran
    return `${hostname()} ${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return null
  }
}

let mine: ProcessName | null = null
/** Read once: it does not change. */
export const thisProcess = (): ProcessName => {
  mine ??= { space: readSpace(), pid: process.pid, startedTicks: readProcess('self')?.startedTicks ?? null }
  return mine
}

/** Whether the process that was called this is gone for certain. */
export const isProvedGone = (name: ProcessName, mine: ProcessName): boolean => {
  if (name.space === null || name.space !== mine.space || name.startedTicks === null) return false
  if (!Number.isInteger(name.pid) || name.pid <= 0) return false
  try {
    process.kill(name.pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
  const stat = readProcess(name.pid)
  if (stat === null) return false
  // Z and X: killed, and only not yet fetched by its parent; or the id belongs to somebody else by now
  return stat.startedTicks !== name.startedTicks || stat.state === 'Z' || stat.state === 'X'
}
