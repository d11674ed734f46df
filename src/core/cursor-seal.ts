// Cursors of the feed for actors who do not see all tasks. A plain one counts what everybody does: bytes of a journal, or
// the time of the last change. A sealed one says nothing, and is good for its owner alone.
import type { Actor } from './actor.ts'
import type { WatchEvent } from './watch.ts'

export interface CursorSeal {
  seal(cursor: string, actor: Actor): string
  /** Null for what was not sealed for this actor. */
  open(sealed: string, actor: Actor): string | null
}

/** No store gives out such a cursor, so its feed answers as for any that it does not know. */
const UNKNOWN = '-'

/** Where to go on. */
export const openedBy = (seal: CursorSeal, since: string | null, actor: Actor): string | null =>
  since === null ? null : (seal.open(since, actor) ?? UNKNOWN)

/** The events with sealed cursors. How often a place comes tells how much others do, so there is none. */
export const sealedBy = (seal: CursorSeal, events: readonly WatchEvent[], actor: Actor): WatchEvent[] =>
  events.flatMap(event => {
    if (event.type === 'place') return []
    if (event.type === 'snapshot' || event.cursor === null) return [event]
    return [{ ...event, cursor: seal.seal(event.cursor, actor) }]
  })
