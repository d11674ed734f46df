// Export through the port: every task of a store, its blobs, documents and the audit as lines, in constant memory, also while
// others use it.
import type { Readable } from 'node:stream'
import { artifactsOf, unlistedArtifacts } from '../../core/artifacts.ts'
import type { AuditPage } from '../../core/audit.ts'
import { type Document, EXPORTED_COLLECTIONS, eachDocument } from '../../core/documents.ts'
import type { TaskStore } from '../../core/store.ts'
import type { TaskRecord } from '../../core/task.ts'
import { createLineWriter } from './export-format.ts'
import { createUploadExport, UPLOAD_COLLECTIONS, type UploadSource } from './export-uploads.ts'
import { piecesOf } from './pieces-of.ts'

export interface ExportOptions {
  /** A task that cannot be read, or not as it was at one moment, is left out, and told here. */
  onLeftOut: (what: string, why: string) => void
}

interface ExportDeps {
  clock: () => Date
  /** Of what was asked with the record's idempotency key; null when that is not known. */
  fingerprintOf: (record: TaskRecord) => Promise<string | null>
}

/** Tasks read at a time. */
const PAGE = 200
/** How often a task is read again if it ends or starts again while its blobs are opened. */
const TRIES = 100

interface OpenBlob {
  name: string
  size: number
  stream: Readable
}
interface TakenRecord {
  task: TaskRecord
  blobs: OpenBlob[]
}

const filesOf = (task: TaskRecord): string[] => artifactsOf(task).map(({ file }) => file)

/**
 * Whether the bytes of all its artifacts are among the blobs, but for those that the record listed before they were
 * opened: those are missing for good.
 */
const hasAll = (after: TaskRecord, before: TaskRecord, blobs: readonly OpenBlob[]): boolean =>
  filesOf(after).every(file => blobs.some(({ name }) => name === file) || filesOf(before).includes(file))

/** Closes those of artifacts that are under way, or were left, and returns the others. */
const withoutUnlisted = (task: TaskRecord, blobs: readonly OpenBlob[]): OpenBlob[] => {
  const unlisted = unlistedArtifacts(
    task,
    blobs.map(({ name }) => name),
  )
  closeAll(blobs.filter(({ name }) => unlisted.includes(name)))
  return blobs.filter(({ name }) => !unlisted.includes(name))
}

const closeAll = (blobs: readonly OpenBlob[]): void => {
  for (const { stream } of blobs) stream.destroy()
}

const uploadsIn = (store: TaskStore, onLeftOut: ExportOptions['onLeftOut']): UploadSource => ({
  documents: () =>
    eachDocument(store.documents, 'uploads', ({ name, why }) => onLeftOut(`uploads/${name}`, why)),
  async *uses(id) {
    let cursor: string | null = `${id}.`
    do {
      const page: Awaited<ReturnType<TaskStore['documents']['list']>> = await store.documents.list(
        'upload-uses',
        { limit: PAGE, cursor },
      )
      const those: Document[] = page.documents.filter(({ name }) => name.startsWith(`${id}.`))
      yield* those
      cursor = those.length === page.documents.length ? page.next : null
    } while (cursor !== null)
  },
  read: id => store.uploads.read(id),
})

/**
 * The lines of an export, each with its newline. Each task is as it was at one moment; the store as a whole may
 * change meanwhile, and tasks that are made meanwhile may be missing. @throws STORE_UNAVAILABLE
 */
export async function* exportStore(
  store: TaskStore,
  options: ExportOptions & ExportDeps,
): AsyncGenerator<string> {
  const { clock, fingerprintOf, onLeftOut } = options
  const lines = createLineWriter()

  const openBlobs = async (id: string): Promise<OpenBlob[]> => {
    const blobs: OpenBlob[] = []
    for (const { name } of await store.listBlobs(id)) {
      const blob = await store.getBlob(id, name)
      if (blob) blobs.push({ name, size: blob.bytes, stream: blob.stream })
    }
    return blobs
  }
  const take = async (first: TaskRecord): Promise<TakenRecord | null> => {
    let before: TaskRecord | null = first
    for (let tries = 1; before; tries += 1) {
      const blobs = await openBlobs(first.id)
      const after = await store.get(first.id)
      // moves within an attempt do not matter, but for those that list an artifact: only an end, a new attempt or a
      // removal changes the meaning of other blobs
      if (
        after &&
        after.status === before.status &&
        after.claim === before.claim &&
        hasAll(after, before, blobs)
      )
        return { task: after, blobs: withoutUnlisted(after, blobs) }
      closeAll(blobs)
      if (tries >= TRIES) {
        onLeftOut(first.id, 'it never stands still')
        return null
      }
      before = after
    }
    return null
  }

  const uploads = createUploadExport({ sourceOf: tell => uploadsIn(store, tell), lines, onLeftOut })
  yield lines.begin(clock().toISOString())
  yield* uploads.first()
  let cursor: string | null = null
  do {
    const page = await store.list({}, { limit: PAGE, cursor })
    for (const listed of page.tasks) {
      const taken = await take(listed)
      if (!taken) continue
      const { task, blobs } = taken
      try {
        yield lines.task(task, await fingerprintOf(task))
        for (const blob of blobs)
          for await (const { offset, bytes } of piecesOf(`The blob ${blob.name}`, blob.size, blob.stream))
            yield lines.piece(task.id, blob, offset, bytes)
      } finally {
        closeAll(blobs)
      }
    }
    cursor = page.next
  } while (cursor !== null)
  yield* uploads.rest()
  for (const collection of EXPORTED_COLLECTIONS.filter(name => !UPLOAD_COLLECTIONS.includes(name)))
    for await (const document of eachDocument(store.documents, collection, ({ name, why }) =>
      onLeftOut(`${collection}/${name}`, why),
    ))
      yield lines.document(collection, document)
  cursor = null
  do {
    const page: AuditPage = await store.audit.page({}, { limit: PAGE, cursor })
    for (const entry of page.entries) yield lines.audit(entry)
    cursor = page.next
  } while (cursor !== null)
  yield lines.end()
}
