// Export: every record of a data folder, its blobs, documents and the audit as lines, in constant memory, also while a bundle
// runs. It only reads.
import { lstatSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { type CollectionName, EXPORTED_COLLECTIONS } from '../../../core/documents.ts'
import type { TaskRecord } from '../../../core/task.ts'
import { openPlain } from '../../../platform/plain-file.ts'
import { BLOB_NAME } from '../../shared/blob-name.ts'
import type { ExportOptions } from '../../shared/export.ts'
import { CHUNK_BYTES, createLineWriter } from '../../shared/export-format.ts'
import { createUploadExport, UPLOAD_COLLECTIONS, type UploadSource } from '../../shared/export-uploads.ts'
import { readTrail } from '../audit/audit.ts'
import { cancelRequestedAt, readCancelRequest } from '../claims/cancel-requests.ts'
import { readDocumentFile } from '../documents/document-file.ts'
import { namesIn } from '../documents/listing.ts'
import { isErrno, storeError } from '../errno.ts'
import { DOCUMENTS_FORMAT, refuseLaterFormat } from '../format.ts'
import { createLayout, idOfStateFile, type Layout, parseId, type SafeId } from '../layout.ts'
import { keyFileOf, readKeyLink } from '../records/keys.ts'
import { readStateFile } from '../records/state-file.ts'
import { createUploadFiles } from '../uploads/upload-files.ts'
import { mustBeDataFolder } from './fsck.ts'
import { entriesOf } from './fsck-findings.ts'

/** How often a task is read again if it ends or starts again while its blobs are opened. */
const TRIES = 100

interface OpenBlob {
  name: string
  handle: FileHandle
  size: number
}

/** A task with its blobs as they were at one moment: what is open stays readable whatever happens to its name. */
interface TakenRecord {
  task: TaskRecord
  blobs: OpenBlob[]
}

const openBlobs = async (layout: Layout, id: SafeId): Promise<OpenBlob[]> => {
  const blobs: OpenBlob[] = []
  for (const entry of entriesOf(layout.blobFolder(id))) {
    if (!entry.isFile() || !BLOB_NAME.test(entry.name)) continue
    try {
      const { handle, info } = await openPlain(layout.blob(id, entry.name), { oneName: true })
      blobs.push({ name: entry.name, handle, size: info.size })
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'EFTYPE')) continue
      await closeAll(blobs)
      throw error
    }
  }
  return blobs
}

const closeAll = async (blobs: readonly OpenBlob[]): Promise<void> => {
  for (const { handle } of blobs) await handle.close()
}

/** A cancel request is kept beside the record until its holder writes it there. */
const withCancelRequest = (layout: Layout, task: TaskRecord): TaskRecord => {
  const request = layout.revoke(task.id as SafeId)
  if (task.revokeRequestedAt !== null || !lstatSync(request, { throwIfNoEntry: false })?.isFile()) return task
  return { ...task, revokeRequestedAt: cancelRequestedAt(task, readCancelRequest(request)) }
}

const fingerprintOf = (layout: Layout, task: TaskRecord): string | null => {
  const link = keyFileOf(layout, task)
  const bound = link === null ? null : readKeyLink(link)
  return bound?.id === task.id && bound.fingerprint !== '' ? bound.fingerprint : null
}

/** The pieces of a blob, one at least. */
async function* piecesOf(
  id: string,
  { name, handle, size }: OpenBlob,
): AsyncGenerator<{ offset: number; bytes: Buffer }> {
  let offset = 0
  do {
    const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, size - offset))
    let filled = 0
    while (filled < chunk.length) {
      const { bytesRead } = await handle.read(chunk, filled, chunk.length - filled, offset + filled)
      if (bytesRead === 0) throw new Error(`The blob ${name} of ${id} has become shorter while it was read`)
      filled += bytesRead
    }
    yield { offset, bytes: chunk }
    offset += filled
  } while (offset < size)
}

