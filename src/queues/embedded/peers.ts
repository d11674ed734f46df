// Which of the living workers looks first for a task: rendezvous hashing, so that all agree without talking.
import { createHash } from 'node:crypto'
import type { TaskStore } from '../../core/store.ts'

/** Highest random weight (Thaler and Ravishankar, 1998): each pair has its own pseudo-random weight. */
const weight = (id: string, instance: string): number =>
  createHash('sha1').update(id).update('\0').update(instance).digest().readUInt32BE()

/**
 * How many of `instances` come before `self` for this task: 0 for exactly one of them. Every caller with the same
 * set gets the same order; a member that leaves does not change the order of the others.
 */
export const rankOf = (id: string, self: string, instances: Iterable<string>): number => {
  const mine = weight(id, self)
  let rank = 0
  for (const other of instances) {
    if (other === self) continue
    const theirs = weight(id, other)
    if (theirs > mine || (theirs === mine && other < self)) rank++
  }
  return rank
}

export interface Peers {
  /** Instances of the living workers, as seen not longer than a second ago. Never rejects. */
  current(): Promise<ReadonlySet<string>>
}

const FRESH_MS = 1_000

/** Presences are read when asked for, at most once a second; those last seen stand in while the store fails. */
export const createPeers = (store: TaskStore): Peers => {
  let seen: ReadonlySet<string> = new Set()
  let seenAt = Number.NEGATIVE_INFINITY
  let reading: Promise<ReadonlySet<string>> | null = null
  const read = async (): Promise<ReadonlySet<string>> => {
    try {
      const presences = await store.presences()
      seen = new Set(
        presences.flatMap(({ role, alive, instance }) => (role === 'worker' && alive ? instance : [])),
      )
    } catch {
      // the feed runs into the same trouble, and reports it
    }
    seenAt = performance.now()
    reading = null
    return seen
  }
  return {
    current() {
      if (performance.now() - seenAt < FRESH_MS) return Promise.resolve(seen)
      reading ??= read()
      return reading
    },
  }
}
