// Port: where what is no task is kept, an account, say: small JSON documents in collections. Each has a name, the
// version of its form, and a rev that changes with every write. test/suites/documents.ts defines its meaning and runs
// on every adapter. What the data of a collection may be is decided one level above (core/collection.ts).
import { z } from 'zod'
import { MadhavaError } from './errors.ts'
import { type Json, time } from './field-types.ts'
import { scanJson } from './json-scan.ts'

/** Every collection, and whether an export has its documents. Secrets stay where they are: they can be made anew. */
export const COLLECTIONS = {
  /** Who may log in, with hashes of passwords. */
  accounts: { exported: true },
  /** Which account has which name. */
  'account-names': { exported: true },
  /** Which account is whose, of those whom a provider of OpenID Connect knows. */
  identities: { exported: true },
  /** Sign-ins by such a provider that are over, as hashes, so that none is used twice. */
  'ended-sign-ins': { exported: false },
  /** What programs show in place of a login, as hashes. */
  'account-keys': { exported: true },
  /** Who may make an account, as hashes. */
  invitations: { exported: true },
  /** Who has logged in, as hashes of what they show. */
  sessions: { exported: false },
  /** What stands for one of those for half a minute, as hashes. */
  tickets: { exported: false },
  /** Links that read one task, as hashes. */
  shares: { exported: true },
  /** What is known of each upload; its bytes stand elsewhere (core/upload-bytes.ts). */
  uploads: { exported: true },
  /** Which tasks name which upload. */
  'upload-uses': { exported: true },
  /** What this installation signs with. */
  secrets: { exported: false },
  /** Sessions that were ended before their time; they mean nothing without the secrets. */
  'ended-sessions': { exported: false },
  /** What all processes agree on when the kinds are read again, and their answers; of no use to another bundle. */
  'kind-reloads': { exported: false },
} as const satisfies Record<string, { exported: boolean }>

export type CollectionName = keyof typeof COLLECTIONS
export const COLLECTION_NAMES = Object.keys(COLLECTIONS) as CollectionName[]
export const isCollection = (name: string): name is CollectionName => Object.hasOwn(COLLECTIONS, name)

export const EXPORTED_COLLECTIONS = COLLECTION_NAMES.filter(name => COLLECTIONS[name].exported)

export type DocumentData = { [key: string]: Json }

/** What a writer decides. */
export interface DocumentContent {
  /** Of the form of `data`. It grows when the form changes. */
  version: number
  /** From this time on it may be removed, ISO-8601; until then it is there. Null: never. */
  expiresAt: string | null
  data: DocumentData
}

export interface Document extends DocumentContent {
  name: string
  /**
   * The time of the write, milliseconds since 1970, or one more than the rev before where that is later: it grows with
   * every write. A document that is removed and made anew has another rev than before, unless both happen within one
   * millisecond or the clock goes back.
   */
  rev: number
}

/** What stands in the place of a document and is none, or cannot be read; with the reason. */
export interface LeftOut {
  name: string
  why: string
}

/** One page, in the order of names. `next` continues after it; null at the end. */
export interface DocumentPage {
  documents: Document[]
  leftOut: LeftOut[]
  next: string | null
}

export interface PageOfDocuments {
  limit: number
  cursor: string | null
}

/** What is there must have this rev; `null`: nothing may be there; `any`: whatever it is, also what nobody can read. */
export type ExpectedRev = number | null | 'any'

export interface Documents {
  /**
   * Null when there is none. @throws BAD_KEY, DOCUMENT_INVALID when what is there is no document, STORE_UNAVAILABLE
   */
  get(collection: CollectionName, name: string): Promise<Document | null>
  /**
   * What is no document is named apart. A document that is made or removed between two pages may be in them or not.
   * @throws BAD_CURSOR, STORE_UNAVAILABLE
   */
  list(collection: CollectionName, page: PageOfDocuments): Promise<DocumentPage>
  /**
   * Writes the whole document, durable and visible to every reader when it resolves. Of several writers with one rev,
   * one succeeds. After STORE_UNAVAILABLE it may have been written or not: read it.
   * @throws DOCUMENT_CHANGED when the rev is another, BAD_KEY, STORE_FULL; DOCUMENT_INVALID when it is too large or
   * nests too deep
   */
  put(collection: CollectionName, name: string, content: DocumentContent, rev: ExpectedRev): Promise<Document>
  /** Nothing happens when nothing is there and `any` is expected. @throws DOCUMENT_CHANGED, BAD_KEY */
  remove(collection: CollectionName, name: string, rev: number | 'any'): Promise<void>
  /** Removes all documents whose `expiresAt` has come; returns how many. */
  removeExpired(now: string): Promise<number>
}

