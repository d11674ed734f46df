// A MethodContext for the engine of pi, as a test wants them; what is reported and kept can be looked at.
import type { MethodContext } from '../../../src/kinds/lib/pi/engine.ts'

export interface Watched extends MethodContext {
  readonly shares: number[]
  /** The partial results, each once. */
  readonly certain: string[]
  /** What was kept, as a later attempt gets it. */
  readonly kept: unknown[]
}

export const surround = (over: Partial<MethodContext> = {}): Watched => {
  const shares: number[] = []
  const certain: string[] = []
  const kept: unknown[] = []
  return {
    signal: new AbortController().signal,
    paceMs: 0,
    cores: () => 1,
    resume: null,
    ...over,
    shares,
    certain,
    kept,
    report(share, digits) {
      shares.push(share)
      if (digits !== null && digits !== certain.at(-1)) certain.push(digits)
      over.report?.(share, digits)
    },
    keep(state) {
      kept.push(structuredClone(state))
      over.keep?.(state)
    },
  }
}
