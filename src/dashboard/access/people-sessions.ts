// Sessions of accounts at the dashboard: the token of a login is read afresh for each request. While the store is away,
// what this process has seen some minutes ago still counts. It knows no cookies and no passwords.
import { createHash } from 'node:crypto'
import type { Access } from '../../access/access.ts'
import type { Actor } from '../../core/actor.ts'
import { isMadhavaError } from '../../core/errors.ts'
import { type Who, whoIs } from './rights.ts'
import { type Session, sign, textOf } from './signatures.ts'

/** Who has a session, and the session. */
export interface PersonSession {
  who: Who
  session: Session
}

export interface PeopleSessions {
  /** Null: there is no such session, or no more. @throws STORE_UNAVAILABLE while nobody can say */
  check(token: string | undefined): Promise<PersonSession | null>
  /** Ends it. If it rejects, the end is not stored, but this process knows it. @throws STORE_UNAVAILABLE */
  end(token: string): Promise<void>
}

export interface PeopleSessionsOptions {
  access: Pick<Access, 'identify' | 'me' | 'logOut'>
  /** What signs the tokens of forms. */
  key: Buffer
  /** The store's time, milliseconds since 1970. */
  clock: () => number
  /** Milliseconds of a monotonic clock. */
  steady: () => number
}

/** How long what was seen last counts while the store is away. */
export const SEEN_COUNTS_MS = 5 * 60_000
const REMEMBERED_MAX = 10_000

interface Seen {
  who: Who
  /** Milliseconds since 1970. */
  expiresAt: number
  seenAt: number
}

/** Puts the key at the end, and drops the oldest of too many. */
const remember = <T>(map: Map<string, T>, key: string, value: T): void => {
  map.delete(key)
  map.set(key, value)
  if (map.size <= REMEMBERED_MAX) return
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}

const markOf = (token: string): string => createHash('sha256').update(token).digest('hex')

export const createPeopleSessions = ({
  access,
  key,
  clock,
  steady,
}: PeopleSessionsOptions): PeopleSessions => {
  const seen = new Map<string, Seen>()
  const ended = new Map<string, true>()

  /** The actor of a session. Null for a key, which is for programs at the other APIs. @throws as `identify` */
  const identify = async (token: string): Promise<(Actor & { credential: { id: string } }) | null> => {
    const actor = await access.identify(token, 'dashboard')
    const { credential } = actor
    return credential?.type === 'session' ? { ...actor, credential } : null
  }

  const endOf = async (actor: Actor): Promise<number> => {
    const { expiresAt } = await access.me(actor)
    return expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(expiresAt)
  }

  const show = ({ who, expiresAt }: Seen): PersonSession => ({
    who,
    session: {
      expiresAt,
      // of the session itself, so that a form of an earlier one is of no use
      formToken: textOf(sign(key, 'form of an account', who.actor.credential?.id ?? '')),
    },
  })

  const look = async (token: string, mark: string): Promise<Seen | null> => {
    const before = seen.get(mark)
    try {
      const actor = await identify(token)
      const who = actor && whoIs(actor)
      if (!actor || !who) return null
      const now = { who, expiresAt: before?.expiresAt ?? (await endOf(actor)), seenAt: steady() }
      remember(seen, mark, now)
      return now
    } catch (error) {
      if (isMadhavaError(error, 'UNAUTHORIZED')) {
        seen.delete(mark)
        return null
      }
      const counts = before && steady() - before.seenAt < SEEN_COUNTS_MS && before.expiresAt > clock()
      if (counts && isMadhavaError(error, 'STORE_UNAVAILABLE')) return before
      throw error
    }
  }

  return {
    async check(token) {
      if (token === undefined || token === '') return null
      const mark = markOf(token)
      if (ended.has(mark)) return null
      const found = await look(token, mark)
      // it may have been ended meanwhile
      return found && !ended.has(mark) ? show(found) : null
    },

    async end(token) {
      const mark = markOf(token)
      remember(ended, mark, true)
      seen.delete(mark)
      try {
        const actor = await identify(token)
        if (actor) await access.logOut(actor)
      } catch (error) {
        if (!isMadhavaError(error, 'UNAUTHORIZED')) throw error
      }
    },
  }
}
