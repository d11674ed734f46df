// Shares the event loop. Long work counts what it does and continues in a later turn when one turn has done enough. A
// loop of awaits alone never leaves the micro-tasks, so sockets and timers would wait until it ends.

export interface TurnLimits {
  /** Records read, written or examined. */
  records: number
  /** Bytes, or characters, that were read or written. */
  bytes: number
  /** Milliseconds since the turn's first piece of work, for when records and bytes say too little. */
  ms: number
}
/** The most that one turn of the loop does, for all long answers of the process together. */
export const TURN_LIMITS: TurnLimits = { records: 100, bytes: 256 * 1024, ms: 5 }

export interface Turns {
  /**
   * Counts a piece of work that is done. Undefined: go on. A promise: the turn has done enough; it resolves in a
   * later turn. Call it after every piece, such as a record or a chunk: a turn may exceed its limits by one piece.
   */
  spend(records: number, bytes?: number): Promise<void> | undefined
}

/** `now`: milliseconds of a monotonic clock. */
export const createTurns = (limits: TurnLimits = TURN_LIMITS, now = () => performance.now()): Turns => {
  const spent = { records: 0, bytes: 0, begunAt: 0, lastAt: 0 }
  /** Waiting work, in order of arrival, with the cost of each one's last piece, as an estimate of the next. */
  const waiting: ({ go: () => void } & TurnLimits)[] = []
  let ticking = false

  /** Once per turn while there is work: resets the counts, and resumes as much waiting work as fits. */
  const tick = (): void => {
    spent.records = 0
    spent.bytes = 0
    spent.begunAt = now()
    spent.lastAt = spent.begunAt
    ticking = waiting.length > 0
    if (!ticking) return
    setImmediate(tick)
    let [records, bytes, ms] = [0, 0, 0]
    let count = 0
    for (const next of waiting) {
      records += next.records
      bytes += next.bytes
      ms += next.ms
      if (count > 0 && (records > limits.records || bytes > limits.bytes || ms > limits.ms)) break
      count += 1
    }
    for (const { go } of waiting.splice(0, count)) go()
  }

  return {
    spend(records, bytes = 0) {
      const at = now()
      if (!ticking) {
        ticking = true
        spent.begunAt = at
        spent.lastAt = at
        setImmediate(tick)
      }
      spent.records += records
      spent.bytes += bytes
      // pieces are done one after another, so this one began when the last was counted
      const ms = at - spent.lastAt
      spent.lastAt = at
      const hasRoom =
        spent.records < limits.records && spent.bytes < limits.bytes && at - spent.begunAt < limits.ms
      if (hasRoom) return undefined
      return new Promise(resolve => waiting.push({ go: resolve, records, bytes, ms }))
    },
  }
}

/** The turns of this process's loop. */
export const turns: Turns = createTurns()
