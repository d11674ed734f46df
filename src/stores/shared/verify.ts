// The comparison of a store with an export. It changes nothing.
import { createHash } from 'node:crypto'
import { orIfInvalid } from '../../core/collection.ts'
import type { TaskStore } from '../../core/store.ts'
import type { DocumentLine, TaskLine } from './export-format.ts'
import { createAuditCheck } from './import-audit.ts'
import { exportedCollection, placeOf, sameDocument } from './import-document.ts'
import { eachBlob, eachLine, linesOf, problemOf, uploadBytesAfter } from './import-lines.ts'
import { atRest, sameContent } from './import-task.ts'

export interface VerifyOptions {
  input: AsyncIterable<Uint8Array>
  /** The accounts of the export are compared too. */
  accounts?: boolean
  onDifference: (id: string, what: string) => void
}

export interface VerifySummary {
  /** Of the export. */
  tasks: number
  blobs: number
  /** Accounts that were compared. */
  accounts: number
  /** Lines of the audit that were compared. */
  audit: number
  uploads: number
  /**
   * Tasks, documents and lines of the audit that are not there, or say something else; tasks with a blob that is not there or has other
   * bytes.
   */
  missing: number
  different: number
  /** Tasks in the store, those of the export and others. */
  inStore: number
  problem: string | null
}

/**
 * Compares a store with an export: every record by its content, the accounts where that is asked, every blob by its
 * size and hash, every line of the audit. Changes nothing.
 * @throws STORE_UNAVAILABLE
 */
export const verifyAll = async (store: TaskStore, options: VerifyOptions): Promise<VerifySummary> => {
  const { input, accounts = false, onDifference } = options
  const counts = { tasks: 0, blobs: 0, accounts: 0, audit: 0, uploads: 0, missing: 0, different: 0 }
  const summary: VerifySummary = { ...counts, inStore: 0, problem: null }
  const lines = linesOf(input)
  const sha256 = async (bytes: AsyncIterable<Uint8Array>): Promise<string> => {
    const hash = createHash('sha256')
    for await (const chunk of bytes) hash.update(chunk)
    return hash.digest('hex')
  }
  /** What is wrong with the blobs of one task, or null; takes their lines. */
  const blobsDiffer = async (id: string): Promise<{ count: number; what: string | null }> => {
    const there = new Map((await store.listBlobs(id)).map(({ name, bytes }) => [name, bytes]))
    let what: string | null = null
    const names = await eachBlob(lines, id, async (first, bytes) => {
      summary.blobs += 1
      const wanted = await sha256(bytes)
      const size = there.get(first.name)
      there.delete(first.name)
      const stored = size === first.size ? await store.getBlob(id, first.name) : null
      if (!stored) what = `the blob ${first.name} is not there, or has another size`
      else if ((await sha256(stored.stream)) !== wanted) what = `the blob ${first.name} has other bytes`
    })
    const [further] = there.keys()
    if (further !== undefined) what ??= `the blob ${further} is not in the export`
    return { count: names.size, what }
  }
  const check = async ({ record }: TaskLine, at: string): Promise<number> => {
    summary.tasks += 1
    const there = await store.get(record.id)
    const blobs = await blobsDiffer(record.id)
    if (!there) {
      summary.missing += 1
      onDifference(record.id, 'it is not there')
      return blobs.count
    }
    const what = sameContent(there, atRest(record, at)) ? blobs.what : 'its record says something else'
    if (what !== null) {
      summary.different += 1
      onDifference(record.id, what)
    }
    return blobs.count
  }
  const tellDocument = (line: DocumentLine, isThere: boolean, what: string): void => {
    summary[isThere ? 'different' : 'missing'] += 1
    onDifference(placeOf(line), what)
  }
  const checkUpload = async (line: DocumentLine): Promise<void> => {
    const id = line.document.name
    summary.uploads += 1
    const bytes = await uploadBytesAfter(lines, id)
    const wanted = bytes && (await sha256(bytes))
    const there = await orIfInvalid(store.documents.get('uploads', id), () => null)
    if (!there) return tellDocument(line, false, 'it is not there, or cannot be used')
    if (!sameDocument(there, line.document)) return tellDocument(line, true, 'it says something else')
    const stored = await store.uploads.read(id)
    if (!stored) return tellDocument(line, true, 'its bytes are not there')
    if ((await sha256(stored.stream)) !== wanted) tellDocument(line, true, 'it has other bytes')
  }
  const checkDocument = async (line: DocumentLine): Promise<void> => {
    if (line.collection === 'uploads') return checkUpload(line)
    if (line.collection === 'upload-uses') {
      const use = await orIfInvalid(store.documents.get('upload-uses', line.document.name), () => null)
      return use ? undefined : tellDocument(line, false, 'it is not there, or cannot be used')
    }
    if (!accounts) return
    summary.accounts += 1
    const collection = exportedCollection(line.collection)
    const there =
      collection && (await orIfInvalid(store.documents.get(collection, line.document.name), () => null))
    if (there && sameDocument(there, line.document)) return
    tellDocument(
      line,
      there !== null,
      there ? 'it says something else' : 'it is not there, or cannot be used',
    )
  }
  const audit = createAuditCheck(store.audit, ({ id }, isThere) => {
    summary[isThere ? 'different' : 'missing'] += 1
    onDifference(`audit/${id}`, isThere ? 'it says something else' : 'it is not there')
  })
  try {
    await eachLine(lines, {
      task: check,
      document: checkDocument,
      async audit({ entry }) {
        summary.audit += 1
        await audit.take(entry)
      },
    })
    await audit.end()
  } catch (error) {
    summary.problem = problemOf(error)
  }
  summary.inStore = (await store.counts()).total
  return summary
}
