// Sign-in by OpenID Connect from one end to the other: an attempt begins, its browser comes back, the provider says who
// it is, the groups give a role, and a session begins as after a password. It knows no HTTP.
import { createSemaphore } from '../../core/async/semaphore.ts'
import type { Documents } from '../../core/documents.ts'
import { isMadhavaError, MadhavaError } from '../../core/errors.ts'
import type { Log } from '../../platform/log.ts'
import type { Access, OidcDoor, Origin, SignInChanges } from '../access.ts'
import { showAccount } from '../account.ts'
import type { Guard } from '../guard.ts'
import { createTextSeal } from '../sealed-text.ts'
import { openedWithKey } from '../secret-key.ts'
import type { BeginSession } from '../session-begin.ts'
import { type Attempt, createAttempts, signInCookieOf } from './attempt.ts'
import { openEndedAttempts } from './ended-attempts.ts'
import type { Identities } from './identities.ts'
import { callbackOf, type OidcOptions, originOfDoor, roleOfGroups } from './options.ts'
import { type Claims, groupsOf, personOf, wantedNameOf } from './person.ts'
import { createProvider } from './provider.ts'

export interface SignInDeps {
  /** Null: it is not set up. */
  options: OidcOptions | null
  documents: Documents
  identities: Identities
  beginSession: BeginSession
  guard: Guard
  /** The store's. */
  clock: () => Date
  /** Milliseconds of a monotonic clock. */
  steady: () => number
  log: Pick<Log, 'info' | 'warn'>
}

type SignInCalls = Pick<Access, 'oidc' | 'beginSignIn' | 'endSignIn'> & { close(): void }

const KEY_NAME = 'sign-in-key'
/** Tries to sign in so are about no account. A name has no blanks. */
const ABOUT = 'sign-in by a provider'
/** How many ask the provider at once, and how many wait for that. */
const AT_A_TIME = 8
const WAITING_MAX = 50
const DOORS: readonly OidcDoor[] = ['rest', 'dashboard']

const PLAIN: SignInChanges = { make: work => work(), change: (_account, _role, work) => work() }
const notSetUp = (): MadhavaError => new MadhavaError('OIDC_NOT_SET_UP')

const OFF: SignInCalls = {
  oidc: null,
  beginSignIn: () => Promise.reject(notSetUp()),
  endSignIn: () => Promise.reject(notSetUp()),
  close: () => {},
}

export const createSignIn = ({
  options,
  documents,
  identities,
  beginSession,
  guard,
  clock,
  steady,
  log,
}: SignInDeps): SignInCalls => {
  if (options === null) return OFF
  const provider = createProvider({ options, log, steady })
  const attempts = createAttempts({
    seal: openedWithKey(documents, KEY_NAME, createTextSeal),
    client: JSON.stringify([options.issuer, options.clientId]),
    clock,
  })
  const ended = openEndedAttempts(documents)
  const inTurn = createSemaphore(AT_A_TIME, {
    waitingMax: WAITING_MAX,
    refusal: () => new MadhavaError('OVERLOADED'),
  })

  /** @throws OIDC_NOT_SET_UP */
  const callbackAt = (door: OidcDoor): URL => {
    const origin = originOfDoor(options, door)
    if (origin === null) throw notSetUp()
    return callbackOf(origin, door)
  }

  /** @throws OIDC_NO_ROLE, ACCOUNT_DISABLED, OIDC_FAILED */
  const settle = async (claims: Claims, origin: Origin, changes: SignInChanges) => {
    const person = personOf(claims)
    if (!person) throw new MadhavaError('OIDC_FAILED')
    const { groupsClaim } = options
    const role = roleOfGroups(options.roles, groupsOf(claims, groupsClaim))
    try {
      if (role === null) {
        const account = await identities.find(person)
        throw new MadhavaError(
          'OIDC_NO_ROLE',
          `No group that the claim ${groupsClaim} names has a role here`,
          account === null ? {} : { detail: { account } },
        )
      }
      return await identities.settle(person, { role, wanted: wantedNameOf(claims) }, changes)
    } catch (error) {
      if (isMadhavaError(error, 'OIDC_NO_ROLE') || isMadhavaError(error, 'ACCOUNT_DISABLED'))
        log.warn(
          { ...person, code: error.code, address: origin.address },
          'somebody whom the provider knows was refused',
        )
      throw error
    }
  }

  /** Counted, since each try asks the provider. @throws TOO_MANY_REQUESTS, OVERLOADED, and as the provider */
  const ask = async (attempt: Attempt, callback: URL, { address }: Origin): Promise<Claims> => {
    const tried = { address, about: ABOUT }
    await guard.count(tried)
    const claims = await inTurn(() => provider.claimsOf(attempt, callback))
    guard.forgive(tried)
    return claims
  }

  return {
    oidc: { name: options.name, doors: DOORS.filter(door => originOfDoor(options, door) !== null) },

    async beginSignIn(door, returnTo) {
      const callback = callbackAt(door)
      const { attempt, cookie } = await attempts.begin(door, returnTo)
      const location = await provider.addressFor(attempt, callback)
      return { location, cookie: { ...cookie, isSecure: callback.protocol === 'https:' } }
    },

    async endSignIn({ door, query, cookieOf }, origin, changes = PLAIN) {
      const callback = callbackAt(door)
      callback.search = query
      const state = callback.searchParams.get('state')
      const cookie = signInCookieOf(state)
      if (state === null || cookie === null) throw new MadhavaError('OIDC_STATE_INVALID')
      const attempt = await attempts.open(door, state, cookieOf(cookie))
      if (await ended.has(attempt)) throw new MadhavaError('OIDC_STATE_INVALID')
      const claims = await ask(attempt, callback, origin)
      // two may have come back at once
      await ended.add(attempt)
      const account = await settle(claims, origin, changes)
      const session = await beginSession(account, origin)
      log.info({ account: account.data.name, address: origin.address }, 'somebody signed in by the provider')
      return { ...session, account: showAccount(account), returnTo: attempt.returnTo }
    },

    close: () => provider.close(),
  }
}
