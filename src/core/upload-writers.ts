// Who writes an upload that comes in several requests: one request at a time, over all processes. A later request of
// this process ends an earlier one, whose client may be gone without anybody noticing.
import type { TypedDocument } from './collection.ts'
import { isMadhavaError, MadhavaError } from './errors.ts'
import type { Upload } from './upload-forms.ts'
import { openUploads, type UploadStore } from './upload-uses.ts'

export interface UploadWriters {
  /**
   * Does something while nobody else writes the upload. `signal` fires when a later request wants to.
   * @throws UPLOAD_NOT_FOUND, UPLOAD_BUSY when another process writes it
   */
  alone<T>(id: string, work: (upload: TypedDocument<Upload>, signal: AbortSignal) => Promise<T>): Promise<T>
}

export const createUploadWriters = (
  store: UploadStore,
  isAlive: (instance: string) => Promise<boolean>,
): UploadWriters => {
  const uploads = openUploads(store)
  const underWay = new Map<string, { controller: AbortController; over: Promise<unknown> }>()

  const take = async (id: string): Promise<TypedDocument<Upload>> => {
    const found = await uploads.get(id)
    if (!found) throw new MadhavaError('UPLOAD_NOT_FOUND')
    const { holder } = found.data
    const busy = new MadhavaError('UPLOAD_BUSY', 'Another process writes this upload: try again in a moment')
    if (holder !== null && holder !== store.instance && (await isAlive(holder))) throw busy
    try {
      return await uploads.put(id, { data: { ...found.data, holder: store.instance } }, found.rev)
    } catch (error) {
      throw isMadhavaError(error, 'DOCUMENT_CHANGED') ? busy : error
    }
  }

  return {
    async alone(id, work) {
      for (let other = underWay.get(id); other; other = underWay.get(id)) {
        other.controller.abort(new MadhavaError('UPLOAD_BUSY', 'A later request writes this upload'))
        await other.over
      }
      const controller = new AbortController()
      const doing = take(id).then(upload => work(upload, controller.signal))
      const over = doing.catch(() => {}).finally(() => underWay.delete(id))
      underWay.set(id, { controller, over })
      return doing
    },
  }
}
