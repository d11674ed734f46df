// The forms of the documents in each collection, and what is wrong with a document. One that has another form cannot be
// used; fields that a form does not name stay as they are, since a later program may have written them.
import { z } from 'zod'
import { type DocumentForm, upgradeDocument } from './collection.ts'
import type { CollectionName, Document, DocumentData } from './documents.ts'
import { isMadhavaError } from './errors.ts'
import { jsonSchema, time } from './field-types.ts'

/** A type of data, in which further fields may stand. */
type Open<Fields> = DocumentData & Fields

const base64url = (bytes: number) => {
  const characters = Math.ceil((bytes * 4) / 3)
  return z.string().regex(new RegExp(`^[A-Za-z0-9_-]{${characters}}$`), `must be base64url of ${bytes} bytes`)
}

/** A password as it is kept. `salt` and `hash` are base64url. */
export type PasswordHash = Open<{ scrypt: { N: number; r: number; p: number }; salt: string; hash: string }>

/** The password of a setting. `bundles`: those that have it as their setting, each with the time of its last start. */
export type ConfiguredPassword = PasswordHash & { bundles: Record<string, string> }

const HASH_MEMORY_MAX = 64 * 1024 * 1024
const isPowerOfTwo = (n: number): boolean => Number.isInteger(Math.log2(n))
/** The memory of one check, bytes. */
const memoryOf = ({ N, r }: { N: number; r: number }): number => 128 * N * r

// what a check costs is bounded: a document of another origin must not use up the memory or the processor
const hashFields = {
  scrypt: z
    .object({
      N: z
        .int()
        .min(1024)
        .max(2 ** 17)
        .refine(isPowerOfTwo, 'must be a power of two'),
      r: z.int().min(1).max(16),
      p: z.int().min(1).max(16),
    })
    .refine(cost => memoryOf(cost) <= HASH_MEMORY_MAX, `must not take more than ${HASH_MEMORY_MAX} bytes`),
  // 12 to 96 bytes: those of earlier programs too
  salt: z.string().regex(/^[A-Za-z0-9_-]{16,128}$/),
  hash: z.string().regex(/^[A-Za-z0-9_-]{16,128}$/),
}
const passwordHash = z.object(hashFields).catchall(jsonSchema)
const configuredPassword = z
  .object({ ...hashFields, bundles: z.record(z.string().regex(/^[a-z0-9]{1,64}$/), time.schema) })
  .catchall(jsonSchema)

export const ACCOUNT_ROLES = ['operator', 'viewer'] as const
export type AccountRole = (typeof ACCOUNT_ROLES)[number]

/** Who may log in. The name of the document is that of the login. */
export type Account = Open<{
  role: AccountRole
  /** Made at the first start or by bin/reset-password.mjs. */
  password: PasswordHash | null
  /** Of a setting. If it is there, it is the only valid one. */
  configured: ConfiguredPassword | null
  /** How often another password has come into effect. So a password that is valid again is not the one it was. */
  changes: number
}>

export const ACCOUNTS: DocumentForm<Account> = {
  version: 1,
  steps: {},
  schema: z
    .object({
      role: z.enum(ACCOUNT_ROLES),
      password: passwordHash.nullable(),
      configured: configuredPassword.nullable(),
      changes: z.int().min(0).default(0),
    })
    .catchall(jsonSchema) as z.ZodType<Account>,
}

/** What sessions are signed with: base64url of 32 bytes. */
export type Secret = Open<{ key: string }>

export const SECRETS: DocumentForm<Secret> = {
  version: 1,
  steps: {},
  schema: z.object({ key: base64url(32) }).catchall(jsonSchema) as z.ZodType<Secret>,
}

/** That it is there says everything. */
export const ENDED_SESSIONS: DocumentForm<DocumentData> = {
  version: 1,
  steps: {},
  schema: z.record(z.string(), jsonSchema),
}

/** All forms, for what handles documents of every kind: import, fsck, migrations. */
export const FORMS: Readonly<Record<CollectionName, DocumentForm<DocumentData>>> = {
  accounts: ACCOUNTS,
  secrets: SECRETS,
  'ended-sessions': ENDED_SESSIONS,
}

export interface DocumentFlaw {
  /** A later program wrote it, and it may be sound. */
  isLater: boolean
  /** In words. */
  why: string
}

/** Why this program cannot use a document; null when it can. */
export const flawOfDocument = (
  collection: CollectionName,
  document: Document,
  form: DocumentForm<DocumentData> = FORMS[collection],
): DocumentFlaw | null => {
  try {
    upgradeDocument(collection, form, document)
    return null
  } catch (error) {
    if (!isMadhavaError(error, 'DOCUMENT_INVALID')) throw error
    return { isLater: document.version > form.version, why: error.message }
  }
}
