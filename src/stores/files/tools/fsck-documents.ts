// Looks at the documents of a data folder. Changes nothing by itself.
import path from 'node:path'
import { flawOfDocument } from '../../../core/collections.ts'
import type { CollectionName } from '../../../core/documents.ts'
import { nameOfDocumentFile, readDocumentFile } from '../documents/document-file.ts'
import type { Layout } from '../layout.ts'
import { entriesOf, type FsckCheck, type Repairs } from './fsck-findings.ts'

interface DocumentChecksDeps {
  layout: Layout
  repairs: Repairs
  /** The check of something that does not belong here. */
  foreign: (place: string, what: string) => FsckCheck
  /** Called for each document. */
  onDocument: () => void
}

/** All checks of documents. Lazy. */
export function* documentChecksOf(deps: DocumentChecksDeps): Generator<FsckCheck> {
  const { layout, repairs, foreign, onDocument } = deps

  const check =
    (collection: CollectionName, name: string): FsckCheck =>
    async () => {
      const file = layout.document(collection, name)
      const place = repairs.at(file)
      const found = await readDocumentFile(layout, collection, name)
      if (found.state === 'none') return null
      if (found.state === 'broken')
        return {
          code: 'broken-document',
          place,
          text: found.why,
          mend: found.unreadable ? null : repairs.moving(file),
        }
      const flaw = flawOfDocument(collection, found.document)
      if (!flaw) return null
      if (flaw.isLater) return { code: 'later-version', place, text: flaw.why, mend: null }
      return { code: 'broken-document', place, text: flaw.why, mend: repairs.moving(file) }
    }

  for (const folder of layout.collections()) {
    const collection = path.basename(folder) as CollectionName
    for (const entry of entriesOf(folder)) {
      const name = nameOfDocumentFile(entry.name)
      if (name === null) {
        yield foreign(path.join(folder, entry.name), 'not a document')
        continue
      }
      onDocument()
      yield check(collection, name)
    }
  }
}
