// Logins of a data folder go on in another store, when a bundle first uses that store in place of its folder.
import { orIfInvalid } from '../../core/collection.ts'
import type { CollectionName, Documents } from '../../core/documents.ts'
import { isMadhavaError } from '../../core/errors.ts'
import { SESSION_KEY } from './session-key.ts'

interface Place {
  collection: CollectionName
  name: string
}

/** The operator comes last: a start that was interrupted takes the rest over the next time. */
const PLACES: readonly Place[] = [
  { collection: 'secrets', name: SESSION_KEY },
  { collection: 'accounts', name: 'viewer' },
  { collection: 'accounts', name: 'operator' },
]

/**
 * Copies the logins and the key of the sessions, unless `to` has an operator, even one that cannot be used. Nothing
 * that is there is replaced: of several bundles at once, one brings its operator. The folder keeps what it has.
 * @param withFolder opens the folder for `work`; called only when there is no operator
 * @throws STORE_UNAVAILABLE, of either; STORE_FULL
 */
export const takeOverLogins = async (
  to: Documents,
  withFolder: (work: (from: Documents) => Promise<void>) => Promise<void>,
): Promise<void> => {
  const operator = await orIfInvalid(to.get('accounts', 'operator'), () => 'broken')
  if (operator !== null) return
  await withFolder(async from => {
    for (const { collection, name } of PLACES) {
      const document = await orIfInvalid(from.get(collection, name), () => null)
      if (document === null) continue
      await to.put(collection, name, document, null).catch((error: unknown) => {
        if (!isMadhavaError(error, 'DOCUMENT_CHANGED')) throw error
      })
    }
  })
}
