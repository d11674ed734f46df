// Who may do what at the dashboard. The only place that decides it: every route, topic and page, /RPC2 and the mounted
// REST API ask here. It decides nothing anew: each deed is something that core/policy.ts says of the actor.
import { isBuiltIn } from '../../access/account.ts'
import type { Actor } from '../../core/actor.ts'
import { MadhavaError } from '../../core/errors.ts'
import {
  ACCOUNT_ROLES,
  type AccountRole,
  mayDo as hasScope,
  scopesOfRole,
  seesAll,
} from '../../core/policy.ts'

/** Who asks. */
export interface Who {
  name: string
  /** The id of the account. */
  account: string
  role: AccountRole
  /** As whom the APIs of tasks and accounts act. */
  actor: Actor
}

/**
 * What can be done at the dashboard. `tasks.look` and `tasks.change` are about the tasks that the actor sees; `look` is
 * everything else that is only read: the processes with their logs, the workers, the machine, the settings, and what
 * counts the tasks of all. `account` is about one's own account, `accounts.change` about those of others, and about who
 * has done what.
 */
export const DEEDS = [
  'tasks.look',
  'tasks.change',
  'look',
  'processes.change',
  'logs.clear',
  'account',
  'accounts.change',
] as const
export type Deed = (typeof DEEDS)[number]

const MAY: Readonly<Record<Deed, (actor: Actor) => boolean>> = {
  'tasks.look': actor => hasScope(actor, 'read'),
  'tasks.change': actor => hasScope(actor, 'submit'),
  look: actor => hasScope(actor, 'read') && seesAll(actor),
  'processes.change': actor => hasScope(actor, 'operate') && seesAll(actor),
  'logs.clear': actor => hasScope(actor, 'operate') && seesAll(actor),
  account: ({ account }) => account !== null,
  'accounts.change': actor => hasScope(actor, 'admin'),
}

/** The greatest role all of whose scopes the actor has: that of its account, where nothing narrows it. */
const roleOf = ({ scopes }: Actor): AccountRole =>
  ACCOUNT_ROLES.findLast(role => scopesOfRole(role).every(scope => scopes.includes(scope))) ?? 'viewer'

/** Null for an actor without an account: the dashboard knows no strangers. */
export const whoIs = (actor: Actor): Who | null => {
  const { account, name } = actor
  return account === null ? null : { name: name ?? account, account, role: roleOf(actor), actor }
}

/** Whether it is a login of the installation itself, whose password is kept elsewhere. */
export const isBuiltInLogin = ({ account }: Who): boolean => isBuiltIn(account)

export const mayDo = ({ actor }: Pick<Who, 'actor'>, deed: Deed): boolean => MAY[deed](actor)

const refusalOf = (who: Who, deed: Deed): string => {
  if (deed === 'accounts.change') return `The login ${who.name} is no admin`
  if (!mayDo(who, 'look')) return `The login ${who.name} sees its own tasks and nothing else`
  return `The login ${who.name} may see everything and change nothing`
}

/** @throws FORBIDDEN */
export const demandRight = (who: Who, deed: Deed): void => {
  if (!mayDo(who, deed)) throw new MadhavaError('FORBIDDEN', refusalOf(who, deed))
}

/** What a method of supervisord's XML-RPC is; a method that is not known changes nothing. */
export const deedOfMethod = (method: string): Deed => {
  if (/^supervisor\.(?:start|stop)/.test(method)) return 'processes.change'
  return /^supervisor\.clear/.test(method) ? 'logs.clear' : 'look'
}

/**
 * What following a topic of the event stream is, by the word before its colon. Those that are for everybody tell each of
 * what they see.
 */
export const DEED_OF_TOPIC = {
  tasks: 'tasks.look',
  task: 'tasks.look',
  'task-log': 'tasks.look',
  dead: 'tasks.look',
  health: 'tasks.look',
  processes: 'look',
  workers: 'look',
  log: 'look',
  figures: 'look',
  overview: 'look',
  troubles: 'look',
} as const satisfies Record<string, Deed>

export type TopicName = keyof typeof DEED_OF_TOPIC
export const isTopic = (word: string): word is TopicName => Object.hasOwn(DEED_OF_TOPIC, word)
