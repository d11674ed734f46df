// A child process that counts in documents, each count a read and a put with the rev that was read, until it is killed.
import { isMadhavaError } from '../../src/core/errors.ts'
import { padding, type RoleContext } from './store-roles.ts'

export interface CountLine {
  /** Its store is open. */
  counting?: true
  /** A count of this document was acknowledged. */
  name?: string
}

export const COUNTED = ['one', 'two'] as const

export const documentsRole = async ({ store, tell, signal }: RoleContext): Promise<void> => {
  tell({ counting: true } satisfies CountLine)
  for (let n = 0; !signal.aborted; n += 1) {
    const name = COUNTED[n % COUNTED.length] ?? 'one'
    const there = await store.documents.get('accounts', name)
    const sum = Number(there?.data.sum ?? 0) + 1
    // long and of one letter, so that a mixture of two writes shows
    const content = { version: 1, expiresAt: null, data: { sum, text: padding(sum) } }
    try {
      await store.documents.put('accounts', name, content, there?.rev ?? null)
      tell({ name } satisfies CountLine)
    } catch (error) {
      if (!isMadhavaError(error, 'DOCUMENT_CHANGED')) throw error
    }
  }
}
