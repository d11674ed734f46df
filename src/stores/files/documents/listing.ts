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

/** Files that are read at the same time: one after the other, a page of many would take long. */
const AT_ONCE = 16

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
  for (let at = 0; at < taken.length; at += AT_ONCE) {
    const some = taken.slice(at, at + AT_ONCE)
    const read = await Promise.all(some.map(name => readDocumentFile(layout, collection, name)))
    for (const [n, found] of read.entries()) {
      if (found.state === 'whole') page.documents.push(found.document)
      if (found.state === 'broken') page.leftOut.push({ name: some[n] ?? '', why: found.why })
    }
  }
  return page
}
