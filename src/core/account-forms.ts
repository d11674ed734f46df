// The forms of the documents that say who has an account: accounts, and the names that are taken. What an account may
// do is decided in core/policy.ts.
import { z } from 'zod'
import type { DocumentForm, Open } from './collection.ts'
import { jsonSchema, time } from './field-types.ts'
import { ACCOUNT_ROLES, type AccountRole } from './policy.ts'

/** What becomes of the tasks of an account that is deleted. */
export const TASKS_OF_DELETED = ['keep', 'remove'] as const
export type TasksOfDeleted = (typeof TASKS_OF_DELETED)[number]

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

/** The most characters of a name, and, in UTF-16 units, of its text. */
export const ACCOUNT_NAME_MAX = 64
const nameText = z
  .string()
  .min(1)
  .max(2 * ACCOUNT_NAME_MAX)
/** Ids of accounts: those of the built-in logins are their names. */
export const accountIdSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be the id of an account')

/** SHA-256 in hex. */
const identityName = z.string().regex(/^[0-9a-f]{64}$/, 'must be the name of an identity')

/** Who may log in. The name of the document is the id of the account. */
export type Account = Open<{
  /** As people write it. */
  name: string
  role: AccountRole
  /** Null: there is none of its own. */
  password: PasswordHash | null
  /** Of a setting. If it is there, it is the only valid one. */
  configured: ConfiguredPassword | null
  /** How often another password has come into effect. So a password that is valid again is not the one it was. */
  changes: number
  /** Null: it was made by a start, or it never came to be. */
  createdAt: string | null
  disabledAt: string | null
  /** The document stays, so that the id is never used again. */
  deletedAt: string | null
  /** The name of the document in `identities` of who signs in as this account; null: nobody, by a provider. */
  identity: string | null
  /** Its tasks are to be removed: when some were there last. Left out: they stay, or none is left. */
  tasksLeftAt?: string
}>

const ROLE_OF_LOGIN: Readonly<Record<string, string>> = { operator: 'admin', viewer: 'viewer' }

export const ACCOUNTS: DocumentForm<Account> = {
  version: 2,
  steps: {
    // in version 1 the role was one of the two logins, and their names
    1: ({ name, data, ...rest }) => ({
      ...rest,
      name,
      data: {
        ...(data as Record<string, unknown>),
        name,
        role: ROLE_OF_LOGIN[String((data as Record<string, unknown>).role)],
        createdAt: null,
        disabledAt: null,
        deletedAt: null,
      },
    }),
  },
  schema: z
    .object({
      name: nameText,
      role: z.enum(ACCOUNT_ROLES),
      password: passwordHash.nullable(),
      configured: configuredPassword.nullable(),
      changes: z.int().min(0).default(0),
      createdAt: time.schema.nullable(),
      disabledAt: time.schema.nullable(),
      deletedAt: time.schema.nullable(),
      // documents of before lack it
      identity: identityName.nullable().default(null),
      tasksLeftAt: time.schema.optional(),
    })
    .catchall(jsonSchema) as z.ZodType<Account>,
}

/** The name of the document is the hash of the name that is taken. */
export type AccountName = Open<{
  /** The id of the account. It need not be there, or may have another name: see access/names.ts. */
  account: string
  /** As the account writes it, for people. */
  name: string
}>

export const ACCOUNT_NAMES: DocumentForm<AccountName> = {
  version: 1,
  steps: {},
  schema: z
    .object({ account: accountIdSchema, name: nameText })
    .catchall(jsonSchema) as z.ZodType<AccountName>,
}

/** Of an issuer, and of what it calls a person: longer ones are no identity. */
export const ISSUER_MAX = 500
export const SUBJECT_MAX = 255

/** Somebody whom a provider knows. The name of the document is a hash of `issuer` and `subject`. */
export type Identity = Open<{
  issuer: string
  /** What the issuer calls the person: never used for another one. */
  subject: string
  /** The id of the account. It need not be there, or may be another person's: see access/oidc/identities.ts. */
  account: string
}>

export const IDENTITIES: DocumentForm<Identity> = {
  version: 1,
  steps: {},
  schema: z
    .object({
      issuer: z.string().min(1).max(ISSUER_MAX),
      subject: z.string().min(1).max(SUBJECT_MAX),
      account: accountIdSchema,
    })
    .catchall(jsonSchema) as z.ZodType<Identity>,
}
