// Which sign-ins are over, so that none is used twice: also by two that come back at once, and when the provider would
// take a code again. A document is written only for what a provider has vouched for, so strangers write none.
import { createHash } from 'node:crypto'
import { openCollection, orIfInvalid } from '../../core/collection.ts'
import { ENDED_SIGN_INS } from '../../core/collections.ts'
import type { Documents } from '../../core/documents.ts'
import { isMadhavaError, MadhavaError } from '../../core/errors.ts'
import type { Attempt } from './attempt.ts'

/** How much longer than its attempt a document is kept. */
const KEPT_MS = 5 * 60_000

export interface EndedAttempts {
  /** Whether it is over: then nobody need be asked about it. @throws STORE_UNAVAILABLE */
  has(attempt: Pick<Attempt, 'state'>): Promise<boolean>
  /** Ends an attempt, once for all hosts. @throws OIDC_STATE_INVALID when it was over, STORE_UNAVAILABLE, STORE_FULL */
  add(attempt: Pick<Attempt, 'state' | 'until'>): Promise<void>
}

const nameOf = (state: string): string => createHash('sha256').update(state).digest('hex')

export const openEndedAttempts = (documents: Documents): EndedAttempts => {
  const collection = openCollection(documents, 'ended-sign-ins', ENDED_SIGN_INS)
  return {
    has: async ({ state }) => (await orIfInvalid(collection.get(nameOf(state)), () => 'broken')) !== null,

    async add({ state, until }) {
      const expiresAt = new Date(until + KEPT_MS).toISOString()
      await collection.put(nameOf(state), { data: {}, expiresAt }, null).catch((error: unknown) => {
        throw isMadhavaError(error, 'DOCUMENT_CHANGED') ? new MadhavaError('OIDC_STATE_INVALID') : error
      })
    },
  }
}
