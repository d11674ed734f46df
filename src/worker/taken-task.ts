// The result of a take, as the slots see it.

/** A task that was taken. Neither promise rejects. */
export interface TakenTask {
  /** It occupies all slots until `ended`. */
  exclusive?: boolean
  /**
   * Nothing of it runs any more, so another task may have its slot; at the latest with `ended`. Milliseconds that the
   * run took, without waiting; null if nothing ran.
   */
  slotFree: Promise<number | null>
  /** The last move of this run is durable. */
  ended: Promise<void>
}

/**
 * Instead of a task: a suspect comes first, and this worker takes nothing until one of its own tasks has ended or it
 * is told to poll. It counts as full until then.
 */
export const TAKE_LATER: TakenTask = Object.freeze({
  slotFree: Promise.resolve(null),
  ended: Promise.resolve(),
})
