// Documents in Redis. What is written and told of is one script each, so it happens as a whole or not at all.
import {
  type CollectionName,
  checkContent,
  type Document,
  type DocumentContent,
  type Documents,
  documentSchema,
  type ExpectedRev,
  expectRev,
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

interface DocumentsDeps {
  scripts: Pick<Scripts, 'run'>
  /** What stands under a name in a collection. */
  readValue: (collection: CollectionName, name: string) => Promise<string | null>
}

export const createDocuments = ({ scripts, readValue }: DocumentsDeps): Documents => ({
  async get(collection, name) {
    const value = await readValue(collection, parseDocumentName(name))
    if (value === null) return null
    const document = decodeDocument(name, value)
    if (document) return document
    throw new MadhavaError('DOCUMENT_INVALID', `What Redis has as ${collection}/${name} is no document`)
  },

  async list(collection, { limit, cursor }) {
    const after = parseDocumentCursor(cursor) ?? ''
    const [names, values] = await scripts.run<[string[], (string | null)[]]>(
      'pageDocuments',
      collection,
      after,
      limit + 1,
    )
    const page = names.slice(0, limit)
    return {
      documents: page.flatMap((name, n) => decodeDocument(name, values[n] ?? '') ?? []),
      next: names.length > limit ? (page.at(-1) ?? null) : null,
    }
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
