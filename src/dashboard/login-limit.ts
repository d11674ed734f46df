// How often a login may be tried from one address. Counts tries, right or wrong, over a sliding minute; keeps nothing
// longer. There is no limit for all addresses together: with one, anybody could lock everybody out. What all of them
// may cost is bounded in operator.ts.
import { clientKeyOf } from '../platform/client-address.ts'

const WINDOW_MS = 60_000
const TRIES_MAX = 5
/** Whoever has so many addresses that the oldest of them are forgotten here gains little: checks are one at a time. */
const CLIENTS_MAX = 10_000

export interface LoginLimit {
  /** Notes a try. Answers 0 when it may go on, else how many seconds to wait. */
  take(address: string): number
  /** Tries of an address within the last minute. */
  tries(address: string): number
  /** Forgets the tries of an address that has logged in. */
  forgive(address: string): void
}

/** `clock` in milliseconds. */
export const createLoginLimit = ({ clock }: { clock: () => number }): LoginLimit => {
  /** When each clientKey has tried, the one that tried last at the end. */
  const clientKeys = new Map<string, number[]>()

  const recent = (clientKey: string): number[] => {
    const now = clock()
    return (clientKeys.get(clientKey) ?? []).filter(at => at > now - WINDOW_MS)
  }
  const forgetOld = (): void => {
    const now = clock()
    for (const [clientKey, tries] of clientKeys) {
      if (clientKeys.size <= CLIENTS_MAX && (tries.at(-1) ?? 0) > now - WINDOW_MS) return
      clientKeys.delete(clientKey)
    }
  }

  return {
    take(address) {
      const clientKey = clientKeyOf(address)
      const own = recent(clientKey)
      if (own.length >= TRIES_MAX) return Math.max(1, Math.ceil(((own[0] ?? 0) + WINDOW_MS - clock()) / 1000))
      clientKeys.delete(clientKey)
      clientKeys.set(clientKey, [...own, clock()])
      forgetOld()
      return 0
    },
    tries: address => recent(clientKeyOf(address)).length,
    forgive(address) {
      clientKeys.delete(clientKeyOf(address))
    },
  }
}
