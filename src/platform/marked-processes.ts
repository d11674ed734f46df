// Finds processes by a variable of their environment, which descendants inherit, and by kinship with those found.
// It knows Linux (`/proc`); elsewhere nothing is found. It ends none.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
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
/** How often, and how long apart in milliseconds, one is looked at that is just becoming another program. */
const BECOMING_TRIES = 50
const BECOMING_MS = 2

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

const read = (pid: number, file: 'environ' | 'cmdline'): Buffer => readFileSync(`/proc/${pid}/${file}`)

/**
 * While a process becomes another program, its environment and its arguments are empty for a moment, and nobody can
 * tell whose it is. One with arguments may just have become it, so its environment is read again, so often.
 */
const READINGS = 4
const BECOMING = Symbol('becoming another program')
/** Null where it has none, is gone, or belongs to somebody into whose processes this one may not look. */
const readValue = (pid: number, name: string): string | null | typeof BECOMING => {
  try {
    for (let reading = 0; reading < READINGS; reading += 1) {
      const environ = read(pid, 'environ')
      if (environ.length > 0) return valueIn(environ, name)
      if (read(pid, 'cmdline').length === 0) return BECOMING
    }
    return null
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
  const becoming = new Set<number>()
  return {
    /** Those that have to be looked at once more. */
    becoming,
    at(pid: number): void {
      becoming.delete(pid)
      // whoever looks and the first process of the machine are nobody's descendants
      if (pid === process.pid || pid === 1) return
      const state = readProcess(pid)
      if (!state || state.state === 'Z' || state.state === 'X' || Number(state.startedTicks) < sinceTicks)
        return
      seen.set(pid, { pid, ...state })
      const value = readValue(pid, name)
      if (groups.includes(state.group)) found.add(pid)
      else if (value === BECOMING) {
        // Linux's own processes have neither environment nor arguments at any time
        if (!state.isKernel) becoming.add(pid)
      } else if (value !== null && isWanted(value, () => ownerOf(pid))) found.add(pid)
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
  for (let tries = 0; look.becoming.size > 0 && tries < BECOMING_TRIES; tries += 1) {
    await wait(BECOMING_MS)
    for (const pid of [...look.becoming]) look.at(pid)
  }
  return look.found()
}

/** All in one go: for a process that is about to exit. */
export const findMarkedNow = (search: Search): FoundProcess[] => {
  const look = createLook(search)
  for (const pid of pids()) look.at(pid)
  const clock = new Int32Array(new SharedArrayBuffer(4))
  for (let tries = 0; look.becoming.size > 0 && tries < BECOMING_TRIES; tries += 1) {
    Atomics.wait(clock, 0, 0, BECOMING_MS)
    for (const pid of [...look.becoming]) look.at(pid)
  }
  return look.found()
}
