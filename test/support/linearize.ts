// Whether a history of concurrent calls could have come from calls made one after another (linearizability).
// The search is the one of Wing and Gong (1993) with Lowe's memory of what was tried (2017).

/** One call: when it was made, when it was answered (Infinity: never, its caller died), by one count of events. */
export interface Call<Asked, Answer> {
  from: number
  to: number
  asked: Asked
  answer: Answer | undefined
}

/**
 * What a call made alone does: every state it may lead to, given its answer; none when the answer is impossible.
 * A call without an answer leads to every state it might have led to; that it did nothing need not be named.
 */
export type Rule<State, Asked, Answer> = (state: State, call: Call<Asked, Answer>) => readonly State[]

/**
 * Searches an order of the calls that respects their times and explains every answer.
 * @returns null when there is one, else the largest set of calls that could be explained, in such an order.
 */
export const explain = <State, Asked, Answer>(
  calls: readonly Call<Asked, Answer>[],
  first: State,
  rule: Rule<State, Asked, Answer>,
): readonly Call<Asked, Answer>[] | null => {
  const tried = new Set<string>()
  let best: readonly Call<Asked, Answer>[] = []
  const left = new Set(calls.keys())
  const order: Call<Asked, Answer>[] = []

  const search = (state: State): boolean => {
    if (order.length > best.length) best = [...order]
    const open = [...left].flatMap(index => calls[index] ?? [])
    if (open.every(call => call.to === Infinity)) return true
    const key = JSON.stringify([[...left].sort((a, b) => a - b), state])
    if (tried.has(key)) return false
    tried.add(key)
    // a call may come next when no other one was answered before it was made
    const bound = Math.min(...open.map(call => call.to))
    for (const index of [...left]) {
      const call = calls[index]
      if (!call || call.from > bound) continue
      left.delete(index)
      order.push(call)
      for (const next of rule(state, call)) if (search(next)) return true
      order.pop()
      left.add(index)
    }
    return false
  }
  return search(first) ? null : best
}
