// Lets so many pieces of work run at a time; the others wait for their turn.

export interface SemaphoreOptions {
  /** How many may wait. Left out: any number. */
  waitingMax?: number
  /** The error of the one that is not let wait any longer. */
  refusal?: () => Error
}

/**
 * Runs `work` when it is its turn.
 * @param rank the lowest is next, then the order of asking; 0 when left out
 * @throws the refusal, when too many wait, for the one of them with the highest rank, the latest of those
 */
export type Semaphore = <T>(work: () => Promise<T>, rank?: number) => Promise<T>

interface Waiting {
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
  /** By rank, then in the order of asking. */
  const waiting: Waiting[] = []

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
      // handed over directly, so that nobody who comes now overtakes
      const next = waiting.shift()
      if (next) next.begin()
      else free += 1
    }
  }
}
