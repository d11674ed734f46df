// What clients send about accounts, keys and invitations -> what Access takes. It checks shapes; Access checks the rest.
import { z } from 'zod'
import type { Access } from '../access/access.ts'
import { SCOPES, type Scope } from '../core/actor.ts'
import { instant } from '../core/instant.ts'
import { ACCOUNT_ROLES, type AccountRole } from '../core/policy.ts'
import { parseStruct, toText } from './arguments.ts'

const oneOf = (words: readonly string[]): string => `must be one of ${words.join(', ')}`
const role = z.enum(ACCOUNT_ROLES, oneOf(ACCOUNT_ROLES))

const accountOptions = z.object({ invitation: z.string(), role }).partial()
const keyOptions = z.object({ kinds: z.array(z.string()), own: z.boolean(), expiresAt: instant }).partial()
const accountChanges = z.object({ role, disabled: z.boolean(), password: z.string() }).partial()

/** @throws BAD_REQUEST */
export const toNewAccount = (name: unknown, password: unknown, options: unknown) => {
  const { invitation = null, role = null } = parseStruct(accountOptions, options, 'options')
  return { name: toText(name, 'name'), password: toText(password, 'password'), invitation, role }
}

/** @throws BAD_REQUEST */
export const toNewKey = (name: unknown, scopes: unknown, options: unknown) => {
  const { kinds = null, own = false, expiresAt = null } = parseStruct(keyOptions, options, 'options')
  const wanted: Scope[] = parseStruct(z.array(z.enum(SCOPES, oneOf(SCOPES))), scopes ?? [], 'scopes')
  return { name: toText(name, 'name'), scopes: wanted, kinds, own, expiresAt }
}

/** @throws BAD_REQUEST */
export const toNewInvitation = (wantedRole: unknown, seconds: unknown, note: unknown) => {
  const text = note === null ? '' : toText(note, 'note')
  return {
    role: parseStruct(role, wantedRole ?? '', 'role') as AccountRole,
    seconds: parseStruct(z.int().min(1, 'must be 1 or more'), seconds ?? 0, 'seconds'),
    note: text === '' ? null : text,
  }
}

/** @throws BAD_REQUEST */
export const toAccountChanges = (changes: unknown): Parameters<Access['changeAccount']>[2] => {
  const { role, disabled, password } = parseStruct(accountChanges, changes, 'changes')
  return {
    ...(role === undefined ? {} : { role }),
    ...(disabled === undefined ? {} : { disabled }),
    ...(password === undefined ? {} : { password }),
  }
}
