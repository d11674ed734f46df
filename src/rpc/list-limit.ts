// Lets so many pieces of work run at a time, in the order of asking; the others wait. Bounds memory, not time.

export type Gate = <T>(work: () => Promise<T>) => Promise<T>

export const createGate = (places: number): Gate => {
  let free = places
  const waiting: (() => void)[] = []
  return async work => {
    if (free > 0) free -= 1
    else await new Promise<void>(resolve => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free += 1
    }
  }
}
