// Whether a run left anything in its thread that could affect the next one: something still running, or changed shared
// objects. Nothing is undone, since a module may rely on it: the thread ends.
import { setImmediate as turn } from 'node:timers/promises'
import { originNow } from './code-origin.ts'
import { createSharedObjects } from './shared-objects.ts'
import { trackUnrefs } from './unref-tracker.ts'

export interface ReuseCheck {
  /** Called before a run: what is active then is not the run's. */
  before(): string[]
  /** Waits until what a run has just ended is gone. */
  settle(): Promise<void>
  /** Called once after a run, with the answer of `before`. */
  isClean(before: readonly string[]): boolean
  /** Takes the present state as clean. Returns whether something shared had changed. */
  noteChanges(): boolean
}

/** Resources that go away soon without help. */
const TRANSIENT = ['Immediate', 'CloseReq']
/** How many turns of the loop to wait. An immediate that renews itself each time never ends. */
const TURNS = 3

/** The types of what keeps this thread's event loop alive. */
const activeResources = (): string[] => process.getActiveResourcesInfo().filter(type => type !== 'CloseReq')

const leftSomething = (before: readonly string[], after: readonly string[]): boolean => {
  const known = [...before]
  return after.some(type => {
    const place = known.indexOf(type)
    if (place >= 0) known.splice(place, 1)
    return place < 0
  })
}

/** A run that took this many times as long as a full check gets one of its own. */
const WORTH_A_LOOK = 20
/**
 * Tiny runs share one full check, due after this many times its cost. In a thread with a run every 0.5 ms, checks of
 * 0.2 ms for a twentieth of the wall time would cost as much as the runs.
 */
const SHARED_AFTER = 100
/** Due after this time whatever the last check cost, since on a busy machine that says little. Milliseconds. */
const THOROUGH_AFTER_MS = 50

/** Knows nothing until the first `noteChanges`, which comes after our own changes. */
export const createReuseCheck = (): ReuseCheck => {
  const leftovers = trackUnrefs(() => Boolean(originNow()?.id))
  const sharedObjects = createSharedObjects()
  let thoroughAt = 0
  let thoroughTook = 0
  let runBegan = 0

  const isUnchanged = (): boolean => {
    const begun = performance.now()
    const thorough =
      begun - runBegan >= thoroughTook * WORTH_A_LOOK ||
      begun - thoroughAt >= Math.min(THOROUGH_AFTER_MS, thoroughTook * SHARED_AFTER)
    const same = sharedObjects.isSame(thorough)
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
      // what is closed is gone one turn later
      for (let turns = 1; turns < TURNS; turns++) {
        if (!leftovers.any() && !process.getActiveResourcesInfo().some(type => TRANSIENT.includes(type)))
          return
        await turn()
      }
    },
    isClean(before) {
      const clean = !leftovers.any() && !leftSomething(before, activeResources()) && isUnchanged()
      leftovers.forget()
      return clean
    },
    noteChanges() {
      const hasChanged = !sharedObjects.isSame(true)
      sharedObjects.note(hasChanged)
      return hasChanged
    },
  }
}
