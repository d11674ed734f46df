// Begins a session of an account, whatever has shown who it is. An account has so many at most.
import type { TypedDocument } from '../core/collection.ts'
import { ADDRESS_MAX, AGENT_MAX, type Session } from '../core/credential-forms.ts'
import { cutText } from '../core/cut-text.ts'
import { isMadhavaError } from '../core/errors.ts'
import type { Origin } from './access.ts'
import { type AccountDocument, isBoundTo, passwordMark } from './account.ts'
import type { Credentials } from './credentials.ts'
import { newToken } from './tokens.ts'

/** `token` is shown this once. @throws STORE_UNAVAILABLE, STORE_FULL */
export type BeginSession = (
  account: AccountDocument,
  origin: Origin,
) => Promise<{ token: string; expiresAt: string }>

interface SessionBeginDeps {
  credentials: Pick<Credentials, 'sessions' | 'sessionsOf' | 'hasExpired'>
  /** The store's. */
  clock: () => Date
}

const LIFETIME_MS = 12 * 60 * 60 * 1000
/** Of one account. A program that logs in again and again ends its own oldest ones. */
const SESSIONS_MAX = 100

const cutOr = (text: string | null, units: number): string | null =>
  text === null ? null : cutText(text, units)

/** Whether a session of the account is valid now. */
export const isValidSession = (
  session: TypedDocument<Session>,
  account: AccountDocument,
  hasExpired: Credentials['hasExpired'],
): boolean => !hasExpired(session) && isBoundTo(session.data, account.data)

export const createSessionBegin = ({
  credentials: { sessions, sessionsOf, hasExpired },
  clock,
}: SessionBeginDeps): BeginSession => {
  const remove = async ({ name, rev }: TypedDocument<Session>): Promise<void> => {
    await sessions.remove(name, rev).catch((error: unknown) => {
      // somebody else has ended it, or has given it another end
      if (!isMadhavaError(error, 'DOCUMENT_CHANGED')) throw error
    })
  }

  /** Makes room for one more: what has ended goes, then the oldest. */
  const makeRoom = async (account: AccountDocument): Promise<void> => {
    const all = await sessionsOf(account.name)
    if (all.length < SESSIONS_MAX) return
    const isValid = (one: TypedDocument<Session>): boolean => isValidSession(one, account, hasExpired)
    const [valid, ended] = [all.filter(isValid), all.filter(one => !isValid(one))]
    const oldest = valid
      .sort((a, b) => (a.data.createdAt < b.data.createdAt ? -1 : 1))
      .slice(0, Math.max(0, valid.length - SESSIONS_MAX + 1))
    for (const one of [...ended, ...oldest]) await remove(one)
  }

  return async (account, { address, agent }) => {
    await makeRoom(account)
    const { id, token, hash } = newToken('session', account.name)
    const now = clock()
    const expiresAt = new Date(now.getTime() + LIFETIME_MS).toISOString()
    const data = {
      account: account.name,
      hash,
      password: passwordMark(account.data),
      createdAt: now.toISOString(),
      address: cutOr(address, ADDRESS_MAX),
      agent: cutOr(agent, AGENT_MAX),
    }
    await sessions.put(id, { data, expiresAt }, null)
    return { token, expiresAt }
  }
}
