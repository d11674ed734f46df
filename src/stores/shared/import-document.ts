// Where an imported document goes: made, in the place of an older one, or nowhere, with the reason. It writes through
// the port and knows nothing of lines.
import { isDeepStrictEqual } from 'node:util'
import { flawOfDocument } from '../../core/collections.ts'
import {
  type CollectionName,
  type Document,
  type Documents,
  EXPORTED_COLLECTIONS,
} from '../../core/documents.ts'
import { isMadhavaError } from '../../core/errors.ts'
import type { DocumentLine } from './export-format.ts'
import type { ImportOutcome } from './import-task.ts'

/** Whether two documents say the same, whenever they were written. */
export const sameDocument = (a: Document, b: Document): boolean =>
  isDeepStrictEqual({ ...a, rev: 0 }, { ...b, rev: 0 })

/** The collection that an export may have; null for any other. */
export const exportedCollection = (name: string): CollectionName | null =>
  EXPORTED_COLLECTIONS.find(collection => collection === name) ?? null

/** `<collection>/<name>`, as people are told of a document. */
export const placeOf = ({ collection, document }: DocumentLine): string => `${collection}/${document.name}`

export interface DocumentImportDeps {
  documents: Documents
  /** A document that is there and older by its rev is replaced. */
  replace: boolean
  onRefused: (place: string, why: string) => void
}

/** @throws STORE_UNAVAILABLE, STORE_FULL */
export const createDocumentImport =
  ({ documents, replace, onRefused }: DocumentImportDeps) =>
  async (line: DocumentLine): Promise<ImportOutcome> => {
    const { document } = line
    const refuse = (why: string): ImportOutcome => {
      onRefused(placeOf(line), why)
      return 'refused'
    }
    const collection = exportedCollection(line.collection)
    if (!collection) return refuse('this version takes in no such collection')
    const flaw = flawOfDocument(collection, document)
    if (flaw) return refuse(flaw.why)
    try {
      const there = await documents.get(collection, document.name)
      if (there && sameDocument(there, document)) return 'unchanged'
      if (there && (!replace || document.rev <= there.rev)) return 'left'
      await documents.put(collection, document.name, document, there?.rev ?? null)
      return there ? 'replaced' : 'created'
    } catch (error) {
      if (isMadhavaError(error, 'DOCUMENT_INVALID')) return refuse(error.message)
      if (isMadhavaError(error, 'DOCUMENT_CHANGED')) return refuse('another process has just written it')
      throw error
    }
  }
