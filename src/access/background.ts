// Work that nobody waits for, such as noting when a key was used. Its failures are silent; the end waits for it.

export interface Background {
  run(work: () => Promise<unknown>): void
  /** Resolves when all that has begun is done. What comes later is not begun. */
  close(): Promise<void>
}

export const createBackground = (): Background => {
  const running = new Set<Promise<unknown>>()
  let isClosed = false
  return {
    run(work) {
      if (isClosed) return
      const one: Promise<unknown> = work()
        .catch(() => {})
        .finally(() => running.delete(one))
      running.add(one)
    },
    async close() {
      isClosed = true
      await Promise.all(running)
    },
  }
}
