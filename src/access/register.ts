// Makes accounts. The name is claimed first, then the account is written under an id that is used once: a kill between
// the two leaves a name that frees itself, and never two accounts with one name, or two of one invitation.
import type { Actor } from '../core/actor.ts'
import { isMadhavaError, MadhavaError } from '../core/errors.ts'
import { type AccountRole, demand } from '../core/policy.ts'
import { newTaskId as newId } from '../core/task.ts'
import type { Log } from '../platform/log.ts'
import type { Access, Registration } from './access.ts'
import { type AccountDocument, isThere, showAccount } from './account.ts'
import type { AccountStore } from './account-store.ts'
import type { Guard } from './guard.ts'
import type { InvitationDocument, Invitations } from './invitations.ts'
import { normalName, parseName } from './name-rules.ts'
import type { Names } from './names.ts'
import { checkPassword, passwordText } from './password-rules.ts'
import { hashPassword } from './passwords.ts'

interface RegisterDeps {
  registration: Registration
  accounts: AccountStore
  names: Names
  invitations: Pick<Invitations, 'open' | 'drop'>
  guard: Guard
  /** The store's. */
  clock: () => Date
  log: Pick<Log, 'info'>
}

/** An account that may be made. */
interface Plan {
  id: string
  role: AccountRole
  invitation: { token: string; document: InvitationDocument } | null
  isByAdmin: boolean
}

/** Tries of registering are not about an account. */
const ABOUT = ''

export const createRegister = ({
  registration,
  accounts,
  names,
  invitations,
  guard,
  clock,
  log,
}: RegisterDeps): Access['register'] => {
  type Wanted = Parameters<Access['register']>[1]

  /** Before anything is said of names, so that whoever may not register learns none. */
  const planFor = async (actor: Actor, { invitation: token, role }: Wanted): Promise<Plan> => {
    if (role !== null) {
      demand(actor, 'admin')
      if (token !== null)
        throw new MadhavaError('BAD_REQUEST', 'An account has a role of its own or an invitation, not both')
      return { id: newId(), role, invitation: null, isByAdmin: true }
    }
    if (token !== null) {
      const document = await invitations.open(token)
      const { account: id, role: invited } = document.data
      return { id, role: invited, invitation: { token, document }, isByAdmin: false }
    }
    if (registration !== 'open') throw new MadhavaError('REGISTRATION_CLOSED')
    return { id: newId(), role: 'user', invitation: null, isByAdmin: false }
  }

  /** What became of a write of which nobody knows whether it was done. */
  const isWritten = async (id: string, hash: string): Promise<AccountDocument | null> => {
    const found = await accounts.look(id)
    return found !== null && found !== 'broken' && found.data.password?.hash === hash ? found : null
  }

  /** The name is no longer needed: the account has another one, or will never be. */
  const letGo = async (name: string, { id, invitation }: Plan): Promise<void> => {
    const found = await accounts.look(id)
    // an invitation may be in use twice at once, and the other may still write the account with this name
    if (found === null && invitation !== null) return
    if (found === 'broken') return
    if (found && isThere(found.data) && normalName(found.data.name) === normalName(name)) return
    await names.release(name, id)
  }

  const write = async (
    plan: Plan,
    name: string,
    password: Awaited<ReturnType<typeof hashPassword>>,
  ): Promise<AccountDocument> => {
    try {
      return await accounts.create(plan.id, {
        name,
        role: plan.role,
        password,
        configured: null,
        changes: 0,
        createdAt: clock().toISOString(),
        disabledAt: null,
        deletedAt: null,
        identity: null,
      })
    } catch (error) {
      if (isMadhavaError(error, 'STORE_UNAVAILABLE')) {
        const written = await isWritten(plan.id, password.hash).catch(() => null)
        if (written) return written
        throw error
      }
      // what is not let go of frees itself
      await letGo(name, plan).catch(() => {})
      if (!isMadhavaError(error, 'DOCUMENT_CHANGED')) throw error
      throw new MadhavaError(plan.invitation ? 'INVITATION_INVALID' : 'NAME_TAKEN')
    }
  }

  return async (actor, wanted, { address }) => {
    const plan = await planFor(actor, wanted)
    const name = parseName(wanted.name)
    checkPassword(wanted.password, name)
    const tried = { address, about: ABOUT }
    if (!plan.isByAdmin) await guard.count(tried)
    if (await names.find(name)) throw new MadhavaError('NAME_TAKEN')
    const password = await guard.inTurn(tried, () => hashPassword(passwordText(plan.id, wanted.password)))
    // others had their turn before: it may have been withdrawn or used meanwhile
    if (plan.invitation) await invitations.open(plan.invitation.token)
    await names.claim(name, plan.id)
    const account = await write(plan, name, password)
    // an invitation works once, so nobody makes accounts without end
    if (plan.invitation) guard.forgive(tried)
    if (plan.invitation) await invitations.drop(plan.invitation.document)
    log.info({ account: name, role: plan.role, address, by: actor.name }, 'an account was made')
    return showAccount(account)
  }
}
