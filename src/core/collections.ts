// The forms of the documents in each collection, and what is wrong with a document. One that has another form cannot be
// used; fields that a form does not name stay as they are, since a later program may have written them.
import { z } from 'zod'
import { ACCOUNT_NAMES, ACCOUNTS, IDENTITIES } from './account-forms.ts'
import { type DocumentForm, type Open, upgradeDocument } from './collection.ts'
import { INVITATIONS, KEYS, SESSIONS, SHARES, TICKETS } from './credential-forms.ts'
import type { CollectionName, Document, DocumentData } from './documents.ts'
import { isMadhavaError } from './errors.ts'
import { jsonSchema } from './field-types.ts'
import { KIND_RELOADS } from './reload/forms.ts'
import { UPLOAD_USES, UPLOADS } from './upload-forms.ts'

const base64url = (bytes: number) => {
  const characters = Math.ceil((bytes * 4) / 3)
  return z.string().regex(new RegExp(`^[A-Za-z0-9_-]{${characters}}$`), `must be base64url of ${bytes} bytes`)
}

/** What the cookies of the dashboard are signed with: base64url of 32 bytes. */
export type Secret = Open<{ key: string }>

export const SECRETS: DocumentForm<Secret> = {
  version: 1,
  steps: {},
  schema: z.object({ key: base64url(32) }).catchall(jsonSchema) as z.ZodType<Secret>,
}

/** That it is there says everything. */
export const ENDED_SIGN_INS: DocumentForm<DocumentData> = {
  version: 1,
  steps: {},
  schema: z.record(z.string(), jsonSchema),
}

/** As those. */
export const ENDED_SESSIONS: DocumentForm<DocumentData> = {
  version: 1,
  steps: {},
  schema: z.record(z.string(), jsonSchema),
}

/** All forms, for what handles documents of every kind: import, fsck, migrations. */
export const FORMS: Readonly<Record<CollectionName, DocumentForm<DocumentData>>> = {
  accounts: ACCOUNTS,
  'account-names': ACCOUNT_NAMES,
  identities: IDENTITIES,
  'ended-sign-ins': ENDED_SIGN_INS,
  'account-keys': KEYS,
  invitations: INVITATIONS,
  sessions: SESSIONS,
  tickets: TICKETS,
  shares: SHARES,
  uploads: UPLOADS,
  'upload-uses': UPLOAD_USES,
  secrets: SECRETS,
  'ended-sessions': ENDED_SESSIONS,
  'kind-reloads': KIND_RELOADS,
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
