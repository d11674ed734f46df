// What a look for a task finds, as the slots see it.

/** A task that was taken. Neither of the two promises rejects. */
export interface TakenTask {
  /** It has all slots, and until `done`. */
  alone?: boolean
  /**
   * Nothing of it runs any more, and another task may have its slot; at the latest with `done`. How many milliseconds the
   * run took, without what it waited for; null when nothing ran.
   */
  free: Promise<number | null>
  /** Its last move of this run is durable. */
  done: Promise<void>
}

/**
 * In place of a task: there is one, and this worker may take none before something of its own has ended, or until it is
 * nudged. It counts as full until then.
 */
export const LATER: TakenTask = Object.freeze({ free: Promise.resolve(null), done: Promise.resolve() })
