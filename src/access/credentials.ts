// Keys and sessions as they are now: which are valid, and what they allow. Each is read afresh with its account, so
// what has ended or changed counts at once in every process. It makes and ends none.
import type { Actor, Credential, Via } from '../core/actor.ts'
import { type Collection, openCollection, orIfInvalid, type TypedDocument } from '../core/collection.ts'
import { KEYS, type Key, SESSIONS, type Session } from '../core/credential-forms.ts'
import type { CollectionName, Documents } from '../core/documents.ts'
import { MadhavaError } from '../core/errors.ts'
import { actorOf, type KeyBounds } from '../core/policy.ts'
import { type AccountDocument, isBoundTo } from './account.ts'
import type { AccountStore } from './account-store.ts'
import type { Background } from './background.ts'
import { idPrefixOf, isSameHash, isTokenId, parseToken } from './tokens.ts'

/** Where each type of credential is kept. */
export const COLLECTION_OF = {
  key: 'account-keys',
  session: 'sessions',
  share: 'shares',
} as const satisfies Record<Credential['type'], CollectionName>

/** A key or a session. */
export type Login = Credential & { type: 'key' | 'session' }

/** A key or a session that is valid now. */
export interface Valid {
  credential: Login
  account: AccountDocument
  /** Null: a session, which is as wide as its account. */
  bounds: KeyBounds | null
  /** ISO-8601; null: never. */
  expiresAt: string | null
}

export interface Credentials {
  keys: Collection<Key>
  sessions: Collection<Session>
  /** The one that was shown. @throws UNAUTHORIZED, STORE_UNAVAILABLE */
  identify(bearer: string): Promise<Valid>
  /** One that was shown before; null: it is valid no longer. @throws STORE_UNAVAILABLE */
  read(credential: Credential): Promise<Valid | null>
  /** The keys of an account, also those that have ended. @throws STORE_UNAVAILABLE */
  keysOf(account: string): Promise<TypedDocument<Key>[]>
  /** The sessions of an account, also those that have ended. @throws STORE_UNAVAILABLE */
  sessionsOf(account: string): Promise<TypedDocument<Session>[]>
  /** Whether its time has come, by the store's clock. */
  hasExpired(document: { expiresAt: string | null }): boolean
}

interface CredentialsDeps {
  documents: Documents
  accounts: AccountStore
  background: Background
  /** The store's. */
  clock: () => Date
}

/** How often the use of a key is noted. */
const NOTED_EVERY_MS = 60_000
/** Of how many keys this process remembers that it has noted them. */
const REMEMBERED_MAX = 10_000
const PAGE = 100

export const actorOfValid = ({ account, credential, bounds }: Valid, via: Via): Actor =>
  actorOf({ id: account.name, name: account.data.name, role: account.data.role }, { via, credential, bounds })

/** All documents of an account: their names begin alike. */
const allOf = async <Data extends { account: string }>(
  list: (page: {
    limit: number
    cursor: string | null
  }) => Promise<{ documents: TypedDocument<Data>[]; next: string | null }>,
  account: string,
): Promise<TypedDocument<Data>[]> => {
  const prefix = idPrefixOf(account)
  const found: TypedDocument<Data>[] = []
  let cursor: string | null = prefix
  while (cursor?.startsWith(prefix)) {
    const page: { documents: TypedDocument<Data>[]; next: string | null } = await list({
      limit: PAGE,
      cursor,
    })
    found.push(...page.documents.filter(({ data }) => data.account === account))
    cursor = page.next
  }
  return found
}

export const openCredentials = ({ documents, accounts, background, clock }: CredentialsDeps): Credentials => {
  const keys = openCollection(documents, COLLECTION_OF.key, KEYS)
  const sessions = openCollection(documents, COLLECTION_OF.session, SESSIONS)
  const hasExpired = ({ expiresAt }: { expiresAt: string | null }): boolean =>
    expiresAt !== null && Date.parse(expiresAt) <= clock().getTime()

  const getIfUsable = <T>(reading: Promise<T>): Promise<T | null> => orIfInvalid(reading, () => null)

  /** When this process last noted the use of a key, milliseconds. */
  const notedAt = new Map<string, number>()
  const noteUse = ({ name, rev, expiresAt, data }: TypedDocument<Key>): void => {
    const now = clock()
    const last = Math.max(data.lastUsedAt === null ? 0 : Date.parse(data.lastUsedAt), notedAt.get(name) ?? 0)
    if (Math.abs(now.getTime() - last) < NOTED_EVERY_MS) return
    notedAt.delete(name)
    notedAt.set(name, now.getTime())
    if (notedAt.size > REMEMBERED_MAX) {
      const [oldest] = notedAt.keys()
      if (oldest !== undefined) notedAt.delete(oldest)
    }
    // under the rev that was read: a key that is revoked meanwhile stays so
    background.run(() => keys.put(name, { data: { ...data, lastUsedAt: now.toISOString() }, expiresAt }, rev))
  }

  /** A kill may have left a key of an account that was deleted since. */
  const removeIfDeleted = async ({ name, rev, data }: TypedDocument<Key>): Promise<void> => {
    const owner = await accounts.look(data.account)
    if (owner !== null && owner !== 'broken' && owner.data.deletedAt !== null) await keys.remove(name, rev)
  }

  const isOf = (document: { data: { hash: string } }, hash: string | null): boolean =>
    hash === null || isSameHash(document.data.hash, hash)

  /** @param hash of what was shown; null: it was shown before */
  const readKey = async (id: string, hash: string | null): Promise<Valid | null> => {
    const key = await getIfUsable(keys.get(id))
    if (!key || !isOf(key, hash) || hasExpired(key)) return null
    const account = await accounts.usable(key.data.account)
    if (!account) {
      background.run(() => removeIfDeleted(key))
      return null
    }
    if (hash !== null) noteUse(key)
    const { scopes, kinds, own } = key.data
    return {
      credential: { type: 'key', id },
      account,
      bounds: { scopes, kinds, own },
      expiresAt: key.expiresAt,
    }
  }

  const readSession = async (id: string, hash: string | null): Promise<Valid | null> => {
    for (let before: number | null = null; ; ) {
      const session = await getIfUsable(sessions.get(id))
      if (!session || !isOf(session, hash) || hasExpired(session)) return null
      const account = await accounts.usable(session.data.account)
      if (!account) return null
      if (isBoundTo(session.data, account.data))
        return { credential: { type: 'session', id }, account, bounds: null, expiresAt: session.expiresAt }
      // it may have set the password between the two looks, and was bound to it before that
      if (session.rev === before) return null
      before = session.rev
    }
  }

  const read = ({ type, id }: Login, hash: string | null): Promise<Valid | null> =>
    type === 'key' ? readKey(id, hash) : readSession(id, hash)

  return {
    keys,
    sessions,
    async identify(bearer) {
      const shown = parseToken(bearer)
      const type = shown?.type === 'key' || shown?.type === 'session' ? shown.type : null
      const valid = shown && type ? await read({ type, id: shown.id }, shown.hash) : null
      if (!valid) throw new MadhavaError('UNAUTHORIZED')
      return valid
    },
    read: async ({ type, id }) => (type === 'share' || !isTokenId(id) ? null : read({ type, id }, null)),
    keysOf: account => allOf(keys.list, account),
    sessionsOf: account => allOf(sessions.list, account),
    hasExpired,
  }
}
