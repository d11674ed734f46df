// Who may do what at the dashboard. The only place that decides it: every route, /RPC2 and the mounted REST API ask
// here. Roles and accounts with rights of their own would change this file, and none that asks it.
import { type BuiltInLogin, ROLE_OF_LOGIN } from '../../access/account.ts'
import type { Actor } from '../../core/actor.ts'
import { MadhavaError } from '../../core/errors.ts'
import { actorAt, actorOf } from '../../core/policy.ts'

/** One of the built-in logins. Its name is its role here. */
export interface LoggedIn {
  name: string
  role: BuiltInLogin
}

/** Who asks. */
export interface Who extends LoggedIn {
  /** Where the request came from; null where that is not known. */
  address: string | null
}

/** What can be done at the dashboard. A request that only reads is `look`. */
export const DEEDS = ['look', 'processes.change', 'logs.clear', 'tasks.change'] as const
export type Deed = (typeof DEEDS)[number]

/** The operator may do everything. The viewer sees the same, and changes nothing. */
const RIGHTS: Record<BuiltInLogin, readonly Deed[]> = { operator: DEEDS, viewer: ['look'] }

/** As whom the APIs of tasks act for a login of the dashboard. */
export const actorOfWho = ({ name, role, address }: Who): Actor =>
  actorAt(
    actorOf(
      { id: name, name, role: ROLE_OF_LOGIN[role] },
      { via: 'dashboard', credential: null, bounds: null },
    ),
    address,
  )

export const mayDo = ({ role }: LoggedIn, deed: Deed): boolean => RIGHTS[role].includes(deed)

/** @throws FORBIDDEN */
export const demandRight = (who: LoggedIn, deed: Deed): void => {
  if (mayDo(who, deed)) return
  throw new MadhavaError('FORBIDDEN', `The login ${who.name} may see everything and change nothing`)
}

const READING = ['GET', 'HEAD', 'OPTIONS']
/** Paths of the REST API whose GET makes a task. A test compares them with what the routes say of themselves. */
const CREATED_BY_GET = /^\/calcpi(?:\/|$)/

/**
 * What a request to the REST API is, when the dashboard mounts it.
 * @param path as the API sees it: without the dashboard's prefix, decoded or not
 */
export const deedOfApi = ({ method, path }: { method: string; path: string }): Deed => {
  if (!READING.includes(method.toUpperCase())) return 'tasks.change'
  return CREATED_BY_GET.test(decoded(path)) ? 'tasks.change' : 'look'
}

const decoded = (path: string): string => {
  try {
    return decodeURIComponent(path).toLowerCase()
  } catch {
    return path.toLowerCase()
  }
}

/** What a method of supervisord's XML-RPC is; a method that is not known changes nothing. */
export const deedOfMethod = (method: string): Deed => {
  if (/^supervisor\.(?:start|stop)/.test(method)) return 'processes.change'
  return /^supervisor\.clear/.test(method) ? 'logs.clear' : 'look'
}
