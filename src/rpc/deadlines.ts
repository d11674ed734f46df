// One timer for many waits of one length. Most waits end long before they expire, so they must cost next to nothing:
// they are kept in order of their start, and the timer checks only the first.

export interface Deadlines {
  /** Calls `expire` once after the time, unless the returned function is called before. */
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
