// Uploads in every state with their bytes and uses, for tests of what handles those of a whole store.
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { DocumentContent } from '../../src/core/documents.ts'
import type { TaskStore } from '../../src/core/store.ts'
import { newTaskId } from '../../src/core/task.ts'
import type { Upload } from '../../src/core/upload-forms.ts'
import { at } from '../suites/store/world.ts'

const base = {
  owner: null,
  name: 'a picture.png',
  resumable: false,
  holder: null,
  length: null,
  createdAt: at(1),
  touchedAt: at(1),
  usedAt: null,
} satisfies Partial<Upload>

export const wholeUpload = (bytes: Buffer, change: Partial<Upload> = {}): DocumentContent => ({
  version: 1,
  expiresAt: null,
  data: {
    ...base,
    state: 'whole',
    bytes: bytes.length,
    type: 'image/png',
    sha256: createHash('sha256').update(bytes).digest('hex'),
    ...change,
  },
})
export const openUpload = (change: Partial<Upload> = {}): DocumentContent => ({
  version: 1,
  expiresAt: null,
  data: { ...base, state: 'open', bytes: 0, type: null, sha256: null, ...change },
})
export const useOf = (upload: string, task: string): string => `${upload}.${task}`
export const USE: DocumentContent = {
  version: 1,
  expiresAt: null,
  data: { createdAt: at(2), holder: null, made: true },
}

type Store = Pick<TaskStore, 'documents' | 'uploads'>

/** An upload that is whole. */
export const addUpload = async (
  { documents, uploads }: Store,
  bytes: Buffer,
  change: Partial<Upload> = {},
): Promise<string> => {
  const id = newTaskId()
  await uploads.write(id, 0, Readable.from([bytes]))
  await documents.put('uploads', id, wholeUpload(bytes, change), null)
  return id
}

/** The large one is used by `task`; of four uploads two are whole. */
export const fillUploads = async (store: Store, task: string) => {
  const large = Buffer.alloc(2 * 1024 * 1024 + 5, 'large ')
  const ids = [await addUpload(store, large, { usedAt: at(2) }), await addUpload(store, Buffer.of())]
  await store.documents.put('upload-uses', useOf(ids[0] ?? '', task), USE, null)
  const [open, going] = [newTaskId(), newTaskId()]
  for (const [id, state] of [[open, 'open'] as const, [going, 'going'] as const]) {
    await store.uploads.write(id, 0, Readable.from([Buffer.from('half')]))
    await store.documents.put('uploads', id, openUpload({ state }), null)
    await store.documents.put('upload-uses', useOf(id, task), USE, null)
  }
  const [whole = '', empty = ''] = ids
  return { whole, empty, open, going, large }
}

export const uploadBytesOf = async ({ uploads }: Store, id: string): Promise<Buffer | null> => {
  const found = await uploads.read(id)
  return found && Buffer.concat(await found.stream.toArray())
}
