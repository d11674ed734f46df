// What a process tells all others of itself, by the store.
import type { Failures } from './failures.ts'
import type { KindTrouble } from './kind-trouble.ts'
import type { Timings } from './timings.ts'

/** A process's own entry. `beatAt` moves while it is well; `details` is for people and metrics. */
export interface Presence {
  instance: string
  role: string
  host: string
  pid: number
  startedAt: string
  beatAt: string
  details: PresenceDetails
}

export interface PresenceDetails {
  /** Host and port of the door, where the role has one. */
  address: string | null
  /** How many tasks it may run at a time; 0 for roles that run none. */
  slots: number
  /** Ids of the tasks it runs. */
  running: string[]
  /** A word of the start that the process belongs to: several bundles may share a store. */
  bundle?: string
  /** Running totals since its start, by name. */
  counters: Record<string, number>
  /** Waits and runs of tasks since its start, by kind; left out by roles that run none. */
  timings?: Timings
  /** Tasks that ended in FAILURE by it since its start; left out by roles that run none. */
  failures?: Failures
  /** The kinds it can run; left out by roles that run none. */
  kinds?: string[]
  /** Kinds whose files it could not use; left out when there are none. */
  kindsInTrouble?: KindTrouble[]
  rssBytes: number
  /** Share of one core since the last beat, 1 = one core. */
  cpu: number
  /** What is wrong with what it depends on, by name (`queue`, `store`, `clock`, `kinds`); empty when all is well. */
  troubles: Record<string, string>
}

/** A presence as others see it: the store says, each time anew, whether its process is alive. */
export type SeenPresence = Presence & { alive: boolean }
