// Port: the audit, where it is kept who has changed what. Entries are added and never changed. test/suites/audit.ts
// defines its meaning and runs on every adapter. What is written into it is decided in core/audit-recorder.ts.
import type { Via } from './actor.ts'
import { MadhavaError } from './errors.ts'

/** Everything that can stand in an entry as `action`, and when. docs/access.md shows the table. */
export const AUDIT_ACTIONS = {
  'task.submit': 'a task was submitted',
  'task.cancel': 'a task was cancelled, or its cancel requested',
  'task.retry': 'an ended task runs again',
  'task.edit': 'the texts of a task that people do were changed',
  'task.complete': 'somebody completed a task that people do',
  'task.delete': 'an ended task was deleted',
  'tasks.cancel': 'the same for many tasks by a filter',
  'tasks.retry': 'the same for many tasks by a filter',
  'tasks.delete': 'the same for many tasks by a filter',
  'dead.replay': 'a dead task or message runs again',
  'dead.discard': 'a dead task or message was deleted',
  'upload.create': 'a file was uploaded',
  'upload.delete': 'an upload was removed',
  login: 'somebody logged in',
  'login.failed': 'a name or a password was wrong, or a person whom the provider knows was refused',
  logout: 'somebody logged out',
  'session.end': 'somebody ended another session of theirs',
  'password.change': 'somebody changed their own password',
  'password.reset': 'a tool set the password of a login of the installation',
  'account.register': 'an account was made',
  'account.change': 'an admin changed an account, or the groups of its owner its role',
  'account.delete': 'an account was deleted; `tasks=remove`: with its tasks',
  'key.create': 'a key was made',
  'key.revoke': 'a key was revoked',
  'invitation.create': 'an invitation was made',
  'invitation.withdraw': 'an invitation was withdrawn',
  'share.create': 'a link to a task was made',
  'share.withdraw': 'the link of a task was withdrawn',
  'kinds.reload': 'the files of kinds were read again, in all processes',
  'process.start': 'processes were started',
  'process.stop': 'processes were stopped',
  'process.restart': 'processes were restarted',
  'logs.clear': 'the logs of processes were cleared',
} as const satisfies Record<string, string>
export type AuditAction = keyof typeof AUDIT_ACTIONS
export const AUDIT_ACTION_NAMES = Object.keys(AUDIT_ACTIONS) as AuditAction[]

export const AUDIT_VIAS = ['rest', 'rpc', 'dashboard', 'tool'] as const satisfies readonly (Via | 'tool')[]
export type AuditVia = (typeof AUDIT_VIAS)[number]

/** The outcome of what was done. */
export const DONE = 'done'
/** The outcome where the process ended before it could say. */
export const UNKNOWN = 'unknown'

export interface AuditEntry {
  /** A UUID of version 7. Entries of one time are in the order of their ids. */
  id: string
  /** When it was done, ISO-8601. */
  at: string
  /** Null: nobody had logged in. */
  actor: { account: string; name: string } | null
  via: AuditVia
  action: AuditAction
  /** What it was done to: an id first, then what else there is to say. Null: nothing that has a name. */
  target: string | null
  /** `done`, `unknown`, or the code of the error. */
  outcome: string
  /** Where it came from; null where that is not known. */
  address: string | null
}

/** An entry must fit all that the filter names. */
export interface AuditFilter {
  /** The id or the name of an account; '' for nobody. */
  actor?: string | undefined
  actions?: readonly AuditAction[] | undefined
  /** The whole target, or its first word: an id. */
  target?: string | undefined
  outcome?: string | undefined
  /** ISO-8601, inclusive. */
  from?: string | undefined
  /** ISO-8601, exclusive. */
  to?: string | undefined
}

/** Newest first. `next` continues after it; null at the end. A page can hold few entries or none and not be the last. */
export interface AuditPage {
  entries: AuditEntry[]
  next: string | null
}

export interface AuditTrail {
  /**
   * Says what is about to be done; nobody sees it. If this process dies before `end`, `settle` makes it an entry with
   * the outcome `unknown`. It is there after a kill of the process when it resolves.
   * @throws STORE_FULL, STORE_UNAVAILABLE
   */
  begin(entry: Omit<AuditEntry, 'outcome'>): Promise<void>
  /** Puts the entry in the place of what was begun under this id. Null: nothing was done. Durable. */
  end(id: string, entry: AuditEntry | null): Promise<void>
  /**
   * Durable and visible to every reader when it resolves. `soon`: safe from a kill of the process at once, and from a
   * power cut a moment later. An entry that is there already is not added again where the adapter can tell.
   */
  add(entries: readonly AuditEntry[], options?: { soon?: boolean }): Promise<void>
  /** @throws BAD_CURSOR, STORE_UNAVAILABLE */
  page(filter: AuditFilter, page: { limit: number; cursor: string | null }): Promise<AuditPage>
  /** Makes entries of what dead processes have begun; returns how many. */
  settle(): Promise<number>
  /** Removes what is older. An adapter may keep the rest of that day. */
  removeBefore(at: string): Promise<void>
}

/** Entries that one page looks at. */
export const AUDIT_LOOK_AT = 20_000

/** Whether an entry fits all that the filter names. */
export const fitsAudit = (
  { actor, action, target, outcome, at }: AuditEntry,
  wanted: AuditFilter,
): boolean => {
  const isActor = (name: string): boolean =>
    actor === null ? name === '' : actor.account === name || actor.name === name
  return (
    (wanted.from === undefined || at >= wanted.from) &&
    (wanted.to === undefined || at < wanted.to) &&
    (wanted.actor === undefined || isActor(wanted.actor)) &&
    (!wanted.actions?.length || wanted.actions.includes(action)) &&
    (wanted.outcome === undefined || outcome === wanted.outcome) &&
    (wanted.target === undefined ||
      target === wanted.target ||
      target?.startsWith(`${wanted.target} `) === true)
  )
}

/** The order of entries, as text: by time, then by id. */
export const auditKey = ({ at, id }: Pick<AuditEntry, 'at' | 'id'>): string => `${at} ${id}`

const KEY = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const CURSOR_LENGTH = 128

export const encodeAuditCursor = (entry: Pick<AuditEntry, 'at' | 'id'>): string =>
  Buffer.from(auditKey(entry)).toString('base64url')

/** The key of the entry that the page comes after; null at the beginning. @throws BAD_CURSOR */
export const decodeAuditCursor = (cursor: string | null): string | null => {
  if (cursor === null) return null
  const key = cursor.length > CURSOR_LENGTH ? '' : Buffer.from(cursor, 'base64url').toString()
  if (KEY.test(key) && !Number.isNaN(Date.parse(key.slice(0, 24)))) return key
  throw new MadhavaError('BAD_CURSOR')
}
