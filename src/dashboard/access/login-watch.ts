// Tells what stays open that the login of a built-in one has ended: a session, which is a signed cookie, or the password
// that a program has shown. A logout here tells it at once, one elsewhere by the feed of the store. For logins of
// accounts `Access` does the same.
import { createHash } from 'node:crypto'
import type { BuiltInLogin } from '../../access/account.ts'
import type { Watch } from '../../access/watch.ts'
import type { LoginWatch } from '../../api/streams.ts'
import { type Accounts, whoOfLogin } from './accounts.ts'
import { nameOfEnded } from './ended-sessions.ts'
import { bodyOfCookie, type Sessions } from './session.ts'

export interface LoginWatches {
  /** Of a session that the cookie has just shown. */
  ofSession(cookie: string, login: BuiltInLogin): LoginWatch
  /** @param bound the credential that the password was right for */
  ofPassword(login: BuiltInLogin, bound: string): LoginWatch
  /** As `Sessions.end`. What is open in this process ends without waiting for the store. */
  end(cookie: string): Promise<void>
}

export interface LoginWatchesOptions {
  watching: Watch
  sessions: Pick<Sessions, 'check' | 'end'>
  credential: Accounts['credential']
}

/** What the end of a session is kept as. */
const nameOf = (cookie: string): string => nameOfEnded({ body: bodyOfCookie(cookie) ?? '' })
const keyOf = (cookie: string): string => `cookie ${nameOf(cookie)}`

export const createLoginWatches = ({ watching, sessions, credential }: LoginWatchesOptions): LoginWatches => {
  const standingOf = (login: BuiltInLogin, expiresAt: string | null) => ({
    actorFor: () => whoOfLogin(login).actor,
    expiresAt,
  })
  return {
    ofSession: (cookie, login) =>
      watching.watch(
        {
          key: keyOf(cookie),
          documents: [
            { collection: 'ended-sessions', name: nameOf(cookie) },
            { collection: 'accounts', name: login },
          ],
          async read() {
            const session = await sessions.check(cookie)
            return session && standingOf(session.login, new Date(session.expiresAt).toISOString())
          },
        },
        whoOfLogin(login).actor,
      ),

    ofPassword: (login, bound) =>
      watching.watch(
        {
          key: `password ${login} ${createHash('sha256').update(bound).digest('hex')}`,
          documents: [{ collection: 'accounts', name: login }],
          read: async () => ((await credential(login)) === bound ? standingOf(login, null) : null),
        },
        whoOfLogin(login).actor,
      ),

    async end(cookie) {
      const ending = sessions.end(cookie)
      watching.look(keyOf(cookie))
      await ending
    },
  }
}
