// Accounts, sessions, keys, invitations and the audit: the types of the REST API, and its calls.
import type { RequestOptions } from './request.ts'

/** What a login or a key may be allowed. A scope does not include the ones before it. */
export type Scope = 'read' | 'submit' | 'operate' | 'admin'
/** A viewer sees all and changes nothing; a user has tasks of their own; an operator acts on all. */
export type AccountRole = 'viewer' | 'user' | 'operator' | 'admin'

/** Times are ISO-8601. */
export interface Account {
  /** Permanent, and the `owner` of the account's tasks. */
  id: string
  name: string
  role: AccountRole
  /** Null: it was made by the start of the server. */
  createdAt: string | null
  disabledAt: string | null
  /** How its owner may sign in; oidc: by the provider of OpenID Connect. */
  signIn: ('password' | 'oidc')[]
}

/** What a client has shown. */
export interface Credential {
  type: 'key' | 'session'
  /** Of the key or the session; it gives no access. */
  id: string
}

export interface Me {
  /** Null: nobody has logged in. */
  account: Account | null
  scopes: Scope[]
  /** `own-and-unowned`: its own tasks and those that nobody owns. */
  sees: 'all' | 'own-and-unowned' | 'own'
  /** The kinds that it may submit and see; null: every kind. */
  kinds: string[] | null
  /** Null: nothing was shown. */
  credential: Credential | null
  /** When that ends; null: never, or nothing was shown. */
  expiresAt: string | null
}

export interface Session {
  id: string
  createdAt: string
  expiresAt: string
  /** Where the login came from. */
  address: string | null
  /** The program that logged in, as it calls itself. */
  agent: string | null
  /** Whether it is the one that asks. */
  current: boolean
}

export interface Key {
  id: string
  name: string
  scopes: Scope[]
  /** Null: every kind. */
  kinds: string[] | null
  /** Only tasks of the account itself. */
  own: boolean
  createdAt: string
  /** Null: never. */
  expiresAt: string | null
  /** Written at most once a minute. */
  lastUsedAt: string | null
}

export interface Invitation {
  id: string
  role: AccountRole
  /** What it is for, for people. */
  note: string | null
  /** The name of the admin who made it. */
  by: string
  createdAt: string
  expiresAt: string
}

/** A link that reads one task: `GET /shared/{token}`, and `/result` and `/events` below it. */
export interface Share {
  id: string
  task: string
  /** The name of the account that made it; null: a stranger, or somebody whom the caller does not see. */
  by: string | null
  createdAt: string
  expiresAt: string
}

/** A new session. `token` is what the option `key` of a client takes. */
export interface Login {
  token: string
  expiresAt: string
  account: Account
}

export interface NewAccount {
  name: string
  password: string
  /** The role is the one that it was made for. */
  invitation?: string
  /** Only for admins. */
  role?: AccountRole
}

export interface NewKey {
  name: string
  scopes: Scope[]
  /** Left out: every kind. */
  kinds?: string[] | null
  /** True: it sees only tasks of the account itself. */
  own?: boolean
  /** Left out: it does not end by itself. */
  expiresAt?: string | Date | null
}

export interface NewInvitation {
  /** Left out: user. */
  role?: AccountRole
  /** How long it holds, 60 s to 90 days; a week if it is left out. */
  seconds?: number
  note?: string | null
}

export interface AccountChanges {
  role?: AccountRole
  disabled?: boolean
  /** A new one. It ends the account's sessions. */
  password?: string
}

/** A line of the audit. */
export interface AuditEntry {
  id: string
  at: string
  /** Null: nobody had logged in. `account` is its id. */
  actor: { account: string; name: string } | null
  via: 'rest' | 'rpc' | 'dashboard' | 'tool'
  /** Such as `task.cancel` or `key.create`: docs/access.md has them all. */
  action: string
  /** An id first, then what else there is to say. */
  target: string | null
  /** `done`, `unknown` after a kill of the server, or the code of an error. */
  outcome: string
  address: string | null
}

/** Lines fit all that is given. */
export interface AuditFilter {
  /** The name or the id of an account. */
  actor?: string
  actions?: string[]
  /** An id, or the whole target. */
  target?: string
  outcome?: string
  /** At this time or later. */
  from?: string | Date
  /** Before this time. */
  to?: string | Date
}

/** What both clients can do about accounts. `Options` are those of every call. */
/** What becomes of the tasks of an account that is deleted. */
export type TasksOfDeleted = 'keep' | 'remove'

