// Logins of a data folder go on in another store, when a bundle first uses that store in place of its folder.
import type { CollectionName, Document, Documents } from '../../core/documents.ts'
import { isMadhavaError } from '../../core/errors.ts'
import { ROLES } from './rights.ts'
import { SESSION_KEY } from './session-key.ts'

interface Place {
  collection: CollectionName
  name: string
}

const PLACES: readonly Place[] = [
  ...ROLES.map(role => ({ collection: 'accounts' as const, name: role })),
  { collection: 'secrets', name: SESSION_KEY },
]

/** `otherwise` for what is no document. */
const read = async (
  documents: Documents,
  { collection, name }: Place,
  otherwise: 'broken' | null,
): Promise<Document | 'broken' | null> => {
  try {
    return await documents.get(collection, name)
  } catch (error) {
    if (isMadhavaError(error, 'DOCUMENT_INVALID')) return otherwise
    throw error
  }
}

/**
 * Copies the logins and the key of the sessions that `to` does not have. Nothing that is there is replaced: of several
 * bundles at once, one brings its own. The folder keeps what it has.
 * @param withFolder opens the folder for `work`; called only when something is missing
 * @throws STORE_UNAVAILABLE, of either
 */
export const takeOverLogins = async (
  to: Documents,
  withFolder: (work: (from: Documents) => Promise<void>) => Promise<void>,
): Promise<void> => {
  const missing: Place[] = []
  for (const place of PLACES) if ((await read(to, place, 'broken')) === null) missing.push(place)
  if (missing.length === 0) return
  await withFolder(async from => {
    for (const place of missing) {
      const document = await read(from, place, null)
      if (document === null || document === 'broken') continue
      await to.put(place.collection, place.name, document, null).catch((error: unknown) => {
        if (!isMadhavaError(error, 'DOCUMENT_CHANGED')) throw error
      })
    }
  })
}
