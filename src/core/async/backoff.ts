// How long to wait before the next try. Pure.

/** Milliseconds. */
export interface Backoff {
  /** Before the first try that follows a failure. */
  firstMs: number
  /** The longest pause. */
  lastMs: number
}

/**
 * The pause after `failures` tries that failed before in a row: doubled each time up to the longest one. The upper half
 * is random, so that many who failed at one moment do not all come back at the next.
 * @param random 0 to 1
 */
export const backoffMs = ({ firstMs, lastMs }: Backoff, failures: number, random = Math.random()): number => {
  const full = Math.min(lastMs, firstMs * 2 ** Math.min(failures, 30))
  return full * (0.5 + random / 2)
}
