// Who writes an upload that comes in several requests: one request at a time, over all processes. A later request of
// this process ends an earlier one, whose client may be gone without anybody noticing.
import type { TypedDocument } from './collection.ts'
import { isMadhavaError, MadhavaError } from './errors.ts'
import type { Upload } from './upload-forms.ts'
import { openUploads, type UploadStore } from './upload-uses.ts'

export interface UploadWriters {
  /**
   * Does something while nobody else writes the upload. `signal` fires when a later request wants to. `stillMine`
   * throws UPLOAD_NOT_FOUND or UPLOAD_BUSY when the upload is no longer this request's: it was removed, or this process
   * stood still for so long that it counted as dead, and another one took over. It looks once in a while alone.
   * @throws UPLOAD_NOT_FOUND, UPLOAD_BUSY when another process writes it
   */
  alone<T>(
    id: string,
    work: (upload: TypedDocument<Upload>, signal: AbortSignal, stillMine: () => Promise<void>) => Promise<T>,
  ): Promise<T>
  /** Why an upload that was written here no longer is. */
  whyLost(id: string): Promise<MadhavaError>
}

/** An upload is looked at anew when this process has not looked for so long, which it cannot miss when it stood still. */
const LOOK_MS = 1_000

/** The same pieces, each only while `check` does not throw. */
export async function* checked<T>(pieces: AsyncIterable<T>, check: () => Promise<void>): AsyncGenerator<T> {
  for await (const piece of pieces) {
    await check()
    yield piece
  }
}

export const createUploadWriters = (
  store: UploadStore,
  isAlive: (instance: string) => Promise<boolean>,
  elapsed: () => number = () => performance.now(),
): UploadWriters => {
  const uploads = openUploads(store)
  const underWay = new Map<string, { controller: AbortController; over: Promise<unknown> }>()

  const take = async (id: string): Promise<TypedDocument<Upload>> => {
    const found = await uploads.get(id)
    if (!found || found.data.state === 'going') throw new MadhavaError('UPLOAD_NOT_FOUND')
    const { holder } = found.data
    const busy = new MadhavaError('UPLOAD_BUSY', 'Another process writes this upload: try again in a moment')
    if (holder !== null && holder !== store.instance && (await isAlive(holder))) throw busy
    try {
      return await uploads.put(id, { data: { ...found.data, holder: store.instance } }, found.rev)
    } catch (error) {
      throw isMadhavaError(error, 'DOCUMENT_CHANGED') ? busy : error
    }
  }

  const whyLost = async (id: string): Promise<MadhavaError> => {
    const found = await uploads.get(id)
    return !found || found.data.state === 'going'
      ? new MadhavaError('UPLOAD_NOT_FOUND', 'The upload was removed meanwhile')
      : new MadhavaError('UPLOAD_BUSY', 'Another process has taken this upload over')
  }
  const watch = ({ name: id, rev }: TypedDocument<Upload>): (() => Promise<void>) => {
    let lookedAt = elapsed()
    return async () => {
      if (elapsed() - lookedAt < LOOK_MS) return
      const found = await uploads.get(id)
      if (found?.rev !== rev) throw await whyLost(id)
      lookedAt = elapsed()
    }
  }

  return {
    whyLost,

    async alone(id, work) {
      for (let other = underWay.get(id); other; other = underWay.get(id)) {
        other.controller.abort(new MadhavaError('UPLOAD_BUSY', 'A later request writes this upload'))
        await other.over
      }
      const controller = new AbortController()
      const doing = take(id).then(upload => work(upload, controller.signal, watch(upload)))
      const over = doing.catch(() => {}).finally(() => underWay.delete(id))
      underWay.set(id, { controller, over })
      return doing
    },
  }
}
