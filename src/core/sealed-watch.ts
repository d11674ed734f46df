// Follows changes for actors who do not see all tasks, with sealed cursors. For all others nothing changes.
import {
  type CursorSeal,
  createSharedSealing,
  openedBy,
  type SharedSealing,
  sealedBy,
} from './cursor-seal.ts'
import { demand, seesAll } from './policy.ts'
import type { Watch } from './watch.ts'

/** @param cursorSeal null: cursors are plain for everybody */
export const withSealedCursors = (
  watch: Watch,
  cursorSeal: (() => Promise<CursorSeal>) | null,
): Pick<Watch, 'watchAll' | 'followAll'> => {
  const sharings = new WeakMap<CursorSeal, SharedSealing>()
  const sharingOf = (seal: CursorSeal): SharedSealing => {
    const known = sharings.get(seal) ?? createSharedSealing(seal)
    sharings.set(seal, known)
    return known
  }
  return {
    async *watchAll(actor, filter, { since, snapshot }, signal) {
      if (seesAll(actor) || cursorSeal === null) {
        yield* watch.watchAll(actor, filter, { since, snapshot }, signal)
        return
      }
      // before anything is asked of the store for somebody who may not read
      demand(actor, 'read')
      const seal = await cursorSeal()
      const from = { since: openedBy(seal, since, actor), snapshot }
      for await (const events of watch.watchAll(actor, filter, from, signal)) {
        const sealed = sealedBy(seal, events, actor)
        if (sealed.length > 0) yield sealed
      }
    },

    async followAll(actor, filter, { since, snapshot }, sink, signal) {
      if (seesAll(actor) || cursorSeal === null)
        return watch.followAll(actor, filter, { since, snapshot }, sink, signal)
      demand(actor, 'read')
      const seal = await cursorSeal()
      const sealedFor = sharingOf(seal)(actor)
      const from = { since: openedBy(seal, since, actor), snapshot }
      return watch.followAll(
        actor,
        filter,
        from,
        {
          ...sink,
          tell(event) {
            const sealed = sealedFor(event)
            if (sealed) sink.tell(sealed)
          },
        },
        signal,
      )
    },
  }
}
