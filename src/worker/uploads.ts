// The uploads that a task's params name, as its attempt reads them.
import { Readable, Transform } from 'node:stream'
import { openCollection, orIfInvalid } from '../core/collection.ts'
import { MadhavaError } from '../core/errors.ts'
import type { TaskStore } from '../core/store.ts'
import { type Json, parseTaskId } from '../core/task.ts'
import { UPLOADS } from '../core/upload-forms.ts'
import { findUploads, idsOf } from '../core/upload-params.ts'
import { callErrorOf, type RunFiles } from './pool/file-calls.ts'
import type { UploadNote } from './pool/file-protocol.ts'

const isId = (id: string): boolean => {
  try {
    return parseTaskId(id) === id
  } catch {
    return false
  }
}

/** Passes bytes on. @throws STORE_UNAVAILABLE at the end when there were not as many as there must be */
const countTo = (wanted: number): Transform => {
  let bytes = 0
  return new Transform({
    transform(piece: Uint8Array, _encoding, done) {
      bytes += piece.length
      done(null, piece)
    },
    flush: done =>
      done(
        bytes === wanted
          ? null
          : new MadhavaError('STORE_UNAVAILABLE', `Of ${wanted} bytes of the upload, ${bytes} could be read`),
      ),
  })
}

export const createUploads = (
  store: Pick<TaskStore, 'documents' | 'uploads'>,
  params: Json,
): Pick<RunFiles, 'find' | 'read'> => {
  const named = new Set(idsOf(findUploads(params, {})))
  const notes = openCollection(store.documents, 'uploads', UPLOADS)
  const notThere = (why?: string): MadhavaError => new MadhavaError('UPLOAD_NOT_FOUND', why)

  const find = async (id: string): Promise<UploadNote> => {
    if (!named.has(id) || !isId(id)) throw notThere('The params of the task name no such upload')
    const found = await orIfInvalid(notes.get(id), () => null)
    if (found?.data.state !== 'whole') throw notThere()
    const { name, bytes, type, sha256 } = found.data
    if (type === null || sha256 === null) throw notThere()
    return { name, bytes, type, sha256 }
  }

  return {
    find: id => find(id).catch(callErrorOf),
    async read(id, range) {
      const { bytes } = await find(id)
      const start = Math.min(range.start, bytes)
      const end = Math.max(start, Math.min(range.end, bytes))
      if (start === end) return Readable.from([])
      const found = await store.uploads.read(id, { start, end })
      if (!found) throw notThere()
      const counted = countTo(end - start)
      const { stream } = found
      stream.on('error', error => counted.destroy(error))
      counted.on('close', () => stream.destroy())
      return stream.pipe(counted)
    },
  }
}
