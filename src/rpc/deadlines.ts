// One timer for many waits of one length. Most end long before; so that they cost next to nothing, they stand in the
// order of their beginning, and the timer looks at the first.

export interface Deadlines {
  /** Calls `expire` after the time, unless the answer is called before. Both may come once. */
  begin(expire: () => void): () => void
}

/** @param ms how long each wait may last; they expire up to a tenth later */
export const createDeadlines = (ms: number): Deadlines => {
  const open = new Set<{ at: number; expire: () => void }>()
  let timer: NodeJS.Timeout | null = null

  const arm = (delay: number): void => {
    timer = setTimeout(look, delay).unref()
  }
  const look = (): void => {
    timer = null
    const now = performance.now()
    for (const wait of open) {
      if (wait.at > now) {
        arm(Math.max(wait.at - now, ms / 10))
        return
      }
      open.delete(wait)
      wait.expire()
    }
  }

  return {
    begin(expire) {
      const wait = { at: performance.now() + ms, expire }
      open.add(wait)
      if (!timer) arm(ms)
      return () => {
        open.delete(wait)
      }
    },
  }
}
