// Limits login tries from one address. Counts tries, right or wrong, over a sliding minute, and forgets older ones.
// There is no limit for all addresses together: anyone could use it to lock everyone out. operator.ts bounds their
// total cost.
import { clientKeyOf } from '../../platform/client-address.ts'

const WINDOW_MS = 60_000
const TRIES_MAX = 5
/** A client with more addresses than this, whose oldest are forgotten, gains little: checks are one at a time. */
const CLIENTS_MAX = 10_000

export interface LoginLimit {
  /** Counts a try. Returns 0 if it may go on, else how many seconds to wait. */
  take(address: string): number
  /** Tries of an address in the last minute. */
  tries(address: string): number
  /** Forgets the tries of an address that has logged in. */
  forgive(address: string): void
}

/** `clock` in milliseconds. */
export const createLoginLimit = ({ clock }: { clock: () => number }): LoginLimit => {
  /** When each client has tried; the one that tried last is at the end. */
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