const uploadsIn = (layout: Layout, onLeftOut: ExportOptions['onLeftOut']): UploadSource => {
  const documents = async function* (collection: CollectionName, names: readonly string[]) {
    for (const name of names) {
      const found = await readDocumentFile(layout, collection, name)
      if (found.state === 'whole') yield found.document
      if (found.state === 'broken')
        onLeftOut(path.relative(layout.dir, layout.document(collection, name)), found.why)
    }
  }
  /** The names of the uses of each upload: all of them are read once, before the uploads. */
  let uses = new Map<string, string[]>()
  return {
    async *documents() {
      const names = await namesIn(layout, 'uploads')
      uses = new Map()
      for (const name of await namesIn(layout, 'upload-uses')) {
        const id = name.slice(0, name.indexOf('.'))
        const those = uses.get(id)
        if (those) those.push(name)
        else uses.set(id, [name])
      }
      yield* documents('uploads', names)
    },
    uses: id => documents('upload-uses', uses.get(id) ?? []),
    async read(name) {
      const id = idOrNull(name)
      return id && createUploadFiles(layout).read(id)
    },
  }
}

const idOrNull = (name: string): SafeId | null => {
  try {
    return parseId(name)
  } catch {
    return null
  }
}

/**
 * The lines of an export, each with its newline: a header, then each task followed by its blobs, then the documents
 * of the collections that are exported, then the audit, then the end with the numbers of all. Each task is as it was at one moment;
 * the folder as a whole may change meanwhile.
 * @throws STORE_UNAVAILABLE when the folder is none or cannot be read
 */
export async function* exportFolder({
  dir,
  clock,
  onLeftOut,
}: ExportOptions & { dir: string; clock: () => Date }): AsyncGenerator<string> {
  const layout = createLayout(path.resolve(dir))
  const lines = createLineWriter()

  const take = async (id: SafeId): Promise<TakenRecord | null> => {
    for (let tries = 1; ; tries += 1) {
      const before = readStateFile(layout, id)
      if (before.state === 'none') return null
      if (before.state !== 'whole') {
        onLeftOut(path.relative(layout.dir, layout.task(id)), before.why)
        return null
      }
      const blobs = await openBlobs(layout, id)
      const after = readStateFile(layout, id)
      // moves within an attempt do not matter: only an end, a new attempt or a removal changes the meaning of blobs
      const same =
        after.state === 'whole' &&
        after.task.status === before.task.status &&
        after.task.claim === before.task.claim
      if (same) return { task: withCancelRequest(layout, after.task), blobs }
      await closeAll(blobs)
      if (tries >= TRIES) {
        onLeftOut(path.relative(layout.dir, layout.task(id)), 'it never stands still')
        return null
      }
    }
  }

  mustBeDataFolder(layout)
  const { format } = await refuseLaterFormat(layout)
  try {
    const uploads = createUploadExport({ sourceOf: tell => uploadsIn(layout, tell), lines, onLeftOut })
    const collections = format >= DOCUMENTS_FORMAT ? EXPORTED_COLLECTIONS : []
    yield lines.begin(clock().toISOString())
    if (collections.length > 0) yield* uploads.first()
    for (const shard of layout.shards())
      for (const { name } of entriesOf(shard)) {
        const id = idOfStateFile(name)
        if (!id || layout.task(id) !== path.join(shard, name)) continue
        const taken = await take(id)
        if (!taken) continue
        try {
          const { task, blobs } = taken
          yield lines.task(task, fingerprintOf(layout, task))
          for (const blob of blobs)
            for await (const { offset, bytes } of piecesOf(id, blob))
              yield lines.piece(id, blob, offset, bytes)
        } finally {
          await closeAll(taken.blobs)
        }
      }
    if (collections.length > 0) yield* uploads.rest()
    for (const collection of collections.filter(name => !UPLOAD_COLLECTIONS.includes(name)))
      for (const name of await namesIn(layout, collection)) {
        const found = await readDocumentFile(layout, collection, name)
        if (found.state === 'whole') yield lines.document(collection, found.document)
        if (found.state === 'broken')
          onLeftOut(path.relative(layout.dir, layout.document(collection, name)), found.why)
      }
    for await (const entry of readTrail(layout)) yield lines.audit(entry)
    yield lines.end()
  } catch (error) {
    throw storeError(error)
  }
}
