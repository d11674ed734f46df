// Wakes a reader that waits for more to read. The data itself is kept elsewhere.

export interface Wakeup {
  /** Wakes the reader. If it is not waiting, its next wait ends at once: no call is lost. */
  wake(): void
  /** Resolves at the next `wake`. A new wait replaces one that has not ended. */
  wait(): Promise<void>
}

/** For one reader. A wake can come without new data, so the reader checks again after each wait. */
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
