// Links that read one task, its events, its log and its result, and nothing else, until they expire or are withdrawn.
// Whoever calls has made sure that the actor may change the task.
import type { Actor, Credential } from '../core/actor.ts'
import { type Collection, openCollection, orIfInvalid, type TypedDocument } from '../core/collection.ts'
import { SHARES, type Share } from '../core/credential-forms.ts'
import type { Documents } from '../core/documents.ts'
import { isMadhavaError, MadhavaError } from '../core/errors.ts'
import { readerOf, seesAll } from '../core/policy.ts'
import type { Log } from '../platform/log.ts'
import type { Access, ShareView } from './access.ts'
import type { AccountStore } from './account-store.ts'
import { ACCESS_BOUNDS } from './bounds.ts'
import type { Credentials } from './credentials.ts'
import { idPrefixOf, isSameHash, isTokenId, newToken, parseToken } from './tokens.ts'

interface SharesDeps {
  documents: Documents
  accounts: AccountStore
  hasExpired: Credentials['hasExpired']
  /** The store's. */
  clock: () => Date
  log: Pick<Log, 'info'>
}

export interface Shares extends Pick<Access, 'share' | 'shares' | 'withdrawShare' | 'openShare'> {
  /** One that was shown before; null: it is valid no longer. @throws STORE_UNAVAILABLE */
  read(credential: Credential): Promise<{ actor: Actor; expiresAt: string | null } | null>
}

/** Of one task. */
const SHARES_MAX = 100
const PAGE = 100

/** A link that is valid now, with the name of the account that made it; null: a stranger did. */
interface ValidShare {
  share: TypedDocument<Share>
  maker: string | null
}

const show = ({ share: { name: id, expiresAt, data }, maker }: ValidShare, actor: Actor): ShareView => ({
  id,
  task: data.task,
  // who sees their own tasks alone learns no names of others by a task that is nobody's
  by: seesAll(actor) || data.by === actor.account ? maker : null,
  createdAt: data.createdAt,
  expiresAt: expiresAt ?? data.createdAt,
})

export const openShares = ({ documents, accounts, hasExpired, clock, log }: SharesDeps): Shares => {
  const collection: Collection<Share> = openCollection(documents, 'shares', SHARES)

  /** Null: it is valid no longer. A link ends with the account that made it. */
  const judge = async (share: TypedDocument<Share>): Promise<ValidShare | null> => {
    if (hasExpired(share)) return null
    if (share.data.by === null) return { share, maker: null }
    const maker = await accounts.usable(share.data.by)
    return maker && { share, maker: maker.data.name }
  }
  const isValid = async (share: TypedDocument<Share>): Promise<boolean> => (await judge(share)) !== null

  /** Their ids begin alike. */
  const sharesOf = async (task: string): Promise<ValidShare[]> => {
    const prefix = idPrefixOf(task)
    const found: ValidShare[] = []
    let cursor: string | null = prefix
    while (cursor?.startsWith(prefix)) {
      const page: Awaited<ReturnType<typeof collection.list>> = await collection.list({ limit: PAGE, cursor })
      for (const share of page.documents) {
        const valid = share.data.task === task ? await judge(share) : null
        if (valid) found.push(valid)
      }
      cursor = page.next
    }
    return found
  }

  const get = async (id: string): Promise<TypedDocument<Share> | null> =>
    orIfInvalid(collection.get(id), () => null)
  const actorOfShare = ({ name: id, data }: TypedDocument<Share>): Actor =>
    readerOf(data.task, { type: 'share', id })

  return {
    async share(actor, task, seconds) {
      if (!(seconds > 0 && seconds <= ACCESS_BOUNDS.shareSeconds.max))
        throw new MadhavaError('BAD_REQUEST', `A link lasts up to ${ACCESS_BOUNDS.shareSeconds.max} seconds`)
      if ((await sharesOf(task)).length >= SHARES_MAX)
        throw new MadhavaError('TOO_MANY_SHARES', `A task has at most ${SHARES_MAX} links: withdraw one`)
      const { id, token, hash } = newToken('share', task)
      const now = clock()
      const data: Share = { task, hash, by: actor.account, createdAt: now.toISOString() }
      const expiresAt = new Date(now.getTime() + seconds * 1000).toISOString()
      const made = await collection.put(id, { data, expiresAt }, null)
      log.info({ account: actor.name, share: id, task }, 'a task was shared by a link')
      return { ...show({ share: made, maker: actor.name }, actor), token }
    },

    shares: async (actor, task) => (await sharesOf(task)).map(valid => show(valid, actor)),

    async withdrawShare(actor, task, id) {
      const found = isTokenId(id) ? await get(id) : null
      if (!found || found.data.task !== task || !(await isValid(found)))
        throw new MadhavaError('SHARE_NOT_FOUND')
      await collection.remove(id, found.rev).catch((error: unknown) => {
        throw isMadhavaError(error, 'DOCUMENT_CHANGED') ? new MadhavaError('SHARE_NOT_FOUND') : error
      })
      log.info({ account: actor.name, share: id, task }, 'the link of a task was withdrawn')
    },

    async openShare(token) {
      const shown = parseToken(token)
      const found = shown?.type === 'share' ? await get(shown.id) : null
      if (!shown || !found || !isSameHash(found.data.hash, shown.hash) || !(await isValid(found)))
        throw new MadhavaError('SHARE_NOT_FOUND')
      return { task: found.data.task, actor: actorOfShare(found) }
    },

    async read({ id }) {
      const found = isTokenId(id) ? await get(id) : null
      if (!found || !(await isValid(found))) return null
      return { actor: actorOfShare(found), expiresAt: found.expiresAt }
    },
  }
}
