// Who has opened the memory: each store's presence and whether it is alive. Knows no tasks.
import type { Presence, PresenceDetails, SeenPresence } from '../../core/store.ts'

const BEAT_MS = 500

/** One opened store, as the others see it. */
export interface Owner {
  readonly instance: string
  alive: boolean
  presence: Presence | null
}

export interface Member {
  readonly owner: Owner
  announce(role: string, details: () => PresenceDetails): void
  /** Takes the presence away. */
  withdraw(): void
  /** The beat ends, as it does when a process is killed; the presence stays where it is. */
  fallSilent(): void
}

/** Joins the owners as a new one. */
export const join = (
  owners: Set<Owner>,
  { instance, host, clock }: { instance: string; host: string; clock: () => Date },
): Member => {
  const owner: Owner = { instance, alive: true, presence: null }
  owners.add(owner)
  const startedAt = clock().toISOString()
  let timer: NodeJS.Timeout | null = null
  const fallSilent = (): void => {
    if (timer) clearInterval(timer)
  }
  return {
    owner,
    announce(role, details) {
      const beat = (): void => {
        const beatAt = clock().toISOString()
        owner.presence = {
          instance,
          role,
          host,
          pid: process.pid,
          startedAt,
          beatAt,
          details: structuredClone(details()),
        }
      }
      beat()
      fallSilent()
      timer = setInterval(beat, BEAT_MS).unref()
    },
    withdraw() {
      fallSilent()
      owner.presence = null
    },
    fallSilent,
  }
}

export const seenBy = (owners: Iterable<Owner>): SeenPresence[] =>
  [...owners].flatMap(({ presence, alive }) => (presence ? { ...structuredClone(presence), alive } : []))
