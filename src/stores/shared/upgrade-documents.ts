// Documents of earlier versions: which there are, and their writing in the present version. They are upgraded when they
// are read in any case; this leaves none behind.
import { type DocumentForm, upgradeDocument } from '../../core/collection.ts'
import { FORMS } from '../../core/collections.ts'
import {
  COLLECTION_NAMES,
  type CollectionName,
  type DocumentData,
  type Documents,
  eachDocument,
  type LeftOut,
} from '../../core/documents.ts'
import { isMadhavaError } from '../../core/errors.ts'

/** One thing that this version would change, or has changed. */
export interface StoreChange {
  /** Inside the data folder, or a document as `<collection>/<name>`. */
  place: string
  /** What happens to it, for people. */
  text: string
}

export interface MigrateOptions {
  /** False: nothing is written. */
  apply: boolean
  onChange: (change: StoreChange) => void
  /** What should change and cannot, with the reason. */
  onLeft: (change: StoreChange) => void
}

type Forms = Readonly<Record<CollectionName, DocumentForm<DocumentData>>>

/**
 * Tells of every document of an earlier version, and writes it in the present one. One that cannot be upgraded stays as
 * it is, and is told with the reason.
 * @param put null: nothing is written
 * @throws STORE_UNAVAILABLE, STORE_FULL
 */
export const upgradeDocuments = async (
  documents: Pick<Documents, 'list'>,
  put: Documents['put'] | null,
  { onChange, onLeft }: Pick<MigrateOptions, 'onChange' | 'onLeft'>,
  forms: Forms = FORMS,
): Promise<void> => {
  for (const collection of COLLECTION_NAMES) {
    const form = forms[collection]
    const onLeftOut = ({ name, why }: LeftOut): void => onLeft({ place: `${collection}/${name}`, text: why })
    for await (const document of eachDocument(documents, collection, onLeftOut)) {
      if (document.version >= form.version) continue
      const place = `${collection}/${document.name}`
      try {
        const { data, expiresAt } = upgradeDocument(collection, form, document)
        const content = { version: form.version, expiresAt, data }
        await put?.(collection, document.name, content, document.rev)
        onChange({ place, text: `a document of version ${document.version} becomes one of ${form.version}` })
      } catch (error) {
        // whoever was faster has written it in the present version
        if (isMadhavaError(error, 'DOCUMENT_CHANGED')) continue
        if (!isMadhavaError(error, 'DOCUMENT_INVALID')) throw error
        onLeft({ place, text: error.message })
      }
    }
  }
}
