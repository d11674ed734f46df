// Who a request is made for, and what they may do. Actors are made in core/policy.ts.

/** What a login or a key may be allowed. A scope does not include the ones before it. */
export const SCOPES = ['read', 'submit', 'operate', 'admin'] as const
export type Scope = (typeof SCOPES)[number]

export type Via = 'rest' | 'rpc' | 'dashboard'

/** What somebody has shown: a key, the token of a session, or a link that shares a task. */
export interface Credential {
  type: 'key' | 'session' | 'share'
  /** Of the key, the session or the link; it gives no access. */
  id: string
}

export interface Actor {
  /** The id of the account, which owns the tasks that it submits. Null: nobody has logged in. */
  account: string | null
  /** The name of the account, for people; null as above. */
  name: string | null
  /** The API that the request came through. */
  via: Via
  /** Where the request came from, for the audit; null where that is not known. */
  address: string | null
  scopes: readonly Scope[]
  /** Which tasks it sees. `own-and-unowned`: its own and those that nobody owns. */
  sees: 'all' | 'own-and-unowned' | 'own'
  /** The kinds that it may submit and see; null: every kind. */
  kinds: readonly string[] | null
  /** A task that it reads whatever its scopes are: that of a link. Null: there is none. */
  task: string | null
  /** Null: nothing was shown, or what was shown cannot end before the request does. */
  credential: Credential | null
}
