// What access means for the APIs: who is asking, and everything that concerns accounts, sessions, keys and invitations.
// src/access/open.ts builds it. Every call checks what the actor may do.
import type { TasksOfDeleted } from '../core/account-forms.ts'
import type { Actor, Scope, Via } from '../core/actor.ts'
import type { AccountRole } from '../core/policy.ts'

export const REGISTRATIONS = ['open', 'invite', 'closed'] as const
/** Who may make an account for themselves. Admins may always make one. */
export type Registration = (typeof REGISTRATIONS)[number]

/** Where people may sign in by OpenID Connect. */
export type OidcDoor = 'rest' | 'dashboard'
/** How somebody may sign in as an account. */
export const SIGN_IN_WAYS = ['password', 'oidc'] as const
export type SignInWay = (typeof SIGN_IN_WAYS)[number]

/** Times are ISO-8601. */
export interface AccountView {
  id: string
  name: string
  role: AccountRole
  /** Null: it was made by the start of the server. */
  createdAt: string | null
  disabledAt: string | null
  signIn: SignInWay[]
}

export interface SessionView {
  id: string
  createdAt: string
  expiresAt: string
  /** Where the login came from. */
  address: string | null
  /** The User-Agent, cut. */
  agent: string | null
  /** The one that asks. */
  current: boolean
}

export interface KeyView {
  id: string
  name: string
  scopes: Scope[]
  /** Null: every kind. */
  kinds: string[] | null
  /** Only tasks of the account itself. */
  own: boolean
  createdAt: string
  expiresAt: string | null
  /** Written at most once a minute. */
  lastUsedAt: string | null
}

export interface InvitationView {
  id: string
  role: AccountRole
  /** What it is for, for people. */
  note: string | null
  /** The name of the admin who made it. */
  by: string
  createdAt: string
  expiresAt: string
}

/** A link that reads one task. */
export interface ShareView {
  id: string
  task: string
  /**
   * The name of the account that made it. Null: a stranger did, or somebody else of whom the actor knows nothing, since
   * they do not see all tasks.
   */
  by: string | null
  createdAt: string
  expiresAt: string
}

export interface Me {
  account: AccountView | null
  scopes: readonly Scope[]
  sees: Actor['sees']
  kinds: readonly string[] | null
  /** What was shown; null: nothing. */
  credential: Actor['credential']
  /** Of what was shown; null: never, or nothing was shown. */
  expiresAt: string | null
}

/** Where a request comes from, for limits, for the audit and for people. */
export interface Origin {
  via: Via
  address: string | null
  agent: string | null
}

/** What the browser that begins a sign-in keeps until it comes back: nobody else can end it. */
export interface SignInCookie {
  name: string
  value: string
  seconds: number
  /** Whether browsers reach this door over HTTPS. */
  isSecure: boolean
}

/** What came back from the provider. */
export interface SignInAnswer {
  door: OidcDoor
  /** The query of the address, whole. */
  query: string
  /** The value of a cookie of this browser. */
  cookieOf(name: string): string | undefined
}

/** What goes around the changes of a sign-in: the audit. An account is a document with its id as the name. */
export interface SignInChanges {
  /** Null: another sign-in of the same person was faster. */
  make<T extends { name: string; data: { role: AccountRole } } | null>(work: () => Promise<T>): Promise<T>
  change<T>(
    account: { name: string; data: { name: string } },
    role: AccountRole,
    work: () => Promise<T>,
  ): Promise<T>
}

export interface PageOf<View> {
  items: View[]
  next: string | null
}

/** All calls may throw STORE_UNAVAILABLE, and those that write STORE_FULL. */
export interface Access {
  registration: Registration

  /** The actor of a request that shows nothing. */
  stranger(via: Via): Actor
  /**
   * The actor of a key or of a session's token. What it may do is read afresh each time, so what has ended or changed
   * counts at once on all hosts. @throws UNAUTHORIZED for anything that is not valid now, whatever the reason
   */
  identify(bearer: string, via: Via): Promise<Actor>
  /**
   * For a stream that an actor reads: `signal` fires soon after what it has shown has ended, or its account may do
   * something else than it did. It never fires for a stranger. Close it when the stream is over.
   */
  watch(actor: Actor): { signal: AbortSignal; close(): void }

