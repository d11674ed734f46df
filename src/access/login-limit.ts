// Limits login tries from one address. Counts tries, right or wrong, over a sliding minute, and forgets older ones. With
// a store, what other processes and hosts have counted in this minute counts too.
// There is no limit for all addresses together: anyone could use it to lock everyone out. check-queue.ts bounds their
// total cost.
import type { Rates } from '../core/store.ts'
import { clientKeyOf } from '../platform/client-address.ts'

const WINDOW_MS = 60_000
const TRIES_MAX = 5
/** A client with more addresses than this, whose oldest are forgotten, gains little: checks are one at a time. */
const CLIENTS_MAX = 10_000

/** A longer name is nobody's. */
const NAME_KEPT = 200
const cut = (name: string): string => name.slice(0, NAME_KEPT)

interface Try {
  at: number
  name: string
  /** Takes back what the store has counted of it; null: it has not. */
  giveBack: (() => Promise<void>) | null
}

export interface LoginLimit {
  /** Counts a try for this name, in this process. Returns 0 if it may go on, else how many seconds to wait. */
  take(address: string, name?: string): number
  /** The same for all processes of the store, of a try that `take` has let through. */
  takeEverywhere(address: string, name?: string): Promise<number>
  /** Tries of an address in the last minute. */
  tries(address: string): number
  /**
   * Forgets the tries of an address for a name that it has logged in as. Those for other names stay: who has an account
   * must not try others without end.
   */
  forgive(address: string, name?: string): void
}

interface LoginLimitDeps {
  /** Milliseconds. */
  clock: () => number
  /** Of the store. While it cannot be asked, each process counts for itself. */
  shared?: Rates | null
}

const sharedName = (clientKey: string): string => `login:${clientKey}`

export const createLoginLimit = ({ clock, shared = null }: LoginLimitDeps): LoginLimit => {
  /** When each client has tried; the one that tried last is at the end. */
  const clientKeys = new Map<string, Try[]>()

  const recent = (clientKey: string): Try[] => {
    const now = clock()
    return (clientKeys.get(clientKey) ?? []).filter(({ at }) => at > now - WINDOW_MS)
  }
  const forgetOld = (): void => {
    const now = clock()
    for (const [clientKey, tries] of clientKeys) {
      if (clientKeys.size <= CLIENTS_MAX && (tries.at(-1)?.at ?? 0) > now - WINDOW_MS) return
      clientKeys.delete(clientKey)
    }
  }

  return {
    take(address, name = '') {
      const clientKey = clientKeyOf(address)
      const own = recent(clientKey)
      if (own.length >= TRIES_MAX)
        return Math.max(1, Math.ceil(((own[0]?.at ?? 0) + WINDOW_MS - clock()) / 1000))
      clientKeys.delete(clientKey)
      clientKeys.set(clientKey, [...own, { at: clock(), name: cut(name), giveBack: null }])
      forgetOld()
      return 0
    },
    async takeEverywhere(address, name = '') {
      const clientKey = clientKeyOf(address)
      const taken = await shared?.take(sharedName(clientKey), 1, TRIES_MAX).catch(() => null)
      if (!taken) return 0
      if (!taken.allowed) return Math.max(1, Math.ceil(taken.resetMs / 1000))
      const own = recent(clientKey).find(one => one.name === cut(name) && one.giveBack === null)
      if (own) own.giveBack = taken.giveBack
      return 0
    },
    tries: address => recent(clientKeyOf(address)).length,
    forgive(address, name = '') {
      const clientKey = clientKeyOf(address)
      const tries = recent(clientKey)
      const left = tries.filter(one => one.name !== cut(name))
      // the one that was right: what others have counted meanwhile stays
      const right = tries.filter(one => one.name === cut(name) && one.giveBack !== null).at(-1)
      right?.giveBack?.().catch(() => {})
      if (left.length === 0) clientKeys.delete(clientKey)
      else clientKeys.set(clientKey, left)
    },
  }
}
