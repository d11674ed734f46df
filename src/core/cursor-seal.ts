// Cursors of the feed for actors who do not see all tasks. A plain one counts what everybody does: bytes of a journal, or
// the time of the last change. A sealed one says nothing, and is good for its owner alone.
import type { Actor } from './actor.ts'
import type { WatchEvent } from './watch-event.ts'

export interface CursorSeal {
  /** Whom a cursor is good for: actors with the same text can use each other's. */
  holder(actor: Actor): string
  seal(cursor: string, actor: Actor): string
  /** Null for what was not sealed for this actor. */
  open(sealed: string, actor: Actor): string | null
}

/** No store gives out such a cursor, so its feed answers as for any that it does not know. */
const UNKNOWN = '-'

/** Where to go on. */
export const openedBy = (seal: CursorSeal, since: string | null, actor: Actor): string | null =>
  since === null ? null : (seal.open(since, actor) ?? UNKNOWN)

const sealedEvent = (event: WatchEvent, seal: (cursor: string) => string): WatchEvent | null => {
  // how often a place comes tells how much others do
  if (event.type === 'place') return null
  if (event.type === 'snapshot' || event.cursor === null) return event
  return { ...event, cursor: seal(event.cursor) }
}

/** The events with sealed cursors, without places. */
export const sealedBy = (seal: CursorSeal, events: readonly WatchEvent[], actor: Actor): WatchEvent[] =>
  events.flatMap(event => sealedEvent(event, cursor => seal.seal(cursor, actor)) ?? [])

/** The same for one event of an actor; null: it is not told. */
export type SharedSealing = (actor: Actor) => (event: WatchEvent) => WatchEvent | null

/** Seals an event once for all who may use the same cursor: an account may have many sockets. */
export const createSharedSealing = (seal: CursorSeal): SharedSealing => {
  const sealed = new WeakMap<WatchEvent, Map<string, WatchEvent | null>>()
  return actor => {
    const holder = seal.holder(actor)
    return event => {
      const known = sealed.get(event) ?? new Map<string, WatchEvent | null>()
      const before = known.get(holder)
      if (before !== undefined) return before
      const made = sealedEvent(event, cursor => seal.seal(cursor, actor))
      sealed.set(event, known.set(holder, made))
      return made
    }
  }
}
