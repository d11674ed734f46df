// Writes the latest of many values: one write at a time, spaced out. Values that are replaced before their turn are
// not written.

export interface ThrottledWriter<T> {
  /** Cheap; returns at once. */
  offer(value: T): void
  /** Writes the pending value now. Resolves when no write is under way. Never rejects. */
  flush(): Promise<void>
  /** Drops the pending value. Resolves when no write is under way. Never rejects. */
  stop(): Promise<void>
}

/** If `write` rejects, `failed` is called and the value is dropped. */
export const createThrottledWriter = <T>(options: {
  everyMs: number
  write: (value: T) => Promise<void>
  failed: (error: unknown) => void
}): ThrottledWriter<T> => {
  const { everyMs, write, failed } = options
  let pending: { value: T } | null = null
  let writing: Promise<void> | null = null
  let timer: NodeJS.Timeout | null = null
  let lastEnd = Number.NEGATIVE_INFINITY
  let stopped = false

  const writeNow = (): Promise<void> => {
    if (timer) clearTimeout(timer)
    timer = null
    if (writing || !pending) return writing ?? Promise.resolve()
    const { value } = pending
    pending = null
    writing = write(value)
      .catch(failed)
      .finally(() => {
        writing = null
        lastEnd = performance.now()
        schedule()
      })
    return writing
  }
  const schedule = (): void => {
    if (!pending || writing || timer || stopped) return
    const wait = lastEnd + everyMs - performance.now()
    if (wait <= 0) void writeNow()
    else timer = setTimeout(() => void writeNow(), wait)
  }

  return {
    offer(value) {
      if (stopped) return
      pending = { value }
      schedule()
    },
    async flush() {
      while (pending || writing) await writeNow()
    },
    async stop() {
      stopped = true
      pending = null
      if (timer) clearTimeout(timer)
      timer = null
      await writing
    },
  }
}
