// The documents of the built-in logins: how they are read and written. Which password of one counts, access/account.ts
// says.
import { type BuiltInLogin, ROLE_OF_LOGIN } from '../../access/account.ts'
import { ACCOUNTS, type Account } from '../../core/account-forms.ts'
import { openCollection, orIfInvalid, type TypedDocument, upgradeDocument } from '../../core/collection.ts'
import { type DocumentFlaw, flawOfDocument } from '../../core/collections.ts'
import type { Document, Documents, ExpectedRev } from '../../core/documents.ts'
import { isMadhavaError, MadhavaError } from '../../core/errors.ts'

export type Login = TypedDocument<Account>

/** The setting that may have the password of a role. */
export const PASSWORD_SETTING: Record<BuiltInLogin, string> = {
  operator: 'DASHBOARD_PASSWORD',
  viewer: 'DASHBOARD_VIEWER_PASSWORD',
}

/** What is there for a role. */
export interface FoundLogin {
  /** Null: there is none that can be used. */
  login: Login | null
  /** Why what is there cannot be used; null: it can, or nothing is there. */
  flaw: DocumentFlaw | null
  /** To write in its place. */
  rev: ExpectedRev
}

export interface Logins {
  /** Also what cannot be used. @throws STORE_UNAVAILABLE */
  look(role: BuiltInLogin): Promise<FoundLogin>
  /** Null: there is none. @throws CONFIG_INVALID when what is there cannot be used, STORE_UNAVAILABLE */
  get(role: BuiltInLogin): Promise<Login | null>
  /** @throws DOCUMENT_CHANGED, STORE_UNAVAILABLE, STORE_FULL */
  put(role: BuiltInLogin, account: Account, rev: ExpectedRev): Promise<void>
}

/** For people: which login it is, why, and what helps. @returns CONFIG_INVALID */
export const cannotBeUsed = (role: BuiltInLogin, { isLater, why }: DocumentFlaw): MadhavaError => {
  const mend = `\`node bin/reset-password.mjs${role === 'viewer' ? ' --viewer' : ''}\` makes it anew, with a new password`
  return new MadhavaError(
    'CONFIG_INVALID',
    `The login ${role} cannot be used (${why}); ${isLater ? 'run the later version that wrote it, or ' : ''}${mend}`,
  )
}

/** A login that has no password yet. */
export const emptyAccount = (login: BuiltInLogin): Account => ({
  name: login,
  role: ROLE_OF_LOGIN[login],
  password: null,
  configured: null,
  changes: 0,
  createdAt: null,
  disabledAt: null,
  deletedAt: null,
  identity: null,
})

/** What can be said of the document of a login. */
const judge = (role: BuiltInLogin, document: Document): FoundLogin => {
  const { rev } = document
  const flaw = flawOfDocument('accounts', document)
  if (flaw) return { login: null, flaw, rev }
  const login = upgradeDocument('accounts', ACCOUNTS, document)
  if (login.data.role === ROLE_OF_LOGIN[role]) return { login, flaw: null, rev }
  return { login: null, flaw: { isLater: false, why: `its role is ${login.data.role}` }, rev }
}

export const openLogins = (documents: Documents): Logins => {
  const accounts = openCollection(documents, 'accounts', ACCOUNTS)
  const look = async (role: BuiltInLogin): Promise<FoundLogin> => {
    const found = await orIfInvalid(documents.get('accounts', role), error => error)
    if (found === null) return { login: null, flaw: null, rev: null }
    if (!isMadhavaError(found)) return judge(role, found)
    return { login: null, flaw: { isLater: false, why: found.message }, rev: 'any' }
  }
  return {
    look,
    async get(role) {
      const { login, flaw } = await look(role)
      if (flaw) throw cannotBeUsed(role, flaw)
      return login
    },
    async put(role, account, rev) {
      await accounts.put(role, { data: account }, rev)
    },
  }
}
