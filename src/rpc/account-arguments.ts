// What clients send about accounts, keys and invitations -> what Access takes. It checks shapes; Access checks the rest.
import { z } from 'zod'
import type { Access } from '../access/access.ts'
import { ACCESS_BOUNDS } from '../access/bounds.ts'
import { TASKS_OF_DELETED, type TasksOfDeleted } from '../core/account-forms.ts'
import { SCOPES } from '../core/actor.ts'
import { MadhavaError } from '../core/errors.ts'
import { instant } from '../core/instant.ts'
import { ACCOUNT_ROLES } from '../core/policy.ts'
import { parseStruct, toText } from './arguments.ts'

const { invitationSeconds } = ACCESS_BOUNDS
const oneOf = (words: readonly string[]): string => `must be one of ${words.join(', ')}`
const role = z.enum(ACCOUNT_ROLES, oneOf(ACCOUNT_ROLES))
/** `field` names a text that is an argument of its own. */
const textOf = (value: unknown, field: string, most: number): string =>
  parseStruct(z.string().max(most), toText(value, field), `The argument ${field}`)

const password = z.string().max(ACCESS_BOUNDS.password)
const accountOptions = z.object({ invitation: z.string().max(ACCESS_BOUNDS.invitation), role }).partial()
const keyOptions = z
  .object({
    kinds: z.array(z.string().max(ACCESS_BOUNDS.kindName)).min(1).max(ACCESS_BOUNDS.kinds),
    own: z.boolean(),
    expiresAt: instant,
  })
  .partial()
const keyScopes = z.array(z.enum(SCOPES, oneOf(SCOPES))).min(1)
const accountChanges = z.object({ role, disabled: z.boolean(), password }).partial()

/** @throws BAD_REQUEST */
export const toPassword = (value: unknown, field: string): string =>
  textOf(value, field, ACCESS_BOUNDS.password)

/** @throws BAD_REQUEST */
export const toLogin = (name: unknown, password: unknown) => ({
  name: textOf(name, 'name', ACCESS_BOUNDS.name),
  password: toPassword(password, 'password'),
})

/** @throws BAD_REQUEST */
export const toNewAccount = (name: unknown, password: unknown, options: unknown) => {
  const { invitation = null, role = null } = parseStruct(accountOptions, options, 'The argument options')
  return { ...toLogin(name, password), invitation, role }
}

/** @throws BAD_REQUEST */
export const toNewKey = (name: unknown, scopes: unknown, options: unknown) => {
  const {
    kinds = null,
    own = false,
    expiresAt = null,
  } = parseStruct(keyOptions, options, 'The argument options')
  const text = textOf(name, 'name', ACCESS_BOUNDS.keyName)
  if (text === '') throw new MadhavaError('BAD_REQUEST', 'The argument name is empty')
  return {
    name: text,
    scopes: parseStruct(keyScopes, scopes ?? [], 'The argument scopes'),
    kinds,
    own,
    expiresAt,
  }
}

/** Without a role, a user; without a time, a week. @throws BAD_REQUEST */
export const toNewInvitation = (wantedRole: unknown, seconds: unknown, note: unknown) => {
  const text = note === null ? '' : textOf(note, 'note', ACCESS_BOUNDS.note)
  return {
    role: parseStruct(role, wantedRole || 'user', 'The argument role'),
    seconds: parseStruct(
      z.int().min(invitationSeconds.min).max(invitationSeconds.max),
      seconds || invitationSeconds.default,
      'The argument seconds',
    ),
    note: text === '' ? null : text,
  }
}

/** @throws BAD_REQUEST */
export const toAccountChanges = (changes: unknown): Parameters<Access['changeAccount']>[2] => {
  const { role, disabled, password } = parseStruct(accountChanges, changes, 'The argument changes')
  return {
    ...(role === undefined ? {} : { role }),
    ...(disabled === undefined ? {} : { disabled }),
    ...(password === undefined ? {} : { password }),
  }
}

/** Left out or empty: they stay. @throws BAD_REQUEST */
export const toTasksOfDeleted = (value: unknown): TasksOfDeleted =>
  parseStruct(z.enum(TASKS_OF_DELETED, oneOf(TASKS_OF_DELETED)), value || 'keep', 'The argument tasks')
