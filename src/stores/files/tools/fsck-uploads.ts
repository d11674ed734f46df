// Looks at uploads: their bytes, their documents, and which tasks use them. Changes nothing by itself.
import { lstatSync, rmSync } from 'node:fs'
import path from 'node:path'
import { flawOfDocument } from '../../../core/collections.ts'
import type { Document } from '../../../core/documents.ts'
import type { Upload } from '../../../core/upload-forms.ts'
import { seemsAlive } from '../claims/instances.ts'
import { nameOfDocumentFile, readDocumentFile } from '../documents/document-file.ts'
import { type Layout, parseId, type SafeId } from '../layout.ts'
import { readStateFile } from '../records/state-file.ts'
import { createUploadFiles } from '../uploads/upload-files.ts'
import { entriesOf, type FsckCheck, isThere, type Repairs } from './fsck-findings.ts'

interface UploadChecksDeps {
  layout: Layout
  repairs: Repairs
  /** The check of something that does not belong here. */
  foreign: (place: string, what: string) => FsckCheck
  /** The folder has no other user, so no holder of an upload lives. */
  alone: boolean
}

const idOf = (name: string): SafeId | null => {
  try {
    const id = parseId(name)
    return id === name ? id : null
  } catch {
    return null
  }
}
const uploadOf = ({ data }: Document): Upload => data as unknown as Upload

/** All checks of uploads. Lazy. */
export function* uploadChecksOf(deps: UploadChecksDeps): Generator<FsckCheck> {
  const { layout, repairs, foreign, alone } = deps
  const { at, moving, removing } = repairs
  const files = createUploadFiles(layout)
  const isDead = async (holder: string): Promise<boolean> => alone || !(await seemsAlive(layout.run, holder))

  const bytes =
    (id: SafeId): FsckCheck =>
    async () => {
      const file = layout.upload(id)
      if (!isThere(file)) return null
      // one that cannot be used is told by its own check, and these bytes may still be wanted
      if ((await readDocumentFile(layout, 'uploads', id)).state !== 'none') return null
      const wasMoved = isThere(path.join(layout.dir, 'broken', `${id}.json`))
      const text = 'bytes of an upload that has no document'
      const mend = wasMoved ? moving(file, `${id}.upload`) : removing(file)
      return { code: 'orphan-upload', place: at(file), text, mend }
    }

  const document =
    (id: SafeId): FsckCheck =>
    async () => {
      const found = await readDocumentFile(layout, 'uploads', id)
      if (found.state !== 'whole' || flawOfDocument('uploads', found.document)) return null
      const { state, resumable, holder, bytes: wanted } = uploadOf(found.document)
      const file = layout.document('uploads', id)
      const place = at(file)
      if (state === 'open' && !resumable && (holder === null || (await isDead(holder)))) {
        const removeBoth = (): void => {
          rmSync(layout.upload(id), { force: true })
          rmSync(file)
        }
        const text = 'the process that took its bytes is dead'
        return { code: 'dead-upload', place, text, mend: { how: 'removed', now: removeBoth } }
      }
      if (state !== 'whole') return null
      const size = files.sizeOf(id)
      if (size === wanted) return null
      const said = `the upload has ${wanted} bytes`
      if (size === null)
        return {
          code: 'upload-missing',
          place,
          text: `${said}, and there are none; send it again`,
          mend: null,
        }
      return { code: 'upload-size', place, text: `${said}, and there are ${size}; send it again`, mend: null }
    }

  const use =
    (name: string): FsckCheck =>
    async () => {
      const file = layout.document('upload-uses', name)
      if (!isThere(file)) return null
      const [upload = '', task = ''] = name.split('.')
      const [uploadId, taskId] = [idOf(upload), idOf(task)]
      const missing =
        taskId === null || readStateFile(layout, taskId).state === 'none'
          ? `a task that is not there uses the upload ${upload}`
          : uploadId === null || (await readDocumentFile(layout, 'uploads', uploadId)).state === 'none'
            ? `the task ${task} uses an upload that is not there`
            : null
      return missing === null
        ? null
        : { code: 'stray-use', place: at(file), text: missing, mend: removing(file) }
    }

  for (const entry of entriesOf(layout.uploadBytes)) {
    const shard = path.join(layout.uploadBytes, entry.name)
    if (!/^[0-9a-f]{2}$/.test(entry.name) || !entry.isDirectory()) {
      yield foreign(shard, 'not a folder of this store')
      continue
    }
    for (const { name } of entriesOf(shard)) {
      const place = path.join(shard, name)
      const id = idOf(name)
      const stat = lstatSync(place, { throwIfNoEntry: false })
      if (!id || layout.upload(id) !== place || !stat?.isFile())
        yield foreign(place, 'not the bytes of an upload')
      else if (stat.nlink > 1)
        yield foreign(
          place,
          'a file with further names, which is not given out: copy it in place of the link',
        )
      else yield bytes(id)
    }
  }
  for (const { name: file } of entriesOf(layout.collection('uploads'))) {
    const id = idOf(nameOfDocumentFile(file) ?? '')
    if (id) yield document(id)
  }
  for (const { name: file } of entriesOf(layout.collection('upload-uses'))) {
    const name = nameOfDocumentFile(file)
    if (name !== null) yield use(name)
  }
}
