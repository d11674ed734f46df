// The forms of the documents of what people and programs show: keys, sessions, invitations, tickets and links. Each is kept as a hash:
// who reads the store cannot show any of them.
import { z } from 'zod'
import { accountIdSchema } from './account-forms.ts'
import { SCOPES, type Scope } from './actor.ts'
import type { DocumentForm, Open } from './collection.ts'
import { jsonSchema, time } from './field-types.ts'
import { ACCOUNT_ROLES, type AccountRole } from './policy.ts'

/** SHA-256 in hex. */
const hash = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hex')

export const KEY_NAME_MAX = 100
export const KEY_KINDS_MAX = 100
export const NOTE_MAX = 200
export const ADDRESS_MAX = 100
export const AGENT_MAX = 200

/** For programs. Its `expiresAt` is the end of the key. */
export type Key = Open<{
  account: string
  name: string
  scopes: Scope[]
  /** Null: every kind. */
  kinds: string[] | null
  /** Only tasks of the account itself. */
  own: boolean
  /** Of the whole key. */
  hash: string
  createdAt: string
  lastUsedAt: string | null
}>

export const KEYS: DocumentForm<Key> = {
  version: 1,
  steps: {},
  schema: z
    .object({
      account: accountIdSchema,
      name: z.string().min(1).max(KEY_NAME_MAX),
      scopes: z.array(z.enum(SCOPES)).max(SCOPES.length),
      kinds: z.array(z.string().min(1).max(100)).max(KEY_KINDS_MAX).nullable(),
      own: z.boolean(),
      hash,
      createdAt: time.schema,
      lastUsedAt: time.schema.nullable(),
    })
    .catchall(jsonSchema) as z.ZodType<Key>,
}

/** Of a login. Its `expiresAt` is the end of the session. */
export type Session = Open<{
  account: string
  /** Of the whole token. */
  hash: string
  /** Of the password that was in effect, and how often it had changed: see access/account.ts. */
  password: string
  /** The same of a password that this session is about to set: it holds for that one too, from its first moment. */
  nextPassword?: string
  createdAt: string
  address: string | null
  agent: string | null
}>

export const SESSIONS: DocumentForm<Session> = {
  version: 1,
  steps: {},
  schema: z
    .object({
      account: accountIdSchema,
      hash,
      password: hash,
      nextPassword: hash.optional(),
      createdAt: time.schema,
      address: z.string().max(ADDRESS_MAX).nullable(),
      agent: z.string().max(AGENT_MAX).nullable(),
    })
    .catchall(jsonSchema) as z.ZodType<Session>,
}

/** To make an account. Its `expiresAt` is the end of the invitation. */
export type Invitation = Open<{
  /** Of the whole token. */
  hash: string
  role: AccountRole
  note: string | null
  /** The id of the account that invites. */
  by: string
  /** The id that the account will have: so it is used once, whatever happens meanwhile. */
  account: string
  createdAt: string
}>

export const INVITATIONS: DocumentForm<Invitation> = {
  version: 1,
  steps: {},
  schema: z
    .object({
      hash,
      role: z.enum(ACCOUNT_ROLES),
      note: z.string().max(NOTE_MAX).nullable(),
      by: accountIdSchema,
      account: accountIdSchema,
      createdAt: time.schema,
    })
    .catchall(jsonSchema) as z.ZodType<Invitation>,
}

/** Stands for what somebody has shown, once. Its `expiresAt` is its end. */
export type Ticket = Open<{
  /** Of the whole ticket. */
  hash: string
  credential: { type: 'key' | 'session'; id: string }
}>

export const TICKETS: DocumentForm<Ticket> = {
  version: 1,
  steps: {},
  schema: z
    .object({
      hash,
      credential: z.object({ type: z.enum(['key', 'session']), id: z.string().regex(/^[a-z0-9]{16}$/) }),
    })
    .catchall(jsonSchema) as z.ZodType<Ticket>,
}

/** A link that reads one task. Its `expiresAt` is its end. */
export type Share = Open<{
  task: string
  /** Of the whole token. */
  hash: string
  /** The account that made it; null: a stranger did. */
  by: string | null
  createdAt: string
}>

export const SHARES: DocumentForm<Share> = {
  version: 1,
  steps: {},
  schema: z
    .object({
      task: z.uuid(),
      hash,
      by: accountIdSchema.nullable(),
      createdAt: time.schema,
    })
    .catchall(jsonSchema) as z.ZodType<Share>,
}
