// Waiting for a condition, never for luck.
import { setTimeout as sleep } from 'node:timers/promises'

/** Generous: a loaded machine is slow, and a promise that is kept late is still kept. */
const LIMIT_MS = 120_000

/** Resolves as soon as the condition holds. @throws Error with `what` when it does not in time */
export const until = async (
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = LIMIT_MS,
): Promise<void> => {
  const deadline = performance.now() + limitMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${limitMs / 1000} s: ${what}`)
    await sleep(5)
  }
}
