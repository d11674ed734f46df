// Counts what one turn of the event loop does: whatever is added between two of its rounds of immediates.

export interface PerTurn {
  add(amount: number): void
  /** Ends the counting: the most that was added in one turn, and all of it. */
  close(): { most: number; total: number }
}

export const countPerTurn = (): PerTurn => {
  const counted = { most: 0, total: 0 }
  let now = 0
  let counting = true
  const turn = (): void => {
    now = 0
    if (counting) setImmediate(turn).unref()
  }
  setImmediate(turn).unref()
  return {
    add(amount) {
      now += amount
      counted.total += amount
      counted.most = Math.max(counted.most, now)
    },
    close() {
      counting = false
      return { ...counted }
    },
  }
}
