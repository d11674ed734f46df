// A store whose blobs an attempt can no longer change once a later attempt of this process has the task. The store
// only knows this process's claims, so it would accept such writes under the later attempt's claim.
import { MadhavaError } from '../core/errors.ts'
import type { TaskStore } from '../core/store.ts'

/** `putBlob` and `removeBlob` reject with CLAIM_LOST as soon as `isDisowned` says so. */
export const fenceStore = (store: TaskStore, isDisowned: () => boolean): TaskStore => {
  const unlessDisowned =
    <A extends unknown[], R>(write: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> =>
      isDisowned() ? Promise.reject(new MadhavaError('CLAIM_LOST')) : write(...args)
  return {
    ...store,
    putBlob: unlessDisowned(store.putBlob),
    removeBlob: unlessDisowned(store.removeBlob),
  }
}
