// Guards what checks or hashes a password: how often an address may try, and whose turn it is. It knows no documents
// and no passwords.
import { createHash } from 'node:crypto'
import type { Semaphore } from '../core/async/semaphore.ts'
import { isMadhavaError, MadhavaError } from '../core/errors.ts'
import type { Log } from '../platform/log.ts'
import type { LoginLimit } from './login-limit.ts'

/** A try: where it comes from, and the name or account that it is about. */
export interface Try {
  address: string | null
  about: string
}

export interface Guard {
  /** @throws TOO_MANY_REQUESTS with `detail.retryAfterSeconds` when the address tries too often */
  count(tried: Try): Promise<void>
  /**
   * Does the work when it is its turn. Of those that wait, the address with the fewest recent tries is next; among
   * equals the one about an account that was tried least. An address that has logged in as this account is ranked as if
   * nobody else had tried it. So whoever guesses, from however many addresses, makes others wait and locks nobody out.
   * @throws TOO_MANY_REQUESTS with `detail.retryAfterSeconds` when too many wait, what the work throws
   */
  inTurn<T>(tried: Try, work: () => Promise<T>): Promise<T>
  /** The try was right: it no longer counts, and the address is known for this account. */
  forgive(tried: Try): void
}

interface GuardDeps {
  limit: LoginLimit
  inTurn: Semaphore
  log: Pick<Log, 'warn'>
  /** Milliseconds of a monotonic clock. */
  steady: () => number
}

const WINDOW_MS = 60_000
/** Of how many accounts the tries are counted, and how many addresses are known. */
const REMEMBERED_MAX = 10_000
/** More tries of one account in a minute make no difference. */
const TRIES_MAX = 999
/** About how long a full queue takes. */
const QUEUE_SECONDS = 10

/**
 * Clients of whom nobody knows the address do not use up each other's tries of other accounts. Hashed: a name that is
 * nobody's may be a password in the wrong field, and the store keeps this for a minute.
 */
const addressOf = ({ address, about }: Try): string =>
  address ?? `unknown, about ${createHash('sha256').update(about).digest('hex')}`

const tooMany = (seconds: number): MadhavaError =>
  new MadhavaError('TOO_MANY_REQUESTS', `Too many tries. Wait ${seconds} seconds and try again`, {
    detail: { retryAfterSeconds: seconds },
  })

/** Puts the key at the end, and drops the oldest of too many. */
const remember = <T>(map: Map<string, T>, key: string, value: T): void => {
  map.delete(key)
  map.set(key, value)
  if (map.size <= REMEMBERED_MAX) return
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}

export const createGuard = ({ limit, inTurn, log, steady }: GuardDeps): Guard => {
  /** When each account was tried. */
  const triesOf = new Map<string, number[]>()
  /** Addresses from which somebody has logged in, each with the account. */
  const known = new Map<string, true>()
  const pairOf = (tried: Try): string => JSON.stringify([addressOf(tried), tried.about])

  const recent = (about: string): number[] =>
    (triesOf.get(about) ?? []).filter(at => at > steady() - WINDOW_MS)

  const rankOf = (tried: Try): number => {
    const ofAddress = limit.tries(addressOf(tried))
    const ofAccount = known.has(pairOf(tried)) ? 0 : recent(tried.about).length
    return ofAddress * (TRIES_MAX + 1) + ofAccount
  }

  return {
    async count(tried) {
      const address = addressOf(tried)
      const putOff = (seconds: number): void => {
        if (seconds === 0) return
        log.warn({ address: tried.address }, 'a login was put off: too many tries')
        throw tooMany(seconds)
      }
      putOff(limit.take(address, tried.about))
      remember(triesOf, tried.about, [...recent(tried.about), steady()].slice(-TRIES_MAX))
      putOff(await limit.takeEverywhere(address, tried.about))
    },

    async inTurn(tried, work) {
      let hasBegun = false
      try {
        return await inTurn(() => {
          hasBegun = true
          return work()
        }, rankOf(tried))
      } catch (error) {
        if (hasBegun || !isMadhavaError(error, 'TOO_MANY_REQUESTS')) throw error
        throw tooMany(QUEUE_SECONDS)
      }
    },

    forgive(tried) {
      limit.forgive(addressOf(tried), tried.about)
      remember(known, pairOf(tried), true)
    },
  }
}
