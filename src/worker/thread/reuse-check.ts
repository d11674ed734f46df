// Whether a run has left anything in its thread that the next one could meet: something that goes on, or a change of what
// all code of the thread shares. What it has left is not taken back, since a module may rely on it: the thread ends.
import { setImmediate as turn } from 'node:timers/promises'
import { watchLeftovers } from './leftovers.ts'
import { ownerNow } from './owner.ts'
import { createRealm } from './shared-objects.ts'

export interface Tidy {
  /** Called before a run: what goes on then is none of its doing. */
  before(): string[]
  /** Lets what a run has just ended be gone. */
  settle(): Promise<void>
  /** Called once after a run, with what `before` answered. */
  isClean(before: readonly string[]): boolean
  /** From now on things are as they should be; whether something shared had changed. */
  noteChanges(): boolean
}

/** What passes by itself before long. */
const TRANSIENT = ['Immediate', 'CloseReq']
/** Turns of the loop that it may take: one that an immediate begins anew each time goes on for ever. */
const TURNS = 3

/** What keeps this thread's event loop alive, by type. */
const activeResources = (): string[] => process.getActiveResourcesInfo().filter(type => type !== 'CloseReq')

const leftSomething = (before: readonly string[], after: readonly string[]): boolean => {
  const known = [...before]
  return after.some(type => {
    const place = known.indexOf(type)
    if (place >= 0) known.splice(place, 1)
    return place < 0
  })
}

/** A run that took this many times as long as a thorough look has one of its own. */
const WORTH_A_LOOK = 20
/**
 * Tiny runs share one, due after this many times what it takes. A thread with a run every 0.5 ms is mostly waiting: looks
 * of 0.2 ms for a twentieth of the time, not of its CPU, would cost each run as much as it takes itself.
 */
const SHARED_AFTER = 100
/** It is due after this time however long the last one took, which on a busy machine says little. Milliseconds. */
const THOROUGH_AFTER_MS = 50

/** Knows nothing until `noteChanges` is called for the first time, which is after our own changes. */
export const createTidy = (): Tidy => {
  const leftovers = watchLeftovers(() => Boolean(ownerNow()?.id))
  const realm = createRealm()
  let thoroughAt = 0
  let thoroughTook = 0
  let runBegan = 0

  const isRealmSame = (): boolean => {
    const begun = performance.now()
    const thorough =
      begun - runBegan >= thoroughTook * WORTH_A_LOOK ||
      begun - thoroughAt >= Math.min(THOROUGH_AFTER_MS, thoroughTook * SHARED_AFTER)
    const same = realm.isSame(thorough)
    if (thorough) {
      thoroughAt = performance.now()
      thoroughTook = thoroughAt - begun
    }
    return same
  }
  return {
    before() {
      runBegan = performance.now()
      return activeResources().filter(type => type !== 'Immediate')
    },
    async settle() {
      await turn()
      // what is closed is gone a turn later
      for (let turns = 1; turns < TURNS; turns++) {
        if (!leftovers.any() && !process.getActiveResourcesInfo().some(type => TRANSIENT.includes(type)))
          return
        await turn()
      }
    },
    isClean(before) {
      const clean = !leftovers.any() && !leftSomething(before, activeResources()) && isRealmSame()
      leftovers.forget()
      return clean
    },
    noteChanges() {
      const hasChanged = !realm.isSame(true)
      realm.note(hasChanged)
      return hasChanged
    },
  }
}
