// Whose password is checked next. One at a time, since a check is dear on purpose and logins may not eat the processor;
// the others wait. Who has tried least lately is next, so that nobody is locked out by the tries of others.
import { MadhavaError } from '../core/errors.ts'

/** A fifth of a second each: the last of them waits for some ten seconds. */
const WAITING_MAX = 50

interface Waiting {
  tries: number
  begin: () => void
  refuse: () => void
}

export interface LoginTurns {
  /**
   * Runs `work` when it is its turn.
   * @param tries how often whoever asks has tried lately
   * @throws TOO_MANY_REQUESTS when too many wait, for the one of them that has tried most, the latest of those
   */
  run<T>(tries: number, work: () => Promise<T>): Promise<T>
}

export const createLoginTurns = (): LoginTurns => {
  let busy = false
  /** By tries, then in the order they came. */
  const waiting: Waiting[] = []

  const turn = (tries: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const refuse = (): void => reject(new MadhavaError('TOO_MANY_REQUESTS'))
      const place = waiting.findIndex(other => other.tries > tries)
      waiting.splice(place < 0 ? waiting.length : place, 0, { tries, begin: resolve, refuse })
      if (waiting.length > WAITING_MAX) waiting.pop()?.refuse()
    })

  return {
    async run(tries, work) {
      if (busy) await turn(tries)
      busy = true
      try {
        return await work()
      } finally {
        // whoever leaves hands the place over, so that it stays taken
        const next = waiting.shift()
        if (next) next.begin()
        else busy = false
      }
    },
  }
}
