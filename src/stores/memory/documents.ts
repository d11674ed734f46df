// Documents in memory. Every call acts in one synchronous step.
import {
  type CollectionName,
  checkContent,
  type Document,
  type Documents,
  expectRev,
  nextRev,
  parseDocumentCursor,
  parseDocumentName,
} from '../../core/documents.ts'
import type { MemoryFeed } from './feed.ts'

/** By collection, then by name. */
export type StoredDocuments = Map<CollectionName, Map<string, Document>>

interface DocumentsDeps {
  stored: StoredDocuments
  feed: MemoryFeed
  clock: () => Date
  /** @throws when the store is closed */
  open: () => void
}

export const createDocuments = ({ stored, feed, clock, open }: DocumentsDeps): Documents => {
  const inside = (collection: CollectionName): Map<string, Document> => {
    open()
    const found = stored.get(collection) ?? new Map<string, Document>()
    stored.set(collection, found)
    return found
  }
  const drop = (collection: CollectionName, name: string): void => {
    if (inside(collection).delete(name)) feed.add({ type: 'document', collection, name })
  }

  return {
    async get(collection, name) {
      return structuredClone(inside(collection).get(parseDocumentName(name)) ?? null)
    },
    async list(collection, { limit, cursor }) {
      const after = parseDocumentCursor(cursor) ?? ''
      const names = [...inside(collection).keys()].filter(name => name > after).sort()
      const page = names.slice(0, limit)
      return {
        documents: page.flatMap(name => structuredClone(inside(collection).get(name)) ?? []),
        leftOut: [],
        next: names.length > limit ? (page.at(-1) ?? null) : null,
      }
    },
    async put(collection, name, content, expected) {
      const there = inside(collection)
      const before = there.get(parseDocumentName(name))?.rev ?? null
      const sound = checkContent(content)
      expectRev(expected, before)
      const document = { name, ...sound, rev: nextRev(before ?? 0, clock()) }
      there.set(name, document)
      feed.add({ type: 'document', collection, name })
      return structuredClone(document)
    },
    async remove(collection, name, expected) {
      expectRev(expected, inside(collection).get(parseDocumentName(name))?.rev ?? null)
      drop(collection, name)
    },
    async removeExpired(now) {
      open()
      const expired = [...stored].flatMap(([collection, documents]) =>
        [...documents.values()]
          .filter(({ expiresAt }) => expiresAt !== null && expiresAt <= now)
          .map(({ name }) => ({ collection, name })),
      )
      for (const { collection, name } of expired) drop(collection, name)
      return expired.length
    },
  }
}
