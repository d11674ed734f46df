// The forms of all collections in one table, for what handles documents of every kind: import, fsck, migrations.
import { type DocumentForm, upgradeDocument } from './collection.ts'
import { ACCOUNTS, ENDED_SESSIONS, SECRETS } from './collections.ts'
import type { CollectionName, Document, DocumentData } from './documents.ts'
import { isMadhavaError } from './errors.ts'

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
