// Documents of a store that a test takes away and brings back, or fills.
import type { Documents } from '../../src/core/documents.ts'
import { MadhavaError } from '../../src/core/errors.ts'

export interface DocumentsAway {
  documents: Documents
  /** While it is true, every call fails as one to a Redis that cannot be reached. */
  away: boolean
  /** While it is true, every write fails as one to a full disk. */
  full: boolean
  /** The next write is done, and fails all the same. */
  loseNextAnswer: boolean
}

export const documentsAway = (inner: Documents): DocumentsAway => {
  const gone = (): MadhavaError => new MadhavaError('STORE_UNAVAILABLE', 'The store is away')
  const here = async <T>(work: () => Promise<T>): Promise<T> => {
    if (self.away) throw gone()
    return work()
  }
  const self: DocumentsAway = {
    away: false,
    full: false,
    loseNextAnswer: false,
    documents: {
      get: (...asked) => here(() => inner.get(...asked)),
      list: (...asked) => here(() => inner.list(...asked)),
      put: (...asked) =>
        here(async () => {
          if (self.full) throw new MadhavaError('STORE_FULL')
          const written = await inner.put(...asked)
          const isLost = self.loseNextAnswer
          self.loseNextAnswer = false
          if (isLost) throw gone()
          return written
        }),
      remove: (...asked) => here(() => inner.remove(...asked)),
      removeExpired: (...asked) => here(() => inner.removeExpired(...asked)),
    },
  }
  return self
}
