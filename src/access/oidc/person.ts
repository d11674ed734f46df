// What the claims of a provider say of a person: who it is, the groups, and what the account may be called. Pure.
// Claims are a stranger's text as far as the name goes: people choose some of them.
import { createHash } from 'node:crypto'
import { ACCOUNT_NAME_MAX, SUBJECT_MAX } from '../../core/account-forms.ts'

export type Claims = Readonly<Record<string, unknown>>

/** Who somebody is, for good: names and addresses change hands. */
export interface Person {
  issuer: string
  subject: string
}

/** The name of the document of a person. */
export const identityNameOf = ({ issuer, subject }: Person): string =>
  createHash('sha256')
    .update(JSON.stringify([issuer, subject]))
    .digest('hex')

/** Null: the claims do not say it. */
export const personOf = ({ iss, sub }: Claims): Person | null =>
  typeof iss === 'string' && typeof sub === 'string' && sub !== '' && sub.length <= SUBJECT_MAX
    ? { issuer: iss, subject: sub }
    : null

const GROUPS_MAX = 10_000
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A claim by its name, or by the path to one inside another: names may have dots too. Undefined: there is none. */
export const claimAt = (claims: Claims, name: string): unknown => {
  if (Object.hasOwn(claims, name)) return claims[name]
  let value: unknown = claims
  for (const part of name.split('.')) {
    if (!isRecord(value) || !Object.hasOwn(value, part)) return undefined
    value = value[part]
  }
  return value
}

/**
 * The claims, and what others say beside them, also inside of one: an ID token may have the half of what userinfo has.
 * `claims` count where both say something.
 */
export const mergedClaims = (claims: Claims, more: Claims): Claims =>
  Object.fromEntries(
    Object.entries({ ...more, ...claims }).map(([name, value]) => {
      const other = Object.hasOwn(more, name) ? more[name] : undefined
      if (isRecord(value) && isRecord(other)) return [name, mergedClaims(value, other)]
      return [name, value ?? other]
    }),
  )

/** The groups that a claim names: a list, or a single one. */
export const groupsOf = (claims: Claims, claim: string): string[] => {
  const value = claimAt(claims, claim)
  const list: unknown[] = Array.isArray(value) ? value.slice(0, GROUPS_MAX) : [value]
  return list.filter(group => typeof group === 'string')
}

/** Characters that are looked at: what follows would be cut off all the same. */
const LOOKED_AT = 4 * ACCOUNT_NAME_MAX
/** Leaves room for the longest suffix. */
const NAME_KEPT = ACCOUNT_NAME_MAX - 8

/** Without what the name of an account cannot have; '' when nothing is left. */
const cleaned = (text: unknown): string => {
  if (typeof text !== 'string') return ''
  const kept = text
    .slice(0, LOOKED_AT)
    .normalize('NFKC')
    .replace(/[^\p{L}0-9._+@-]+/gu, '-')
    .replace(/^[^\p{L}0-9]+/u, '')
  return [...kept].slice(0, NAME_KEPT).join('').replace(/-+$/, '')
}

/** What the account may be called, as far as the person can say: another one may have the name. */
export const wantedNameOf = ({ preferred_username: login, email, name }: Claims): string => {
  const local = typeof email === 'string' ? email.split('@')[0] : ''
  return [login, local, name].map(cleaned).find(text => text !== '') ?? 'user'
}

const SUFFIXES = 20

/** Names to try one after the other: as it is, then with a number, then with `random`, which is as good as free. */
export const namesToTry = (wanted: string, random: string): string[] => [
  wanted,
  ...Array.from({ length: SUFFIXES - 1 }, (_, n) => `${wanted}-${n + 2}`),
  `${wanted}-${random}`,
]
