// Wakes a reader that waits for more to read. What there is to read is not kept here.

export interface Wakeup {
  /** Wakes the reader. While it does not wait, the next wait ends at once: no call is lost. */
  wake(): void
  /** Resolves at the next `wake`. A later wait takes the place of one that has not ended. */
  wait(): Promise<void>
}

/** For one reader. It may be woken for nothing, so it looks again after each wait. */
export const createWakeup = (): Wakeup => {
  let called = false
  let resolveWait: (() => void) | null = null
  return {
    wake() {
      if (!resolveWait) {
        called = true
        return
      }
      resolveWait()
      resolveWait = null
    },
    wait() {
      if (called) {
        called = false
        return Promise.resolve()
      }
      return new Promise(resolve => {
        resolveWait = resolve
      })
    },
  }
}
