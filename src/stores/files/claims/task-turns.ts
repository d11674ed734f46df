// What this process does to one task happens in the order of the calls.

/** One call after another per id; an entry lives only as long as somebody waits. */
export const createTaskTurns = () => {
  const last = new Map<string, Promise<unknown>>()
  return {
    async take<T>(id: string, work: () => Promise<T>): Promise<T> {
      const before = last.get(id)
      const mine = before ? before.then(work, work) : work()
      last.set(id, mine)
      try {
        return await mine
      } finally {
        if (last.get(id) === mine) last.delete(id)
      }
    },
    isTaken: (id: string) => last.has(id),
    all: () => Promise.allSettled(last.values()),
  }
}
