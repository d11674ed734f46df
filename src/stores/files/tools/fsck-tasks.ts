// Looks at what belongs to a task: its state file, its result, its blobs, its idempotency key. Changes nothing by
// itself.
import { lstatSync, rmSync, symlinkSync } from 'node:fs'
import { artifactsOf, unlistedArtifacts } from '../../../core/artifacts.ts'
import { BLOBS } from '../../../core/content.ts'
import { isRunning } from '../../../core/task.ts'
import { syncFolder } from '../../../platform/atomic-file.ts'
import { BLOB_NAME } from '../../shared/blob-name.ts'
import type { Layout, SafeId } from '../layout.ts'
import { keyFileOf, ownsKey, readKeyLink } from '../records/keys.ts'
import { readStateFile } from '../records/state-file.ts'
import { type FsckCheck, isThere, type Repairs } from './fsck-findings.ts'

export interface TaskChecks {
  record(id: SafeId): FsckCheck
  result(id: SafeId): FsckCheck
  key(id: SafeId): FsckCheck
  blobsOf(id: SafeId): FsckCheck
  /** Of each artifact that the record lists. */
  artifacts(id: SafeId): FsckCheck
  /** A blob with the name of an artifact. */
  artifactBlob(id: SafeId, name: string): FsckCheck
}

export const createTaskChecks = (
  layout: Layout,
  { at, moving, removing }: Repairs,
  /** Nobody runs any task. */
  alone: boolean,
): TaskChecks => {
  const record =
    (id: SafeId): FsckCheck =>
    () => {
      const file = readStateFile(layout, id)
      const place = at(layout.task(id))
      if (file.state === 'later') return { code: 'later-version', place, text: file.why, mend: null }
      if (file.state === 'broken')
        return { code: 'broken-record', place, text: file.why, mend: moving(layout.task(id)) }
      return null
    }

  const result =
    (id: SafeId): FsckCheck =>
    () => {
      const file = readStateFile(layout, id)
      if (file.state !== 'whole') return null
      const { status, resultBytes } = file.task
      if (status !== 'SUCCESS' || resultBytes === null) return null
      const found = [BLOBS.textResult, BLOBS.jsonResult].flatMap(name => {
        const stat = lstatSync(layout.blob(id, name), { throwIfNoEntry: false })
        return stat?.isFile() ? [stat.size] : []
      })
      const place = at(layout.blobFolder(id))
      if (found.length === 0)
        return {
          code: 'result-missing',
          place,
          text: `the record names a result of ${resultBytes} bytes, and there is none; run the task again`,
          mend: null,
        }
      if (found.includes(resultBytes)) return null
      const text = `the record names a result of ${resultBytes} bytes, and it has ${found.join(' and ')}`
      return { code: 'result-size', place, text, mend: null }
    }

  const makeKey = async (link: string, id: SafeId): Promise<void> => {
    rmSync(link, { force: true })
    // what was asked with the key is not in the record: none, so that a repeat is refused and never made twice
    symlinkSync(`${id}.`, link)
    await syncFolder(layout.keys)
  }
  const key =
    (id: SafeId): FsckCheck =>
    () => {
      const file = readStateFile(layout, id)
      const link = file.state === 'whole' ? keyFileOf(layout, file.task) : null
      if (link === null) return null
      const place = at(link)
      const bound = readKeyLink(link)
      if (bound?.id === id) return null
      const other = bound && readStateFile(layout, bound.id)
      if (other?.state === 'whole' && ownsKey(layout, other.task, link)) {
        const text = `the tasks ${id} and ${other.task.id} have the same idempotency key; it names the second`
        return { code: 'shared-key', place, text, mend: null }
      }
      if (isThere(link) && !bound) return null // reported by the check at the link
      const text = `the idempotency key of ${id} ${bound ? 'names another task' : 'is missing'}`
      return {
        code: bound ? 'wrong-key' : 'missing-key',
        place,
        text,
        mend: { how: 'made anew', now: () => makeKey(link, id) },
      }
    }

  const blobsOf =
    (id: SafeId): FsckCheck =>
    () => {
      const folder = layout.blobFolder(id)
      if (!isThere(folder) || readStateFile(layout, id).state !== 'none') return null
      const text = 'blobs of a task that is not there'
      return { code: 'orphan-blobs', place: at(folder), text, mend: moving(folder, `${id}.blobs`) }
    }

  const artifacts =
    (id: SafeId): FsckCheck =>
    () => {
      const file = readStateFile(layout, id)
      for (const { name, file: blob, bytes } of file.state === 'whole' ? artifactsOf(file.task) : []) {
        const stat = BLOB_NAME.test(blob) ? lstatSync(layout.blob(id, blob), { throwIfNoEntry: false }) : null
        const place = at(layout.blobFolder(id))
        const said = `the record lists ${JSON.stringify(name)} with ${bytes} bytes`
        if (!stat?.isFile())
          return {
            code: 'artifact-missing',
            place,
            text: `${said}, and there are none; run the task again`,
            mend: null,
          }
        if (stat.size !== bytes)
          return { code: 'artifact-size', place, text: `${said}, and it has ${stat.size}`, mend: null }
      }
      return null
    }

  const artifactBlob =
    (id: SafeId, name: string): FsckCheck =>
    () => {
      const place = layout.blob(id, name)
      if (!isThere(place)) return null
      const file = readStateFile(layout, id)
      if (file.state !== 'whole' || unlistedArtifacts(file.task, [name]).length === 0) return null
      // what is being written is listed a moment later
      if (!alone && isRunning(file.task.status)) return null
      const text = 'an artifact that the record does not list'
      return { code: 'stray-artifact', place: at(place), text, mend: removing(place) }
    }

  return { record, result, key, blobsOf, artifacts, artifactBlob }
}
