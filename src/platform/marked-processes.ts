// Finds processes by a variable of their environment, which descendants inherit, and by kinship with those found.
// It knows Linux (`/proc`); elsewhere nothing is found. It ends none.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { type ProcessState, readProcess } from './process-proof.ts'

export interface FoundProcess extends ProcessState {
  pid: number
}

export interface Search {
  /** Of the variable. */
  name: string
  /** Whether a process whose variable has this value is looked for. `uid` says who owns it; null: it is gone. */
  isWanted: (value: string, uid: () => number | null) => boolean
  /** Process groups all of whose members are looked for. */
  groups?: readonly number[]
  /**
   * Those that began before, in ticks since the boot, are passed over: to read an environment costs more than all else.
   */
  sinceTicks?: number
}

/** So many are read in one turn of the event loop: some milliseconds. */
const SLICE = 32

/**
 * The value of a variable in the bytes of `/proc/<pid>/environ`: `NAME=value`, each ended by a NUL; null when unset.
 */
export const valueIn = (environ: Buffer, name: string): string | null => {
  const wanted = `${name}=`
  for (let at = environ.indexOf(wanted); at >= 0; at = environ.indexOf(wanted, at + 1)) {
    if (at > 0 && environ[at - 1] !== 0) continue
    const end = environ.indexOf(0, at)
    return environ.toString('utf8', at + wanted.length, end < 0 ? environ.length : end)
  }
  return null
}

const pids = (): number[] => {
  try {
    return readdirSync('/proc')
      .filter(name => /^\d+$/.test(name))
      .map(Number)
  } catch {
    return []
  }
}

/** Null where it is gone, or belongs to somebody into whose processes this one may not look. */
const readValue = (pid: number, name: string): string | null => {
  try {
    return valueIn(readFileSync(`/proc/${pid}/environ`), name)
  } catch {
    return null
  }
}
const ownerOf = (pid: number): number | null => {
  try {
    return statSync(`/proc/${pid}`).uid
  } catch {
    return null
  }
}

/** Looks at one process after another. */
const createLook = ({ name, isWanted, groups = [], sinceTicks = 0 }: Search) => {
  const seen = new Map<number, FoundProcess>()
  const found = new Set<number>()
  return {
    at(pid: number): void {
      // whoever looks and the first process of the machine are nobody's descendants
      if (pid === process.pid || pid === 1) return
      const state = readProcess(pid)
      if (!state || state.state === 'Z' || state.state === 'X' || Number(state.startedTicks) < sinceTicks)
        return
      seen.set(pid, { pid, ...state })
      const value = readValue(pid, name)
      if (value !== null && isWanted(value, () => ownerOf(pid))) found.add(pid)
      else if (groups.includes(state.group)) found.add(pid)
    },
    /**
     * With all their descendants, and the members of the groups that they lead: some programs write over their
     * environment.
     */
    found(): FoundProcess[] {
      for (let size = -1; size !== found.size; ) {
        size = found.size
        for (const { pid, parent, group } of seen.values())
          if (found.has(parent) || found.has(group)) found.add(pid)
      }
      return [...found].flatMap(pid => seen.get(pid) ?? [])
    },
  }
}

/** A turn of the event loop looks at a few at a time. A process that can't be read is passed over. */
export const findMarked = async (search: Search): Promise<FoundProcess[]> => {
  const look = createLook(search)
  for (const [at, pid] of pids().entries()) {
    if (at % SLICE === SLICE - 1) await turn()
    look.at(pid)
  }
  return look.found()
}

/** All in one go: for a process that is about to exit. */
export const findMarkedNow = (search: Search): FoundProcess[] => {
  const look = createLook(search)
  for (const pid of pids()) look.at(pid)
  return look.found()
}