/** Every document of a collection, page by page. */
export async function* eachDocument(
  documents: Pick<Documents, 'list'>,
  collection: CollectionName,
  onLeftOut: (leftOut: LeftOut) => void,
): AsyncGenerator<Document> {
  let cursor: string | null = null
  do {
    const page: DocumentPage = await documents.list(collection, { limit: PAGE, cursor })
    page.leftOut.forEach(onLeftOut)
    yield* page.documents
    cursor = page.next
  } while (cursor !== null)
}

/** Of the JSON of `data`. */
export const DOCUMENT_BYTES_MAX = 64 * 1024
/** How deep `data` may nest, itself included. */
export const DOCUMENT_DEPTH_MAX = 64
const PAGE = 200
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

/** The name, which every adapter may use in a path or a key. @throws BAD_KEY */
export const parseDocumentName = (name: string): string => {
  if (NAME.test(name)) return name
  throw new MadhavaError(
    'BAD_KEY',
    'The name of a document has 1 to 128 letters, digits, dots, hyphens and underscores, and begins with a letter or digit',
  )
}

/** A cursor of a list is the last name of its page. @throws BAD_CURSOR */
export const parseDocumentCursor = (cursor: string | null): string | null => {
  if (cursor === null || NAME.test(cursor)) return cursor
  throw new MadhavaError('BAD_CURSOR')
}

const contentSchema = z.object({
  version: z.int().min(1),
  expiresAt: time.schema.nullable(),
  data: z.record(z.string(), z.json()) as z.ZodType<DocumentData>,
})
/** A document as it is stored and exported. */
export const documentSchema = contentSchema.extend({
  name: z.string().regex(NAME, 'must be the name of a document'),
  rev: z.int().min(1),
})

const tooDeep = (cause?: unknown): MadhavaError =>
  new MadhavaError(
    'DOCUMENT_INVALID',
    `A document may nest ${DOCUMENT_DEPTH_MAX} levels deep, and this one is deeper`,
    {
      cause,
    },
  )
/** @throws DOCUMENT_INVALID when it nests too deep */
const toJson = (data: DocumentData): string => {
  let json: string
  try {
    json = JSON.stringify(data)
  } catch (error) {
    if (error instanceof RangeError) throw tooDeep(error)
    throw error
  }
  if (scanJson(json, DOCUMENT_DEPTH_MAX).depth > DOCUMENT_DEPTH_MAX) throw tooDeep()
  return json
}

/** The content alone, as JSON brings it back. @throws DOCUMENT_INVALID */
export const checkContent = (content: DocumentContent): DocumentContent => {
  const { version, expiresAt, data } = content
  const json = toJson(data)
  const bytes = Buffer.byteLength(json)
  if (bytes > DOCUMENT_BYTES_MAX)
    throw new MadhavaError(
      'DOCUMENT_INVALID',
      `A document may have ${DOCUMENT_BYTES_MAX} bytes, and this one has ${bytes}`,
    )
  const parsed = contentSchema.safeParse({ version, expiresAt, data: JSON.parse(json) })
  if (parsed.success) return parsed.data
  throw new MadhavaError('DOCUMENT_INVALID', undefined, { cause: parsed.error })
}

/** The rev of a write. `before`: of what was there, 0 when nothing was. */
export const nextRev = (before: number, now: Date): number => Math.max(before + 1, now.getTime())

/** @throws DOCUMENT_CHANGED unless what is there is what the writer expects. `found`: null when nothing is there */
export const expectRev = (expected: ExpectedRev, found: number | null): void => {
  if (expected === 'any' || expected === found) return
  throw new MadhavaError(
    'DOCUMENT_CHANGED',
    found === null
      ? 'The document is not there'
      : expected === null
        ? 'The document is there already'
        : undefined,
  )
}
