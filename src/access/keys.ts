// The keys of an account: made, listed, revoked. What a key may do is decided in core/policy.ts, whether it is valid in
// credentials.ts.
import { type Actor, SCOPES } from '../core/actor.ts'
import { createSemaphore } from '../core/async/semaphore.ts'
import type { TypedDocument } from '../core/collection.ts'
import { KEY_KINDS_MAX, KEY_NAME_MAX, type Key } from '../core/credential-forms.ts'
import { MadhavaError } from '../core/errors.ts'
import { time } from '../core/field-types.ts'
import { scopesOfRole } from '../core/policy.ts'
import type { Log } from '../platform/log.ts'
import type { Access, KeyView } from './access.ts'
import type { AccountStore } from './account-store.ts'
import type { Credentials } from './credentials.ts'
import { newToken } from './tokens.ts'
import { accountOf, personOf } from './who.ts'

interface KeysDeps {
  accounts: AccountStore
  credentials: Credentials
  /** The store's. */
  clock: () => Date
  log: Pick<Log, 'info'>
}

type Wanted = Parameters<Access['createKey']>[1]

/** Of one account. */
const KEYS_MAX = 100
const KIND = /^[a-z][a-z0-9-]{0,62}$/

const show = ({ name: id, expiresAt, data }: TypedDocument<Key>): KeyView => ({
  id,
  name: data.name,
  scopes: data.scopes,
  kinds: data.kinds,
  own: data.own,
  createdAt: data.createdAt,
  expiresAt,
  lastUsedAt: data.lastUsedAt,
})

const refuse = (why: string): never => {
  throw new MadhavaError('BAD_REQUEST', why)
}

/** The APIs have checked it before; what is kept must be sound all the same. @throws BAD_REQUEST */
const checkWanted = ({ name, scopes, kinds, own, expiresAt }: Wanted, now: Date): void => {
  if (name === '' || name.length > KEY_NAME_MAX)
    refuse(`The name of a key has 1 to ${KEY_NAME_MAX} characters`)
  if (scopes.length === 0) refuse('A key needs a scope')
  // whoever may make an admin is narrowed by nothing
  if (scopes.includes('admin') && (own || kinds !== null))
    refuse('A key with the scope admin cannot be narrowed to kinds or to own tasks')
  if (
    kinds !== null &&
    (kinds.length === 0 || kinds.length > KEY_KINDS_MAX || !kinds.every(kind => KIND.test(kind)))
  )
    refuse(`The kinds of a key are 1 to ${KEY_KINDS_MAX} names of kinds`)
  if (expiresAt === null) return
  if (!time.check(expiresAt)) refuse('The end of a key is a time in UTC with milliseconds')
  if (Date.parse(expiresAt) <= now.getTime()) refuse('The end of a key lies in the future')
}

export const createKeyCalls = ({
  accounts,
  credentials: { keys, keysOf, hasExpired },
  clock,
  log,
}: KeysDeps): Pick<Access, 'createKey' | 'keys' | 'revokeKey'> => {
  /** Of the actor's account. A key sees itself alone. */
  const keysSeenBy = async (actor: Actor): Promise<TypedDocument<Key>[]> => {
    const valid = (await keysOf(accountOf(actor))).filter(key => !hasExpired(key))
    return actor.credential?.type === 'key'
      ? valid.filter(({ name }) => name === actor.credential?.id)
      : valid
  }

  // several at once would all find room
  const inTurn = createSemaphore(1)
  const createKey: Access['createKey'] = async (actor, wanted) => {
    const account = await accounts.usable(personOf(actor))
    if (!account) throw new MadhavaError('UNAUTHORIZED')
    const now = clock()
    checkWanted(wanted, now)
    const may = scopesOfRole(account.data.role)
    const missing = wanted.scopes.find(scope => !may.includes(scope))
    if (missing !== undefined)
      throw new MadhavaError('SCOPE_MISSING', `This account lacks the scope ${missing}`, {
        detail: { scope: missing },
      })
    if ((await keysSeenBy(actor)).length >= KEYS_MAX)
      throw new MadhavaError('TOO_MANY_KEYS', `An account has at most ${KEYS_MAX} keys: revoke one`)
    const { id, token, hash } = newToken('key', account.name)
    const data: Key = {
      account: account.name,
      name: wanted.name.toWellFormed(),
      scopes: SCOPES.filter(scope => wanted.scopes.includes(scope)),
      kinds: wanted.kinds && [...new Set(wanted.kinds)],
      own: wanted.own,
      hash,
      createdAt: now.toISOString(),
      lastUsedAt: null,
    }
    const key = await keys.put(id, { data, expiresAt: wanted.expiresAt }, null)
    log.info({ account: account.data.name, key: id }, 'a key was made')
    return { ...show(key), key: token }
  }

  return {
    createKey: (actor, wanted) => inTurn(() => createKey(actor, wanted)),

    async keys(actor) {
      return (await keysSeenBy(actor)).map(show)
    },

    async revokeKey(actor, id) {
      const key = (await keysSeenBy(actor)).find(({ name }) => name === id)
      if (!key) throw new MadhavaError('KEY_NOT_FOUND')
      // whatever has been noted of its use meanwhile
      await keys.remove(id, 'any')
      log.info({ account: actor.name, key: id }, 'a key was revoked')
    },
  }
}
