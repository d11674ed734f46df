// How often a login may be tried. Counts tries, right or wrong, over a sliding minute; keeps nothing longer.
import { ownerOf } from '../platform/client-address.ts'

const WINDOW_MS = 60_000
/** All addresses together also bounds what is remembered: a try beyond it is refused before it is noted. */
const LIMIT = { perAddress: 5, total: 30 } as const

export interface LoginLimit {
  /** Notes a try. Answers 0 when it may go on, else how many seconds to wait. */
  take(address: string): number
  /** Forgets the tries of an address that has logged in. */
  forgive(address: string): void
}

/** `clock` in milliseconds. */
export const createLoginLimit = ({ clock }: { clock: () => number }): LoginLimit => {
  let tries: Array<{ owner: string; at: number }> = []

  return {
    take(address) {
      const now = clock()
      tries = tries.filter(one => one.at > now - WINDOW_MS)
      const owner = ownerOf(address)
      const own = tries.filter(one => one.owner === owner)
      const full = own.length >= LIMIT.perAddress ? own : tries.length >= LIMIT.total ? tries : null
      if (!full) {
        tries.push({ owner, at: now })
        return 0
      }
      const oldest = full[0]?.at ?? now
      return Math.max(1, Math.ceil((oldest + WINDOW_MS - now) / 1000))
    },

    forgive(address) {
      const owner = ownerOf(address)
      tries = tries.filter(one => one.owner !== owner)
    },
  }
}
