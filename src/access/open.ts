// Puts the room together: everything behind `Access`, over the documents of a store. It knows no HTTP and no Thrift.
import type { Credential } from '../core/actor.ts'
import type { Semaphore } from '../core/async/semaphore.ts'
import type { Documents } from '../core/documents.ts'
import { type Anonymous, strangerOf } from '../core/policy.ts'
import type { TaskStore } from '../core/store.ts'
import type { Log } from '../platform/log.ts'
import type { Access, Registration } from './access.ts'
import { openAccountStore } from './account-store.ts'
import { createAdministration } from './administration.ts'
import { createBackground } from './background.ts'
import { createChangePassword } from './change-password.ts'
import { createCheckQueue } from './check-queue.ts'
import { actorOfValid, COLLECTION_OF, openCredentials } from './credentials.ts'
import { createGuard } from './guard.ts'
import { openInvitations } from './invitations.ts'
import { createKeyCalls } from './keys.ts'
import { createKnownNames } from './known-names.ts'
import { createLoginLimit, type LoginLimit } from './login-limit.ts'
import { createMe } from './me.ts'
import { openNames } from './names.ts'
import { openIdentities } from './oidc/identities.ts'
import type { OidcOptions } from './oidc/options.ts'
import { createSignIn } from './oidc/sign-in.ts'
import { createRegister } from './register.ts'
import { createSessionBegin } from './session-begin.ts'
import { createSessionCalls } from './sessions.ts'
import { openShares } from './shares.ts'
import { createTicketCalls } from './tickets.ts'
import { createWatch, type Shown, type Standing } from './watch.ts'

export interface AccessDeps {
  documents: Documents
  /** Tells of changes of documents, for streams. */
  feed: Pick<TaskStore, 'cursor' | 'changes'>
  anonymous: Anonymous
  registration: Registration
  /** Sign-in by OpenID Connect. Left out or null: there is none. */
  oidc?: OidcOptions | null
  /** The store's, since hosts share what ends. */
  clock: () => Date
  log: Pick<Log, 'info' | 'warn'>
  /** Milliseconds of a monotonic clock, for counting tries. Left out: that of the process. */
  steady?: () => number
  /** What else checks passwords in this process gives its own. Left out: there is nothing else. */
  inTurn?: Semaphore
  limit?: LoginLimit
}

/** Everything that concerns accounts, sessions, keys and invitations. Opens nothing that must not be left open. */
export const openAccess = ({
  documents,
  feed,
  anonymous,
  registration,
  oidc = null,
  clock,
  log,
  steady = () => performance.now(),
  inTurn = createCheckQueue(),
  limit = createLoginLimit({ clock: steady }),
}: AccessDeps): Access => {
  const background = createBackground()
  const accounts = openAccountStore(documents)
  const names = openNames({ documents, accounts, clock })
  const guard = createGuard({ limit, inTurn, log, steady })
  const credentials = openCredentials({ documents, accounts, background, clock })
  const { hasExpired } = credentials
  const identities = openIdentities({ documents, accounts, names, clock })
  const beginSession = createSessionBegin({ credentials, clock })
  const { close: closeSignIn, ...signIn } = createSignIn({
    ...{ options: oidc, documents, identities, beginSession, guard, clock, steady, log },
  })
  const { open, drop, ...invitations } = openInvitations({ documents, accounts, hasExpired, clock, log })
  const { read: readShare, ...shares } = openShares({ documents, accounts, hasExpired, clock, log })
  const standingOf = async (credential: Credential): Promise<Standing | null> => {
    if (credential.type === 'share') {
      const found = await readShare(credential)
      return found && { actorFor: () => found.actor, expiresAt: found.expiresAt }
    }
    const valid = await credentials.read(credential)
    return valid && { actorFor: via => actorOfValid(valid, via), expiresAt: valid.expiresAt }
  }
  const watching = createWatch({ feed, clock })
  /** What a credential hangs on. That of a link has no account. */
  const shownBy = ({ type, id }: Credential, account: string | null): Shown => ({
    key: `${type} ${id}`,
    documents: [
      { collection: COLLECTION_OF[type], name: id },
      ...(account === null ? [] : [{ collection: 'accounts' as const, name: account }]),
    ],
    read: () => standingOf({ type, id }),
  })

  return {
    registration,
    stranger: via => strangerOf(anonymous, via),
    identify: async (bearer, via) => actorOfValid(await credentials.identify(bearer), via),
    watch: actor =>
      actor.credential === null
        ? { signal: new AbortController().signal, close: () => {} }
        : watching.watch(shownBy(actor.credential, actor.account), actor),

    me: createMe({ accounts, credentials }),
    register: createRegister({
      registration,
      accounts,
      names,
      invitations: { open, drop },
      guard,
      clock,
      log,
    }),
    changePassword: createChangePassword({ accounts, credentials, guard, log }),
    ...createSessionCalls({ accounts, names, credentials, beginSession, guard, log }),
    ...signIn,
    ...createKeyCalls({ accounts, credentials, clock, log }),
    ...invitations,
    ...shares,
    ...createTicketCalls({ documents, credentials, clock }),
    ...createAdministration({ accounts, names, identities, credentials, guard, clock, log }),
    ...createKnownNames({ accounts, names, steady }),

    async close() {
      closeSignIn()
      watching.close()
      await background.close()
    },
  }
}
