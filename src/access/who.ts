// What a call of this room needs of the one who asks, beyond a scope: an account, a session. Pure; scopes are demanded
// in core/policy.ts.
import type { Actor } from '../core/actor.ts'
import { MadhavaError } from '../core/errors.ts'

/** The id of the actor's account. @throws UNAUTHORIZED */
export const accountOf = ({ account }: Actor): string => {
  if (account !== null) return account
  throw new MadhavaError('UNAUTHORIZED', 'Log in: this concerns an account')
}

/** As `accountOf`, for what only people do, and no key. @throws UNAUTHORIZED, FORBIDDEN */
export const personOf = (actor: Actor): string => {
  const account = accountOf(actor)
  if (actor.credential?.type !== 'key') return account
  throw new MadhavaError('FORBIDDEN', 'A key may not do this: log in with name and password')
}

/** The id of the session that the actor has shown. @throws UNAUTHORIZED when it was none */
export const sessionOf = ({ credential }: Actor): string => {
  if (credential?.type === 'session') return credential.id
  throw new MadhavaError('UNAUTHORIZED', 'This needs a login with name and password, and no key')
}
