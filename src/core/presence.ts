// What a process publishes about itself in the store.
import type { Failures } from './failures.ts'
import type { KindTrouble } from './kind-trouble.ts'
import type { Timings } from './timings.ts'

/** One process's entry. `beatAt` moves while it is well; `details` is for people and metrics. */
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
  /** Host and port where the role listens, if it does. */
  address: string | null
  /** How many tasks it may run at a time; 0 for roles that run none. */
  slots: number
  /** Ids of the tasks it runs. */
  running: string[]
  /** Names the start that the process belongs to: several bundles may share a store. */
  bundle?: string
  /** Totals since its start, by name. */
  counters: Record<string, number>
  /** How long tasks waited and ran since its start, by kind. Only roles that run tasks have it. */
  timings?: Timings
  /** Tasks that it ended in FAILURE since its start. Only roles that run tasks have it. */
  failures?: Failures
  /** The kinds it can run. Only roles that run tasks have it. */
  kinds?: string[]
  /** Equal for two processes that use the same files of kinds (core/kind-sets.ts). */
  kindsCode?: string
  /** How many of `running` are of each kind; kinds without any are left out. Only roles that run tasks have it. */
  runningByKind?: Record<string, number>
  /** Why it begins no task now though slots are free, for people; left out while it does. */
  takesNone?: string
  /** The limits of its kinds; kinds without limits are left out. `rate` as in the kind's file. */
  kindLimits?: Record<string, { maxConcurrency: number | null; rate: string | null }>
  /** Kinds whose files it could not load; left out when there are none. */
  kindsInTrouble?: KindTrouble[]
  /** When the kinds in use were put in use, ISO-8601. */
  kindsUsedAt?: string
  rssBytes: number
  /** Share of one core since the last beat; 1 is one core. */
  cpu: number
  /** What is wrong with its dependencies, by name (`queue`, `store`, `clock`, `retention`, `kinds`); empty when all is well. */
  troubles: Record<string, string>
}

/** A presence as others see it. The store says at each reading whether the process is alive. */
export type SeenPresence = Presence & { alive: boolean }
