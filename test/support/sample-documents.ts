// Documents for tests of what handles those of every collection: export, import, fsck, migrations.
import type { CollectionName, Document, DocumentContent, Documents } from '../../src/core/documents.ts'

const HASH = { scrypt: { N: 16_384, r: 8, p: 5 }, salt: 'c2FsdCBvZiBhIHRlc3Q', hash: 'aGFzaCBvZiBhIHRlc3Q' }

/** A built-in login. `salt`: to make it differ. */
export const accountOf = (role: 'operator' | 'viewer', salt = HASH.salt): DocumentContent => ({
  version: 2,
  expiresAt: null,
  data: {
    name: role,
    role: role === 'operator' ? 'admin' : role,
    password: { ...HASH, salt },
    configured: null,
    changes: 0,
    createdAt: null,
    disabledAt: null,
    deletedAt: null,
    identity: null,
  },
})

const UPLOAD = '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e01'

const SAMPLE: [CollectionName, string, DocumentContent][] = [
  ['accounts', 'operator', accountOf('operator')],
  ['accounts', 'viewer', accountOf('viewer')],
  [
    'secrets',
    'session-key',
    { version: 1, expiresAt: null, data: { key: Buffer.alloc(32, 7).toString('base64url') } },
  ],
  [
    'uploads',
    UPLOAD,
    {
      version: 1,
      expiresAt: null,
      // bytes still come, in several requests: the next one may come at any time
      data: {
        owner: null,
        name: 'a picture.png',
        state: 'open',
        resumable: true,
        holder: null,
        bytes: 0,
        length: null,
        type: null,
        sha256: null,
        createdAt: '2026-01-01T00:00:00.000Z',
        touchedAt: '2026-01-01T00:00:00.000Z',
        usedAt: null,
      },
    },
  ],
  ['ended-sessions', 'a'.repeat(64), { version: 1, expiresAt: '2099-01-01T00:00:00.000Z', data: {} }],
]

/** One of every collection at least; answers the accounts. */
export const fillDocuments = async (documents: Documents): Promise<Document[]> => {
  const made: Document[] = []
  for (const [collection, name, content] of SAMPLE) {
    const document = await documents.put(collection, name, content, null)
    if (collection === 'accounts') made.push(document)
  }
  return made
}
