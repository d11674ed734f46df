// Blobs as the port has them: only of tasks that there are.
import type { Readable } from 'node:stream'
import { MadhavaError } from '../../../core/errors.ts'
import type { BlobInfo } from '../../../core/store.ts'
import type { Instances } from '../claims/instances.ts'
import type { TaskMover } from '../claims/task-mover.ts'
import { isErrno } from '../errno.ts'
import type { Layout, SafeId } from '../layout.ts'
import type { Blobs } from './blobs.ts'
import type { Records } from './records.ts'

export interface BlobCalls extends Pick<Blobs, 'get'> {
  /** @throws TASK_NOT_FOUND, BAD_KEY, STORE_FULL */
  put(id: SafeId, name: string, bytes: Uint8Array | Readable): Promise<BlobInfo>
  list(id: SafeId): Promise<BlobInfo[]>
}

export const createBlobCalls = (deps: {
  layout: Layout
  blobs: Blobs
  records: Records
  mover: Pick<TaskMover, 'mustRead'>
  instances: Pick<Instances, 'isAlive'>
}): BlobCalls => {
  const { layout, blobs, records, mover, instances } = deps
  return {
    async put(id, name, bytes) {
      // a name that breaks the rule is refused before anything is read
      layout.blob(id, name)
      mover.mustRead(id)
      try {
        const info = await blobs.put(id, name, bytes)
        mover.mustRead(id)
        return info
      } catch (error) {
        // the task was removed meanwhile, and this blob's folder with it or just not yet
        if (records.read(id)) throw error
        await blobs.removeAll(id)
        throw isErrno(error, 'ENOENT') ? new MadhavaError('TASK_NOT_FOUND') : error
      }
    },
    async get(id, name, range) {
      layout.blob(id, name)
      return records.exists(id) ? blobs.get(id, name, range) : null
    },
    async list(id) {
      if (!records.exists(id)) return []
      // whoever cleans up after a dead process begins with the list, and what that one had half written may be large
      await blobs.removeAside(id, instances.isAlive)
      return blobs.list(id)
    },
  }
}
