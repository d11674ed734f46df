// Sessions that were ended by a logout, kept for as long as their cookies are valid, and a day. Each is a document
// named by the hash of the cookie without its signature, so reading it gives no access.
import { createHash } from 'node:crypto'
import { openCollection } from '../../core/collection.ts'
import { ENDED_SESSIONS } from '../../core/collections.ts'
import type { Documents } from '../../core/documents.ts'
import { isMadhavaError } from '../../core/errors.ts'

/** Kept beyond the cookie's end, so that a clock that steps back does not revive a session. */
const KEEP_AFTER_MS = 24 * 60 * 60 * 1000
/** Of how many sessions this process remembers that they had not ended, or that they ended here. */
const REMEMBERED_MAX = 10_000

/** A cookie without its signature, and its end in milliseconds since 1970. */
export interface SessionName {
  body: string
  expiresAt: number
}

export interface EndedSessions {
  /** Resolves when it is durable. If it rejects, the session has still ended for this process. */
  add(session: SessionName): Promise<void>
  /**
   * While the store is away, a session that began here or has been looked up before counts as it did.
   * @throws STORE_UNAVAILABLE for any other then
   */
  has(session: SessionName): Promise<boolean>
  /** The session has just begun, so it has not ended. */
  begun(session: SessionName): void
}

/** The name of the document that says that it has ended. */
export const nameOfEnded = ({ body }: Pick<SessionName, 'body'>): string =>
  createHash('sha256').update(body).digest('hex')

export const openEndedSessions = (documents: Documents): EndedSessions => {
  const collection = openCollection(documents, 'ended-sessions', ENDED_SESSIONS)
  /** By name: whether it has ended, as far as this process knows. The last one that was asked for is the last. */
  const known = new Map<string, boolean>()
  const note = (name: string, hasEnded: boolean): void => {
    // an end is never taken back, not even by a look that began before it
    const ended = hasEnded || known.get(name) === true
    known.delete(name)
    known.set(name, ended)
    if (known.size <= REMEMBERED_MAX) return
    const [oldest] = known.keys()
    if (oldest !== undefined) known.delete(oldest)
  }

  return {
    async add(session) {
      const name = nameOfEnded(session)
      note(name, true)
      const expiresAt = new Date(session.expiresAt + KEEP_AFTER_MS).toISOString()
      await collection.put(name, { data: {}, expiresAt }, 'any')
    },

    async has(session) {
      const name = nameOfEnded(session)
      if (known.get(name) === true) return true
      try {
        note(name, (await collection.get(name)) !== null)
      } catch (error) {
        // whatever stands in its place, somebody ended it
        if (isMadhavaError(error, 'DOCUMENT_INVALID')) note(name, true)
        else if (!isMadhavaError(error, 'STORE_UNAVAILABLE') || !known.has(name)) throw error
      }
      return known.get(name) === true
    },

    begun: session => note(nameOfEnded(session), false),
  }
}
