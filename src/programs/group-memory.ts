// How much memory a program holds together with its group and all its descendants, from /proc. Elsewhere than on Linux
// nothing is known of it.
import { readdirSync, readFileSync } from 'node:fs'
import { readProcess } from '../platform/process-proof.ts'

/** The number in a line such as `Pss:   1234 kB`, in bytes; null: there is no such line. */
const kilobytesIn = (text: string, name: string): number | null => {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)
  return found ? Number(found[1]) * 1024 : null
}

const read = (pid: number, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    // it has ended, or belongs to another user
    return ''
  }
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

/** The leader, the members of its group, and the descendants of both. */
export const membersOf = (leader: number): number[] => {
  const states = pids().flatMap(pid => {
    const state = readProcess(pid)
    return state ? [{ pid, ...state }] : []
  })
  const members = new Set(
    states.filter(({ pid, group }) => pid === leader || group === leader).map(({ pid }) => pid),
  )
  for (let size = -1; size !== members.size; ) {
    size = members.size
    for (const { pid, parent } of states) if (members.has(parent)) members.add(pid)
  }
  return [...members]
}

/** What is in memory of it, with what it shares with others. */
const residentOf = (pid: number): number => kilobytesIn(read(pid, 'status'), 'VmRSS') ?? 0
/** What it shares counts in parts; costs more to find out, the more memory it has. */
const proportionalOf = (pid: number): number =>
  kilobytesIn(read(pid, 'smaps_rollup'), 'Pss') ?? residentOf(pid)

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/**
 * Bytes. What processes share, such as those of a pool that were forked, counts once; that is looked at only where it
 * matters, since it costs more: above `limit`.
 */
export const memoryOfGroup = (leader: number, limit: number): number => {
  const members = membersOf(leader)
  const resident = sum(members.map(residentOf))
  return resident <= limit ? resident : sum(members.map(proportionalOf))
}

const EVERY_MS = 500
/** Looking may take a twentieth of the time. */
const SHARE = 20

/** Looks twice a second until it is stopped. `onOver` is called once, with the bytes, when there are more than `limit`. */
export const watchMemory = (leader: number, limit: number, onOver: (bytes: number) => void) => {
  let timer: NodeJS.Timeout | undefined
  const look = (): void => {
    const begun = performance.now()
    const bytes = memoryOfGroup(leader, limit)
    if (bytes > limit) onOver(bytes)
    else timer = setTimeout(look, Math.max(EVERY_MS, (performance.now() - begun) * SHARE))
  }
  timer = setTimeout(look, EVERY_MS)
  return { stop: (): void => clearTimeout(timer) }
}