  /**
   * Makes an account. With an invitation its role is the one invited for, and the invitation is used up; with `role`
   * the actor must be an admin; with neither REGISTRATION must be open, and it is a user.
   * @throws NAME_TAKEN, NAME_INVALID, PASSWORD_INVALID, INVITATION_INVALID, REGISTRATION_CLOSED, SCOPE_MISSING
   */
  register(
    actor: Actor,
    account: { name: string; password: string; invitation: string | null; role: AccountRole | null },
    origin: Origin,
  ): Promise<AccountView>
  /** @throws LOGIN_WRONG, TOO_MANY_REQUESTS (`detail.retryAfterSeconds`) */
  logIn(
    login: { name: string; password: string },
    origin: Origin,
  ): Promise<{ token: string; expiresAt: string; account: AccountView }>
  /** Sign-in by OpenID Connect: what people call the provider, and where they may; null: it is not set up. */
  oidc: { name: string; doors: readonly OidcDoor[] } | null
  /**
   * Begins a sign-in. The browser is sent to `location` with the cookie, and comes back within ten minutes.
   * @param returnTo where the door leads to in the end, which has checked it
   * @throws OIDC_NOT_SET_UP, OIDC_UNAVAILABLE, OIDC_FAILED; BAD_REQUEST when `returnTo` is too long
   */
  beginSignIn(door: OidcDoor, returnTo: string | null): Promise<{ location: string; cookie: SignInCookie }>
  /**
   * Ends one, once. The account of the person is made where there is none, and has the role that the groups give now.
   * @throws OIDC_NOT_SET_UP, OIDC_STATE_INVALID, OIDC_DENIED, OIDC_NO_ROLE, OIDC_FAILED, OIDC_UNAVAILABLE,
   * ACCOUNT_DISABLED, TOO_MANY_REQUESTS (`detail.retryAfterSeconds`), OVERLOADED
   */
  endSignIn(
    answer: SignInAnswer,
    origin: Origin,
    changes?: SignInChanges,
  ): Promise<{ token: string; expiresAt: string; account: AccountView; returnTo: string | null }>
  /** Ends the session that the actor has shown. @throws UNAUTHORIZED when it was none */
  logOut(actor: Actor): Promise<void>
  me(actor: Actor): Promise<Me>
  /** Ends all other sessions of the account. Needs a session. @throws LOGIN_WRONG, PASSWORD_INVALID, PASSWORD_IS_SETTING, PASSWORD_NOT_SET */
  changePassword(
    actor: Actor,
    passwords: { password: string; newPassword: string },
    origin: Origin,
  ): Promise<void>
  sessions(actor: Actor): Promise<SessionView[]>
  /** @throws SESSION_NOT_FOUND also for one of another account */
  endSession(actor: Actor, id: string): Promise<void>

  /**
   * A key of the actor's account; `key` is shown this once. A key cannot make keys.
   * @throws SCOPE_MISSING when the account itself may not do what the key is to do
   */
  createKey(
    actor: Actor,
    wanted: { name: string; scopes: Scope[]; kinds: string[] | null; own: boolean; expiresAt: string | null },
  ): Promise<KeyView & { key: string }>
  keys(actor: Actor): Promise<KeyView[]>
  /** At once, on all hosts. @throws KEY_NOT_FOUND also for one of another account */
  revokeKey(actor: Actor, id: string): Promise<void>

  /** For admins. `invitation` is shown this once. */
  invite(
    actor: Actor,
    wanted: { role: AccountRole; note: string | null; seconds: number },
  ): Promise<InvitationView & { invitation: string }>
  invitations(actor: Actor): Promise<InvitationView[]>
  /** @throws INVITATION_NOT_FOUND */
  withdrawInvitation(actor: Actor, id: string): Promise<void>

  /** For admins, in the order of ids. @throws BAD_CURSOR */
  accounts(actor: Actor, page: { limit: number; cursor: string | null }): Promise<PageOf<AccountView>>
  /** For admins; not of the built-in logins. @throws ACCOUNT_NOT_FOUND, ACCOUNT_BUILT_IN, PASSWORD_INVALID */
  changeAccount(
    actor: Actor,
    id: string,
    changes: { role?: AccountRole; disabled?: boolean; password?: string },
  ): Promise<AccountView>
  /**
   * Ends its sessions and keys, and frees its name. Its id is never used again. Its tasks stay under it, or, with
   * `remove`, workers cancel and remove them from then on (src/worker/account-tasks.ts).
   * By an admin, or by a session of the account itself. @throws ACCOUNT_NOT_FOUND, ACCOUNT_BUILT_IN
   */
  deleteAccount(actor: Actor, id: string, tasks?: TasksOfDeleted): Promise<void>

  /** The id of the account with this name or id; null: there is none. Also of a deleted one, by its id. */
  idOf(nameOrId: string): Promise<string | null>
  /** The names of accounts by id; null for one that is unknown or deleted. What was read lately is read again after some seconds. */
  namesOf(ids: Iterable<string>): Promise<ReadonlyMap<string, string | null>>

  /** A link that reads a task which the actor may change. `token` is shown this once. @throws BAD_REQUEST, TOO_MANY_SHARES */
  share(actor: Actor, task: string, seconds: number): Promise<ShareView & { token: string }>
  /** The links of a task that are valid. The actor may change the task. */
  shares(actor: Actor, task: string): Promise<ShareView[]>
  /** @throws SHARE_NOT_FOUND */
  withdrawShare(actor: Actor, task: string, id: string): Promise<void>
  /** The task of a link, and the actor who reads it and may do nothing else. @throws SHARE_NOT_FOUND */
  openShare(token: string): Promise<{ task: string; actor: Actor }>

  /** A ticket for what the actor has shown: whoever shows it within half a minute is the same, once. */
  makeTicket(actor: Actor): Promise<{ ticket: string; expiresAt: string }>
  /** The actor of a ticket, which is used up. @throws UNAUTHORIZED */
  redeemTicket(ticket: string, via: Via): Promise<Actor>

  /** Idempotent. Resolves when what it still writes is written. */
  close(): Promise<void>
}
