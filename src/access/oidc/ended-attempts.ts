// Which sign-ins are over, so that none is used twice: also by two that come back at once, and when the provider would
// take a code again. A document is written only for what a provider has vouched for, so strangers write none.
import { createHash } from 'node:crypto'
import { openCollection } from '../../core/collection.ts'
import { ENDED_SIGN_INS } from '../../core/collections.ts'
import type { Documents } from '../../core/documents.ts'
import { isMadhavaError, MadhavaError } from '../../core/errors.ts'
import type { Attempt } from './attempt.ts'

/** How much longer than its attempt a document is kept. */
const KEPT_MS = 5 * 60_000

/** Ends an attempt, once for all hosts. @throws OIDC_STATE_INVALID when it was over, STORE_UNAVAILABLE, STORE_FULL */
export const openEndedAttempts = (
  documents: Documents,
): ((attempt: Pick<Attempt, 'state' | 'until'>) => Promise<void>) => {
  const collection = openCollection(documents, 'ended-sign-ins', ENDED_SIGN_INS)
  return async ({ state, until }) => {
    const name = createHash('sha256').update(state).digest('hex')
    const expiresAt = new Date(until + KEPT_MS).toISOString()
    await collection.put(name, { data: {}, expiresAt }, null).catch((error: unknown) => {
      throw isMadhavaError(error, 'DOCUMENT_CHANGED') ? new MadhavaError('OIDC_STATE_INVALID') : error
    })
  }
}
