// A whole upload in a store, as a door would have left it.
import { createHash, randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { openCollection } from '../../src/core/collection.ts'
import type { TaskStore } from '../../src/core/store.ts'
import { UPLOADS } from '../../src/core/upload-forms.ts'

/** Its id. */
export const putUpload = async (store: TaskStore, bytes: Buffer, type: string): Promise<string> => {
  const id = randomUUID()
  await store.uploads.write(id, 0, Readable.from([bytes]))
  const now = new Date().toISOString()
  const data = {
    ...{ owner: null, name: 'file', state: 'whole' as const, resumable: false, holder: null },
    ...{ bytes: bytes.length, length: bytes.length, type },
    sha256: createHash('sha256').update(bytes).digest('hex'),
    ...{ createdAt: now, touchedAt: now, usedAt: null },
  }
  await openCollection(store.documents, 'uploads', UPLOADS).put(id, { data }, null)
  return id
}
