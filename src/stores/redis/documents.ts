// Documents in Redis. What is written and told of is one script each, so it happens as a whole or not at all.
import {
  type CollectionName,
  checkContent,
  type Document,
  type DocumentContent,
  type DocumentPage,
  type Documents,
  documentSchema,
  type ExpectedRev,
  expectRev,
  type LeftOut,
  parseDocumentCursor,
  parseDocumentName,
} from '../../core/documents.ts'
import { MadhavaError } from '../../core/errors.ts'
import type { Scripts } from './scripts.ts'

/** Documents that one call removes: Redis does nothing else meanwhile. */
const BATCH = 200
const STORED = /^([1-9]\d{0,14}) (.*)$/s

/** Null for what is no document. `value`: `<rev> <json>` */
export const decodeDocument = (name: string, value: string): Document | null => {
  const [, rev, json = ''] = STORED.exec(value) ?? []
  try {
    const parsed = documentSchema.safeParse({ ...JSON.parse(json), name, rev: Number(rev) })
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}

/** As a score; '' for never. */
export const expiryScore = ({ expiresAt }: Pick<DocumentContent, 'expiresAt'>): number | '' =>
  expiresAt === null ? '' : Date.parse(expiresAt)

/** `rev`: what a script found; '' for nothing, '?' for what cannot be read */
const refuseChanged = (expected: ExpectedRev, rev: string): never => {
  expectRev(expected, rev === '' ? null : Number(rev))
  throw new MadhavaError('DOCUMENT_CHANGED')
}

const NO_DOCUMENT = 'what Redis has in its place is no document'

interface DocumentsDeps {
  scripts: Pick<Scripts, 'run'>
  /** What stands under a name in a collection. */
  readValue: (collection: CollectionName, name: string) => Promise<string | null>
  /** What a list has to leave out. */
  tellLeftOut?: (collection: CollectionName, leftOut: readonly LeftOut[]) => void
}

export const createDocuments = ({
  scripts,
  readValue,
  tellLeftOut = () => {},
}: DocumentsDeps): Documents => ({
  async get(collection, name) {
    const value = await readValue(collection, parseDocumentName(name))
    if (value === null) return null
    const document = decodeDocument(name, value)
    if (document) return document
    throw new MadhavaError(
      'DOCUMENT_INVALID',
      `The document ${collection}/${name} cannot be used: ${NO_DOCUMENT}`,
    )
  },

  async list(collection, { limit, cursor }) {
    const after = parseDocumentCursor(cursor) ?? ''
    const [names, values] = await scripts.run<[string[], (string | null)[]]>(
      'pageDocuments',
      collection,
      after,
      limit + 1,
    )
    const taken = names.slice(0, limit)
    const page: DocumentPage = {
      documents: [],
      leftOut: [],
      next: names.length > limit ? (taken.at(-1) ?? null) : null,
    }
    for (const [n, name] of taken.entries()) {
      const document = decodeDocument(name, values[n] ?? '')
      if (document) page.documents.push(document)
      // one that was removed meanwhile has no value
      else if ((values[n] ?? null) !== null) page.leftOut.push({ name, why: NO_DOCUMENT })
    }
    tellLeftOut(collection, page.leftOut)
    return page
  },

  async put(collection, name, content, expected) {
    parseDocumentName(name)
    const sound = checkContent(content)
    const json = JSON.stringify(sound)
    const [outcome, rev] = await scripts.run<['done' | 'changed', string]>(
      'putDocument',
      collection,
      name,
      expected ?? '',
      json,
      expiryScore(sound),
    )
    if (outcome === 'changed') return refuseChanged(expected, rev)
    return { name, ...sound, rev: Number(rev) }
  },

  async remove(collection, name, expected) {
    const [outcome, rev] = await scripts.run<['done'] | ['changed', string]>(
      'removeDocument',
      collection,
      parseDocumentName(name),
      expected,
    )
    if (outcome === 'changed') refuseChanged(expected, rev)
  },

  async removeExpired(now) {
    let total = 0
    for (;;) {
      const [found, removed] = await scripts.run<[number, number]>('expireDocuments', Date.parse(now), BATCH)
      total += removed
      if (found < BATCH) return total
    }
  },
})
