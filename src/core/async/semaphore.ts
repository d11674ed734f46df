// Limits how many pieces of work run at a time. The others wait for their turn.

export interface SemaphoreOptions {
  /** How many may wait. Left out: any number. */
  waitingMax?: number
  /** The error for a piece of work that is refused because too many wait. */
  refusal?: () => Error
}

/**
 * Runs `work` when it is its turn.
 * @param rank the lowest goes first, then first come, first served; 0 when left out
 * @throws the refusal when too many wait; it goes to the highest rank, and among equals to the last one that came
 */
export type Semaphore = <T>(work: () => Promise<T>, rank?: number) => Promise<T>

interface Waiter {
  rank: number
  begin: () => void
  refuse: (error: Error) => void
}

export const createSemaphore = (
  atATime: number,
  {
    waitingMax = Number.POSITIVE_INFINITY,
    refusal = () => new Error('Too many wait'),
  }: SemaphoreOptions = {},
): Semaphore => {
  let free = atATime
  /** Sorted by rank, then by arrival. */
  const waiting: Waiter[] = []

  const turn = (rank: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const before = waiting.findLastIndex(other => other.rank <= rank)
      waiting.splice(before + 1, 0, { rank, begin: resolve, refuse: reject })
      if (waiting.length > waitingMax) waiting.pop()?.refuse(refusal())
    })

  return async (work, rank = 0) => {
    if (free > 0) free -= 1
    else await turn(rank)
    try {
      return await work()
    } finally {
      // handed over directly, so that a newcomer cannot overtake
      const next = waiting.shift()
      if (next) next.begin()
      else free += 1
    }
  }
}
