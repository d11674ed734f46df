// The queue of password checks: one at a time, since a check is slow on purpose. It knows no accounts.
import { createSemaphore, type Semaphore } from '../core/async/semaphore.ts'
import { MadhavaError } from '../core/errors.ts'

/** How many checks may wait: the last one for about ten seconds. */
const WAITING_MAX = 50

/**
 * One at a time for all logins of a process, so that checks do not use up the processor. The client with the fewest
 * recent tries is next, so that nobody is locked out by others' tries.
 * @throws TOO_MANY_REQUESTS when too many wait
 */
export const createCheckQueue = (): Semaphore =>
  createSemaphore(1, {
    waitingMax: WAITING_MAX,
    refusal: () => new MadhavaError('TOO_MANY_REQUESTS'),
  })
