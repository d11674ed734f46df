// The documents in a collection's folder, page by page. It only reads.
import { readdir } from 'node:fs/promises'
import {
  type CollectionName,
  type DocumentPage,
  type PageOfDocuments,
  parseDocumentCursor,
} from '../../../core/documents.ts'
import { isErrno } from '../errno.ts'
import type { Layout } from '../layout.ts'
import { nameOfDocumentFile, readDocumentFile } from './document-file.ts'

/** The names in a collection, in order. A copy of a folder may lack those that are empty. */
export const namesIn = async (layout: Layout, collection: CollectionName): Promise<string[]> => {
  const files = await readdir(layout.collection(collection)).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  })
  return files.flatMap(file => nameOfDocumentFile(file) ?? []).sort()
}

/** @throws BAD_CURSOR, and what the file system says */
export const pageIn = async (
  layout: Layout,
  collection: CollectionName,
  { limit, cursor }: PageOfDocuments,
): Promise<DocumentPage> => {
  const after = parseDocumentCursor(cursor) ?? ''
  const names = (await namesIn(layout, collection)).filter(name => name > after)
  const taken = names.slice(0, limit)
  const page: DocumentPage = {
    documents: [],
    leftOut: [],
    next: names.length > limit ? (taken.at(-1) ?? null) : null,
  }
  for (const name of taken) {
    const found = await readDocumentFile(layout, collection, name)
    if (found.state === 'whole') page.documents.push(found.document)
    if (found.state === 'broken') page.leftOut.push({ name, why: found.why })
  }
  return page
}
