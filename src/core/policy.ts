// Who may do what: the one place that decides it, for every API. It makes actors, and says what each may see and do.
// Pure. docs/access.md shows it as a table.
import { type Actor, type Credential, SCOPES, type Scope, type Via } from './actor.ts'
import { MadhavaError } from './errors.ts'
import type { TaskFilter } from './filter.ts'
import type { Submitter } from './quotas.ts'
import type { TaskRecord } from './task.ts'

export const ACCOUNT_ROLES = ['viewer', 'user', 'operator', 'admin'] as const
/** Of an account. A viewer sees all and changes nothing; a user has tasks of their own; an operator acts on all. */
export type AccountRole = (typeof ACCOUNT_ROLES)[number]

const SCOPES_OF: Readonly<Record<AccountRole, readonly Scope[]>> = {
  viewer: ['read'],
  user: ['read', 'submit'],
  operator: ['read', 'submit', 'operate'],
  admin: SCOPES,
}

export const scopesOfRole = (role: AccountRole): readonly Scope[] => SCOPES_OF[role]

/** What somebody may do who shows neither a login nor a key. */
export const ANONYMOUS = ['full', 'read', 'none'] as const
export type Anonymous = (typeof ANONYMOUS)[number]

const SCOPES_OF_STRANGER: Readonly<Record<Anonymous, readonly Scope[]>> = {
  full: SCOPES_OF.operator,
  read: SCOPES_OF.viewer,
  none: [],
}

/** The actor of a request that shows neither a login nor a key. */
export const strangerOf = (anonymous: Anonymous, via: Via): Actor => ({
  account: null,
  name: null,
  via,
  address: null,
  scopes: SCOPES_OF_STRANGER[anonymous],
  sees: 'all',
  kinds: null,
  task: null,
  credential: null,
})

/** The actor of a link: it reads this task, and may do nothing else. */
export const readerOf = (task: string, credential: Credential): Actor => ({
  ...strangerOf('none', 'rest'),
  sees: 'own',
  task,
  credential,
})

/** The same actor, as somebody at this address. */
export const actorAt = (actor: Actor, address: string | null): Actor => ({ ...actor, address })

/** What the server asks for itself, to show it to those who may see all. */
export const INSIDE: Actor = strangerOf('full', 'dashboard')

/** How a key is narrower than its account. */
export interface KeyBounds {
  scopes: readonly Scope[]
  /** Null: every kind. */
  kinds: readonly string[] | null
  /** Only tasks of the account itself. */
  own: boolean
}

/** @param bounds of the key that was shown; null: a session, which may do all that its account may */
export const actorOf = (
  account: { id: string; name: string; role: AccountRole },
  { via, credential, bounds }: { via: Via; credential: Credential | null; bounds: KeyBounds | null },
): Actor => ({
  account: account.id,
  name: account.name,
  via,
  address: null,
  scopes: scopesOfRole(account.role).filter(scope => bounds === null || bounds.scopes.includes(scope)),
  sees: bounds?.own ? 'own' : account.role === 'user' ? 'own-and-unowned' : 'all',
  kinds: bounds?.kinds ?? null,
  task: null,
  credential,
})

/** Whom quotas count a submit for. */
export const submitterOf = ({ account, credential, address }: Actor): Submitter => ({
  account,
  key: credential?.type === 'key' ? credential.id : null,
  address,
})

export const mayDo = ({ scopes }: Actor, scope: Scope): boolean => scopes.includes(scope)

const WHO: Readonly<Record<Credential['type'], string>> = {
  key: 'This key',
  session: 'This login',
  share: 'This link',
}

/** @throws UNAUTHORIZED when nobody has logged in, SCOPE_MISSING (`detail.scope`) when the login may not do it */
export const demand = (actor: Actor, scope: Scope): void => {
  if (mayDo(actor, scope)) return
  if (actor.account === null)
    throw new MadhavaError('UNAUTHORIZED', `Log in or send a key: this needs the scope ${scope}`)
  throw new MadhavaError(
    'SCOPE_MISSING',
    `${WHO[actor.credential?.type ?? 'session']} lacks the scope ${scope}`,
    {
      detail: { scope },
    },
  )
}

/** Whether an actor sees every task, and so may know how many there are. */
export const seesAll = ({ sees, kinds }: Actor): boolean => sees === 'all' && kinds === null

/** In the filter `owners`: the tasks that nobody owns. */
export const NOBODY = ''
/** No kind has this name, so no task fits. */
const NO_KIND = '-'

/** As in the filter `owners`; null: every owner. */
export const ownersSeen = ({ sees, account }: Actor): string[] | null => {
  if (sees === 'all') return null
  return sees === 'own' ? [account ?? NOBODY] : [account ?? NOBODY, NOBODY]
}

/** The same of uploads. A key for some kinds sees only those of its own account: what they are for is not known. */
export const uploadOwnersSeen = (actor: Actor): string[] | null =>
  actor.kinds === null ? ownersSeen(actor) : [actor.account ?? NOBODY]

const narrowed = (
  filter: TaskFilter,
  owners: string[] | null,
  kinds: readonly string[] | null,
): TaskFilter => {
  const both = kinds && (filter.kinds ? filter.kinds.filter(kind => kinds.includes(kind)) : [...kinds])
  return {
    ...filter,
    ...(owners ? { owners } : {}),
    ...(both ? { kinds: both.length > 0 ? both : [NO_KIND] } : {}),
  }
}

/** The filter, narrowed to what the actor may see. */
export const visibleTo = (filter: TaskFilter, actor: Actor): TaskFilter =>
  narrowed(filter, ownersSeen(actor), actor.kinds)

const mayTouch = (actor: Actor, owner: string | null): boolean =>
  mayDo(actor, 'operate') || owner === actor.account || (owner === null && actor.sees !== 'own')

/** The filter, narrowed to what the actor may change. */
export const touchableBy = (filter: TaskFilter, actor: Actor): TaskFilter => {
  const owners = mayDo(actor, 'operate')
    ? ownersSeen(actor)
    : [actor.account ?? NOBODY, ...(actor.sees === 'own' ? [] : [NOBODY])]
  return narrowed(filter, owners, actor.kinds)
}

/**
 * For a task that the actor sees. @throws UNAUTHORIZED, SCOPE_MISSING when it may not be changed by them
 */
export const demandTouch = (actor: Actor, { owner }: Pick<TaskRecord, 'owner'>): void => {
  demand(actor, 'submit')
  if (!mayTouch(actor, owner)) demand(actor, 'operate')
}

/** @throws KIND_NOT_ALLOWED when the key is not for this kind */
export const demandKind = ({ kinds }: Actor, kind: string): void => {
  if (kinds === null || kinds.includes(kind)) return
  throw new MadhavaError('KIND_NOT_ALLOWED', `This key is for other kinds: ${kinds.join(', ')}`)
}
