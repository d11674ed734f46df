// What the presence of a process says of trouble with its store.
import type { PresenceDetails } from '../../core/store.ts'

/** @param trouble in words for people; null while all is well */
export const withStoreTrouble =
  (details: () => PresenceDetails, trouble: () => string | null) => (): PresenceDetails => {
    const own = details()
    const store = trouble()
    return store === null ? own : { ...own, troubles: { ...own.troubles, store } }
  }
