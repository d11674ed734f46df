// Accounts, sessions, keys, invitations and the audit over Thrift: the calls, with plain objects on the caller's side.
import types from '../../gen/js/rpcinterface_types.js'
import type {
  Account,
  AccountCalls,
  AuditEntry,
  Invitation,
  Key,
  Login,
  Me,
  Session,
  Share,
} from './accounts.ts'
import type { GeneratedClient } from './rpc-connection.ts'
import { plain } from './rpc-types.ts'

const PAGE = 200

type ShareMade = Share & { token: string }

/** The server sends the roles and scopes that it knows; the types have those of this version. */
const toKey = (struct: types.Key): Key & { key: string } => {
  const { key, ...shown } = plain(struct) as Key & { key: string | null }
  // a list of keys has none
  return (key === null ? shown : { ...shown, key }) as Key & { key: string }
}

const toInvitation = (struct: types.Invitation): Invitation & { invitation: string } => {
  const { invitation, ...shown } = plain(struct) as Invitation & { invitation: string | null }
  return (invitation === null ? shown : { ...shown, invitation }) as Invitation & { invitation: string }
}

/** @param call sends one call, and rejects with RpcError or RpcConnectionError */
export const createRpcAccountCalls = (
  call: <T>(invoke: (client: GeneratedClient) => Promise<T>) => Promise<T>,
): AccountCalls<[]> => ({
  me: async () => plain(await call(client => client.me())) as Me,
  createAccount: async ({ name, password, ...options }) =>
    plain(
      await call(client => client.createAccount(name, password, new types.AccountOptions(options))),
    ) as Account,
  logIn: async (name, password) => plain(await call(client => client.logIn(name, password))) as Login,
  logOut: () => call(client => client.logOut()),
  changePassword: (password, newPassword) => call(client => client.changePassword(password, newPassword)),
  sessions: async () => (await call(client => client.listSessions())).map(plain) as Session[],
  endSession: id => call(client => client.endSession(id)),
  async createKey({ name, scopes, kinds, own, expiresAt }) {
    const end = expiresAt instanceof Date ? expiresAt.toISOString() : expiresAt
    const options = new types.KeyOptions({
      ...(kinds ? { kinds } : {}),
      ...(own === undefined ? {} : { own }),
      ...(end ? { expiresAt: end } : {}),
    })
    return toKey(await call(client => client.createKey(name, scopes, options)))
  },
  keys: async () => (await call(client => client.listKeys())).map(toKey),
  revokeKey: id => call(client => client.revokeKey(id)),
  createInvitation: async ({ role, seconds, note }) =>
    toInvitation(await call(client => client.createInvitation(role ?? '', seconds ?? 0, note ?? ''))),
  invitations: async () => (await call(client => client.listInvitations())).map(toInvitation),
  withdrawInvitation: id => call(client => client.withdrawInvitation(id)),
  share: async (task, seconds) =>
    plain(await call(client => client.shareTask(task, seconds ?? 0))) as ShareMade,
  shares: async task =>
    (await call(client => client.listShares(task))).map(struct => {
      const { token: _, ...shown } = plain(struct) as ShareMade
      return shown
    }),
  withdrawShare: (task, id) => call(client => client.withdrawShare(task, id)),
  async *accounts() {
    let cursor = ''
    do {
      const page: types.AccountPage = await call(client => client.listAccounts(PAGE, cursor))
      yield* page.accounts.map(plain) as Account[]
      cursor = page.nextCursor ?? ''
    } while (cursor !== '')
  },
  async *audit({ from, to, ...filter } = {}) {
    const wanted = new types.AuditFilter({
      ...filter,
      ...(from === undefined ? {} : { timeFrom: new Date(from).toISOString() }),
      ...(to === undefined ? {} : { timeTo: new Date(to).toISOString() }),
    })
    let cursor = ''
    do {
      const page: types.AuditPage = await call(client => client.pageAudit(wanted, PAGE, cursor))
      yield* page.entries.map(plain) as AuditEntry[]
      cursor = page.nextCursor ?? ''
    } while (cursor !== '')
  },
  changeAccount: async (id, changes) =>
    plain(await call(client => client.changeAccount(id, new types.AccountChanges(changes)))) as Account,
  deleteAccount: (id, tasks) => call(client => client.deleteAccount(id, tasks ?? '')),
  async deleteMe(tasks) {
    const { account } = await call(client => client.me())
    // without an account, the server says what is missing
    await call(client => client.deleteAccount(account?.id ?? '', tasks ?? ''))
  },
})
