// A made-up form of documents in its third version, and documents of every version, for tests.
import { z } from 'zod'
import type { DocumentForm } from '../../src/core/collection.ts'
import type { DocumentData, Documents } from '../../src/core/documents.ts'
import { content } from '../suites/documents.ts'
import { at } from '../suites/store/world.ts'

/** Version 1 had `name`, version 2 `title`, version 3 has also `tags`. */
export const EARLIER_FORM: DocumentForm<{ title: string; tags: string[] }> = {
  version: 3,
  steps: {
    1: ({ data, ...rest }) => {
      const { name, ...others } = data as DocumentData
      return { ...rest, data: { ...others, title: name } }
    },
    2: ({ data, ...rest }) => ({ ...rest, data: { ...(data as DocumentData), tags: [] } }),
  },
  schema: z.object({ title: z.string().min(1), tags: z.array(z.string()) }),
}
/** `first` to `third` of those versions; `broken` cannot be upgraded, and `later` is of the fourth. */
export const putEarlier = async (documents: Documents): Promise<void> => {
  const put = (name: string, version: number, data: DocumentData) =>
    documents.put('ended-sessions', name, content(data, { version, expiresAt: at(9) }), null)
  await put('first', 1, { name: 'one' })
  await put('second', 2, { title: 'two' })
  await put('third', 3, { title: 'three', tags: ['a'] })
  await put('broken', 1, { name: '' })
  await put('later', 4, { of: 'another program' })
}
