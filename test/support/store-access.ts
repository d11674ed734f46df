// A child process that does one thing with accounts and is killed with SIGKILL before one of its writes.
import './cheap-passwords.ts'
import type { Access } from '../../src/access/access.ts'
import type { OidcOptions } from '../../src/access/oidc/options.ts'
import { openAccess } from '../../src/access/open.ts'
import type { Documents } from '../../src/core/documents.ts'
import { silentLog } from '../../src/platform/log.ts'
import type { RoleContext } from './store-roles.ts'

export interface AccessDeed {
  deed: 'register' | 'delete' | 'changePassword' | 'signIn'
  /** How many writes are done before the kill. */
  writes: number
  name: string
  password: string
  newPassword: string
  invitation: string | null
  /** Of a session. */
  token: string
  /** Of a provider as odd-provider.ts makes one; null: there is none. */
  issuer: string | null
}

export interface AccessLine {
  /** It is killed now. */
  dying?: true
  /** It was done before the kill came. */
  done?: true
}

/** Everybody is a user. */
export const oidcOf = (issuer: string): OidcOptions => ({
  issuer,
  clientId: 'madhava',
  clientSecret: null,
  apiUrl: 'http://127.0.0.1:8000',
  dashboardUrl: 'http://127.0.0.1:9001',
  roles: [
    { group: '*', role: 'user' },
    { group: 'admins', role: 'admin' },
  ],
  groupsClaim: 'groups',
  scopes: 'openid',
  name: 'a provider',
})

const ORIGIN = { address: null, agent: null, via: 'rest' } as const

const DEEDS: Record<AccessDeed['deed'], (access: Access, deed: AccessDeed) => Promise<unknown>> = {
  register: (access, { name, password, invitation }) =>
    access.register(access.stranger('rest'), { name, password, invitation, role: null }, ORIGIN),
  async delete(access, { token }) {
    const actor = await access.identify(token, 'rest')
    await access.deleteAccount(actor, actor.account ?? '')
  },
  async changePassword(access, { token, password, newPassword }) {
    await access.changePassword(await access.identify(token, 'rest'), { password, newPassword }, ORIGIN)
  },
  async signIn(access) {
    const { location, cookie } = await access.beginSignIn('rest', null)
    const query = await (await fetch(location)).text()
    await access.endSignIn({ door: 'rest', query, cookieOf: () => cookie.value }, ORIGIN)
  },
}

export const accessRole = async ({ store, tell }: RoleContext, deed: AccessDeed): Promise<void> => {
  let left = deed.writes
  const orDie = async <T>(write: () => Promise<T>): Promise<T> => {
    if (left === 0) {
      tell({ dying: true } satisfies AccessLine)
      process.kill(process.pid, 'SIGKILL')
    }
    left -= 1
    return write()
  }
  const documents: Documents = {
    ...store.documents,
    put: (...asked) => orDie(() => store.documents.put(...asked)),
    remove: (...asked) => orDie(() => store.documents.remove(...asked)),
  }
  const access = openAccess({
    documents,
    feed: store,
    anonymous: 'none',
    registration: 'open',
    oidc: deed.issuer === null ? null : oidcOf(deed.issuer),
    clock: () => new Date(),
    log: silentLog(),
  })
  await DEEDS[deed.deed](access, deed)
  await access.close()
  tell({ done: true } satisfies AccessLine)
}
