// The room access with its audit: whatever changes an account, a session, a key, an invitation or a link stands there, and
// every login, right or wrong. It decides nothing, and never sees a hash. No secret goes from here into an entry: only
// ids, roles, and which fields were changed.
import { type AuditRecorder, auditedBy, auditedId } from '../core/audit-recorder.ts'
import { type ErrorCode, isMadhavaError, type MadhavaError } from '../core/errors.ts'
import type { Access } from './access.ts'

/** `role=operator disabled=true password`: a value only where it is none that must not be known. */
const changesText = ({ role, disabled, password }: Parameters<Access['changeAccount']>[2]): string =>
  [
    ...(role === undefined ? [] : [`role=${role}`]),
    ...(disabled === undefined ? [] : [`disabled=${disabled}`]),
    ...(password === undefined ? [] : ['password']),
  ].join(' ')

/** Refusals of a sign-in that say something of a person whom the provider has named. */
const OF_PERSONS: readonly ErrorCode[] = ['OIDC_NO_ROLE', 'ACCOUNT_DISABLED']

/** The account that a refusal is about, as the room says it; null: there is none. */
const accountIn = ({ detail }: MadhavaError): string | null => {
  const { account } = (detail ?? {}) as { account?: unknown }
  return typeof account === 'string' ? account : null
}

/** The same room, every change of which is written. A ticket is not: it is another word for a login that stands there. */
export const createAuditedAccess = (access: Access, record: AuditRecorder): Access => ({
  ...access,

  register: (actor, account, origin) =>
    record.run(
      { ...auditedBy(actor), address: origin.address },
      {
        action: 'account.register',
        target: null,
        told: ({ id, role }) => ({ target: `${id} role=${role}` }),
      },
      () => access.register(actor, account, origin),
    ),

  // a wrong login changes nothing, and a right one leaves its session: neither needs a line before it
  async logIn(login, origin) {
    const { via, address } = origin
    try {
      const begun = await access.logIn(login, origin)
      const { id: account, name } = begun.account
      await record.note({ actor: { account, name }, via, address }, 'login', [account])
      return begun
    } catch (error) {
      if (isMadhavaError(error, 'LOGIN_WRONG')) {
        // a name that is nobody's may be a password in the wrong field
        const about = await access.idOf(login.name).catch(() => null)
        await record.note({ actor: null, via, address }, 'login.failed', [about], { outcome: error.code })
      }
      throw error
    }
  },

  async endSignIn(answer, origin) {
    const { via, address } = origin
    const nobody = { actor: null, via, address }
    try {
      const begun = await access.endSignIn(answer, origin, {
        make: work =>
          record.run(
            nobody,
            {
              action: 'account.register',
              target: null,
              told: made => made && { target: `${made.name} role=${made.data.role} by=oidc` },
            },
            work,
          ),
        change: ({ name: account, data }, role, work) =>
          record.run(
            { actor: { account, name: data.name }, via, address },
            { action: 'account.change', target: `${account} role=${role} by=oidc` },
            work,
          ),
      })
      const { id: account, name } = begun.account
      await record.note({ actor: { account, name }, via, address }, 'login', [`${account} by=oidc`])
      return begun
    } catch (error) {
      // of those alone whom the provider knows: anybody could fill it with others
      if (isMadhavaError(error) && OF_PERSONS.includes(error.code))
        await record.note(nobody, 'login.failed', [accountIn(error)], { outcome: error.code })
      throw error
    }
  },

  logOut: actor =>
    record.run(auditedBy(actor), { action: 'logout', target: actor.credential?.id ?? null }, () =>
      access.logOut(actor),
    ),

  changePassword: (actor, passwords, origin) =>
    record.run(
      { ...auditedBy(actor), address: origin.address },
      { action: 'password.change', target: actor.account },
      () => access.changePassword(actor, passwords, origin),
    ),

  endSession: (actor, id) =>
    record.run(auditedBy(actor), { action: 'session.end', target: auditedId(id) }, () =>
      access.endSession(actor, id),
    ),

  createKey: (actor, wanted) =>
    record.run(
      auditedBy(actor),
      {
        action: 'key.create',
        target: null,
        told: ({ id, scopes }) => ({ target: `${id} scopes=${scopes.join(',')}` }),
      },
      () => access.createKey(actor, wanted),
    ),

  revokeKey: (actor, id) =>
    record.run(auditedBy(actor), { action: 'key.revoke', target: auditedId(id) }, () =>
      access.revokeKey(actor, id),
    ),

  invite: (actor, wanted) =>
    record.run(
      auditedBy(actor),
      {
        action: 'invitation.create',
        target: null,
        told: ({ id, role }) => ({ target: `${id} role=${role}` }),
      },
      () => access.invite(actor, wanted),
    ),

  withdrawInvitation: (actor, id) =>
    record.run(auditedBy(actor), { action: 'invitation.withdraw', target: auditedId(id) }, () =>
      access.withdrawInvitation(actor, id),
    ),

  share: (actor, task, seconds) =>
    record.run(
      auditedBy(actor),
      {
        action: 'share.create',
        target: auditedId(task),
        told: ({ id }) => ({ target: `${task} share=${id}` }),
      },
      () => access.share(actor, task, seconds),
    ),

  withdrawShare(actor, task, id) {
    const about = auditedId(task)
    const share = auditedId(id)
    return record.run(
      auditedBy(actor),
      { action: 'share.withdraw', target: about && share ? `${about} share=${share}` : about },
      () => access.withdrawShare(actor, task, id),
    )
  },

  changeAccount(actor, id, changes) {
    const about = auditedId(id)
    return record.run(
      auditedBy(actor),
      { action: 'account.change', target: about && `${about} ${changesText(changes)}`.trim() },
      () => access.changeAccount(actor, id, changes),
    )
  },

  deleteAccount(actor, id, tasks) {
    const about = auditedId(id)
    return record.run(
      auditedBy(actor),
      { action: 'account.delete', target: about && (tasks === 'remove' ? `${about} tasks=remove` : about) },
      () => access.deleteAccount(actor, id, tasks),
    )
  },
})
