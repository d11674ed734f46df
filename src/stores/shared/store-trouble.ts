// What the presence of a process says of trouble with its store.
import type { PresenceDetails } from '../../core/store.ts'

export interface StoreTrouble {
  /** In words for people; null while all is well. */
  trouble(): string | null
  /** Whether a waiting task may begin. */
  mayBegin(): boolean
}

const NO_ROOM = 'The store has no room for what a task would write'

/** The details with the store's trouble; where tasks are run, also why none begins. */
export const withStoreTrouble =
  (details: () => PresenceDetails, { trouble, mayBegin }: StoreTrouble) =>
  (): PresenceDetails => {
    const own = details()
    const store = trouble()
    const stuck = own.kinds !== undefined && !mayBegin()
    return {
      ...own,
      ...(stuck ? { takesNone: own.takesNone ?? store ?? NO_ROOM } : {}),
      ...(store === null ? {} : { troubles: { ...own.troubles, store } }),
    }
  }