export interface AccountCalls<Options extends unknown[]> {
  /** Who asks, and what they may do. */
  me(...options: Options): Promise<Me>
  /** Makes an account: with an invitation, by an admin with a role, or with neither where the server allows it. */
  createAccount(account: NewAccount, ...options: Options): Promise<Account>
  /** Begins a session. This client goes on asking with its own key: give the token to another one. */
  logIn(name: string, password: string, ...options: Options): Promise<Login>
  /** Ends the session that this client has as its key. */
  logOut(...options: Options): Promise<void>
  /** Ends all other sessions of the account. It needs a session. */
  changePassword(password: string, newPassword: string, ...options: Options): Promise<void>
  sessions(...options: Options): Promise<Session[]>
  endSession(id: string, ...options: Options): Promise<void>
  /** Makes a key of the account that asks, which needs a session. `key` is shown this once. */
  createKey(key: NewKey, ...options: Options): Promise<Key & { key: string }>
  keys(...options: Options): Promise<Key[]>
  /** At once, and everywhere. */
  revokeKey(id: string, ...options: Options): Promise<void>
  /** For admins. `invitation` is shown this once. */
  createInvitation(
    invitation: NewInvitation,
    ...options: Options
  ): Promise<Invitation & { invitation: string }>
  /** For admins. */
  invitations(...options: Options): Promise<Invitation[]>
  /** For admins. */
  withdrawInvitation(id: string, ...options: Options): Promise<void>
  /** Makes a link that reads a task. `token` is shown this once. `seconds` left out: a day. */
  share(task: string, seconds?: number, ...options: Options): Promise<Share & { token: string }>
  /** The links of a task that hold. */
  shares(task: string, ...options: Options): Promise<Share[]>
  withdrawShare(task: string, id: string, ...options: Options): Promise<void>
  /** All accounts, fetched page by page. For admins. */
  accounts(...options: Options): AsyncGenerator<Account, void, void>
  /** For admins. */
  changeAccount(id: string, changes: AccountChanges, ...options: Options): Promise<Account>
  /** Who has changed what, the newest first, fetched page by page. For admins. */
  audit(filter?: AuditFilter, ...options: Options): AsyncGenerator<AuditEntry, void, void>
  /**
   * Ends the account, its sessions and its keys. Its tasks stay under its id, or, with `remove`, are cancelled and
   * removed within some seconds, or when they have ended. For admins.
   */
  deleteAccount(id: string, tasks?: TasksOfDeleted, ...options: Options): Promise<void>
  /** The same of the account that asks. It needs a session. */
  deleteMe(tasks?: TasksOfDeleted, ...options: Options): Promise<void>
}

type SignalOptions = { signal?: AbortSignal }
/** Over REST a call takes a signal. */
export type RestAccountCalls = AccountCalls<[options?: SignalOptions]>

/** @param json sends a request and returns the JSON of its answer; @param send the same without an answer */
export const createAccountCalls = (
  json: <T>(path: string, options: RequestOptions) => Promise<T>,
  send: (path: string, options: RequestOptions) => Promise<unknown>,
): RestAccountCalls => {
  const at = (path: string, id: string): string => `${path}/${encodeURIComponent(id)}`
  const read = <T>(path: string, { signal }: SignalOptions = {}, query = ''): Promise<T> =>
    json(path, { repeatable: true, query, signal })
  const post = <T>(path: string, body: unknown, { signal }: SignalOptions = {}): Promise<T> =>
    json(path, { method: 'POST', body, signal })
  const remove = async (path: string, { signal }: SignalOptions = {}, query = ''): Promise<void> => {
    await send(path, { method: 'DELETE', query, signal, whole: true })
  }
  const withTasks = (tasks: TasksOfDeleted | undefined): string =>
    tasks === undefined ? '' : `tasks=${encodeURIComponent(tasks)}`
  return {
    me: options => read('/me', options),
    createAccount: (account, options) => post('/accounts', account, options),
    logIn: (name, password, options) => post('/sessions', { name, password }, options),
    logOut: options => remove('/sessions/current', options),
    async changePassword(password, newPassword, { signal } = {}) {
      await send('/me/password', {
        method: 'PUT',
        body: { password, newPassword },
        signal,
        whole: true,
      })
    },
    sessions: async options => (await read<{ sessions: Session[] }>('/sessions', options)).sessions,
    endSession: (id, options) => remove(at('/sessions', id), options),
    createKey: (key, options) => post('/keys', key, options),
    keys: async options => (await read<{ keys: Key[] }>('/keys', options)).keys,
    revokeKey: (id, options) => remove(at('/keys', id), options),
    createInvitation: (invitation, options) => post('/invitations', invitation, options),
    share: (task, seconds, options) =>
      post(`${at('/task', task)}/share`, seconds === undefined ? {} : { seconds }, options),
    shares: async (task, options) =>
      (await read<{ shares: Share[] }>(`${at('/task', task)}/shares`, options)).shares,
    withdrawShare: (task, id, options) => remove(at(`${at('/task', task)}/share`, id), options),
    invitations: async options =>
      (await read<{ invitations: Invitation[] }>('/invitations', options)).invitations,
    withdrawInvitation: (id, options) => remove(at('/invitations', id), options),
    async *accounts(options) {
      let cursor: string | null = null
      do {
        const query: string = cursor === null ? 'limit=200' : `limit=200&cursor=${encodeURIComponent(cursor)}`
        const page: { accounts: Account[]; next: string | null } = await read('/accounts', options, query)
        yield* page.accounts
        cursor = page.next
      } while (cursor !== null)
    },
    async *audit(filter = {}, options) {
      const { actions = [], from, to, ...texts } = filter
      const wanted = new URLSearchParams({
        limit: '200',
        ...texts,
        ...(actions.length > 0 ? { action: actions.join(',') } : {}),
        ...(from === undefined ? {} : { from: new Date(from).toISOString() }),
        ...(to === undefined ? {} : { to: new Date(to).toISOString() }),
      })
      let cursor: string | null = null
      do {
        if (cursor !== null) wanted.set('cursor', cursor)
        const page: { entries: AuditEntry[]; next: string | null } = await read(
          '/audit',
          options,
          wanted.toString(),
        )
        yield* page.entries
        cursor = page.next
      } while (cursor !== null)
    },
    changeAccount: (id, changes, { signal } = {}) =>
      json(at('/accounts', id), { method: 'PATCH', body: changes, signal }),
    deleteAccount: (id, tasks, options) => remove(at('/accounts', id), options, withTasks(tasks)),
    deleteMe: (tasks, options) => remove('/me', options, withTasks(tasks)),
  }
}
