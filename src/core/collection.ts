// A collection of documents with types: what its data may be, and how documents of earlier versions are upgraded when
// they are read. Everything above the stores goes through here.
import type { z } from 'zod'
import type { CollectionName, Document, DocumentData, Documents, ExpectedRev } from './documents.ts'
import { isMadhavaError, MadhavaError } from './errors.ts'
import { formatFirstProblem } from './problems.ts'
import { createUpgrade, type UpgradeStep } from './upgrade.ts'

/** A type of data, in which further fields may stand: a later program may have written them. */
export type Open<Fields> = DocumentData & Fields

/** The form of a collection's documents. */
export interface DocumentForm<Data extends DocumentData> {
  /** The present one. */
  version: number
  /** Step n turns a whole document of version n into one of version n + 1. */
  steps: Readonly<Record<number, UpgradeStep>>
  schema: z.ZodType<Data>
}

export interface TypedDocument<Data> {
  name: string
  rev: number
  expiresAt: string | null
  data: Data
}

/** As `Documents`, for one collection, with data of its type. */
export interface Collection<Data> {
  /** @throws DOCUMENT_INVALID when it is not of the collection's form, or of a later version */
  get(name: string): Promise<TypedDocument<Data> | null>
  /** Documents that are not of the form are left out. */
  list(page: {
    limit: number
    cursor: string | null
  }): Promise<{ documents: TypedDocument<Data>[]; next: string | null }>
  put(
    name: string,
    content: { data: Data; expiresAt?: string | null },
    rev: ExpectedRev,
  ): Promise<TypedDocument<Data>>
  remove(name: string, rev: number | 'any'): Promise<void>
}

/** A document in the present version. @throws DOCUMENT_INVALID with what is wrong with it */
export const upgradeDocument = <Data extends DocumentData>(
  collection: string,
  { version, steps, schema }: DocumentForm<Data>,
  document: Document,
): TypedDocument<Data> => {
  const invalid = (why: string): MadhavaError =>
    new MadhavaError('DOCUMENT_INVALID', `The document ${collection}/${document.name} cannot be used: ${why}`)
  if (document.version > version)
    throw invalid(`it has version ${document.version}, and this program knows ${version}`)
  const { name, rev, expiresAt, data } = createUpgrade(steps, version)(document) as Document
  const parsed = schema.safeParse(data)
  if (!parsed.success) throw invalid(formatFirstProblem(parsed.error, 'data'))
  return { name, rev, expiresAt, data: parsed.data }
}

/** What was read, or `otherwise` of the error when what is there cannot be used. @throws as the read, else */
export const orIfInvalid = async <T, Other>(
  reading: Promise<T>,
  otherwise: (error: MadhavaError) => Other,
): Promise<T | Other> => {
  try {
    return await reading
  } catch (error) {
    if (isMadhavaError(error, 'DOCUMENT_INVALID')) return otherwise(error)
    throw error
  }
}

export const openCollection = <Data extends DocumentData>(
  documents: Documents,
  collection: CollectionName,
  form: DocumentForm<Data>,
): Collection<Data> => {
  const toTyped = (document: Document) => upgradeDocument(collection, form, document)
  const toTypedIfSound = (document: Document): TypedDocument<Data>[] => {
    try {
      return [toTyped(document)]
    } catch (error) {
      if (isMadhavaError(error, 'DOCUMENT_INVALID')) return []
      throw error
    }
  }
  return {
    async get(name) {
      const document = await documents.get(collection, name)
      return document && toTyped(document)
    },
    async list(page) {
      const { documents: found, next } = await documents.list(collection, page)
      return { documents: found.flatMap(toTypedIfSound), next }
    },
    async put(name, { data, expiresAt = null }, rev) {
      return toTyped(await documents.put(collection, name, { version: form.version, expiresAt, data }, rev))
    },
    remove: (name, rev) => documents.remove(collection, name, rev),
  }
}
