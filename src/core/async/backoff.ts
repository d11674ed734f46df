// How long to wait before the next try. Pure.

/** Milliseconds. */
export interface Backoff {
  /** Before the first retry. */
  firstMs: number
  /** The longest pause. */
  lastMs: number
}

/**
 * The pause after `failures` failed tries in a row: it doubles each time, up to the longest pause. The upper half is
 * random, so that clients that failed together do not all come back together.
 * @param random 0 to 1
 */
export const backoffMs = ({ firstMs, lastMs }: Backoff, failures: number, random = Math.random()): number => {
  const full = Math.min(lastMs, firstMs * 2 ** Math.min(failures, 30))
  return full * (0.5 + random / 2)
}
