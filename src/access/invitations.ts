// Invitations: made and withdrawn by admins, used in register.ts. One is good while the admin who made it is one, and
// until its account is there.
import { type Collection, openCollection, orIfInvalid, type TypedDocument } from '../core/collection.ts'
import { INVITATIONS, type Invitation, NOTE_MAX } from '../core/credential-forms.ts'
import type { Documents } from '../core/documents.ts'
import { isMadhavaError, MadhavaError } from '../core/errors.ts'
import { demand } from '../core/policy.ts'
import { newTaskId as newId } from '../core/task.ts'
import type { Log } from '../platform/log.ts'
import type { Access, InvitationView } from './access.ts'
import type { AccountStore } from './account-store.ts'
import type { Credentials } from './credentials.ts'
import { isSameHash, isTokenId, newToken, parseToken } from './tokens.ts'
import { accountOf } from './who.ts'

export type InvitationDocument = TypedDocument<Invitation>

export interface Invitations extends Pick<Access, 'invite' | 'invitations' | 'withdrawInvitation'> {
  /** The one that was shown. @throws INVITATION_INVALID, STORE_UNAVAILABLE */
  open(token: string): Promise<InvitationDocument>
  /** Removes one whose account is there. Never rejects: without it, it counts as used all the same. */
  drop(invitation: InvitationDocument): Promise<void>
}

interface InvitationsDeps {
  documents: Documents
  accounts: AccountStore
  hasExpired: Credentials['hasExpired']
  /** The store's. */
  clock: () => Date
  log: Pick<Log, 'info'>
}

const SECONDS_MAX = 366 * 24 * 3600
const PAGE = 100

export const openInvitations = ({
  documents,
  accounts,
  hasExpired,
  clock,
  log,
}: InvitationsDeps): Invitations => {
  const collection: Collection<Invitation> = openCollection(documents, 'invitations', INVITATIONS)

  const drop = async ({ name, rev }: InvitationDocument): Promise<void> => {
    await collection.remove(name, rev).catch(() => {})
  }

  /** Whether its account is there, or was. A used one that a kill has left goes. */
  const isUsed = async (invitation: InvitationDocument): Promise<boolean> => {
    if ((await accounts.look(invitation.data.account)) === null) return false
    await drop(invitation)
    return true
  }

  const isByAdmin = async ({ data }: InvitationDocument): Promise<boolean> =>
    (await accounts.usable(data.by))?.data.role === 'admin'

  const show = async ({ name: id, expiresAt, data }: InvitationDocument): Promise<InvitationView> => {
    const maker = await accounts.look(data.by)
    return {
      id,
      role: data.role,
      note: data.note,
      by: maker === null || maker === 'broken' ? data.by : maker.data.name,
      createdAt: data.createdAt,
      expiresAt: expiresAt ?? data.createdAt,
    }
  }

  return {
    drop,

    async open(token) {
      const shown = parseToken(token)
      const found =
        shown?.type === 'invitation' ? await orIfInvalid(collection.get(shown.id), () => null) : null
      const isGood =
        shown !== null &&
        found !== null &&
        isSameHash(found.data.hash, shown.hash) &&
        !hasExpired(found) &&
        (await isByAdmin(found)) &&
        !(await isUsed(found))
      if (!isGood) throw new MadhavaError('INVITATION_INVALID')
      return found
    },

    async invite(actor, { role, note, seconds }) {
      demand(actor, 'admin')
      if (!(seconds > 0 && seconds <= SECONDS_MAX))
        throw new MadhavaError('BAD_REQUEST', `An invitation lasts up to ${SECONDS_MAX} seconds`)
      if (note !== null && note.length > NOTE_MAX)
        throw new MadhavaError('BAD_REQUEST', `A note has at most ${NOTE_MAX} characters`)
      const { id, token, hash } = newToken('invitation', null)
      const now = clock()
      const data = {
        hash,
        role,
        note: note?.toWellFormed() ?? null,
        by: accountOf(actor),
        account: newId(),
        createdAt: now.toISOString(),
      }
      const expiresAt = new Date(now.getTime() + seconds * 1000).toISOString()
      const made = await collection.put(id, { data, expiresAt }, null)
      log.info({ account: actor.name, invitation: id, role }, 'an invitation was made')
      return { ...(await show(made)), invitation: token }
    },

    async invitations(actor) {
      demand(actor, 'admin')
      const shown: InvitationView[] = []
      let cursor: string | null = null
      do {
        const page: Awaited<ReturnType<typeof collection.list>> = await collection.list({
          limit: PAGE,
          cursor,
        })
        for (const one of page.documents)
          if (!hasExpired(one) && !(await isUsed(one))) shown.push(await show(one))
        cursor = page.next
      } while (cursor !== null)
      return shown.sort((a, b) => (a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : 0))
    },

    async withdrawInvitation(actor, id) {
      demand(actor, 'admin')
      const found = isTokenId(id) ? await orIfInvalid(collection.get(id), () => null) : null
      if (!found || hasExpired(found) || (await isUsed(found))) throw new MadhavaError('INVITATION_NOT_FOUND')
      try {
        await collection.remove(id, found.rev)
      } catch (error) {
        if (isMadhavaError(error, 'DOCUMENT_CHANGED')) throw new MadhavaError('INVITATION_NOT_FOUND')
        throw error
      }
      log.info({ account: actor.name, invitation: id }, 'an invitation was withdrawn')
    },
  }
}
