// What a computation of pi is surrounded with when nobody watches it.
import type { MethodContext } from '../src/kinds/lib/pi/engine.ts'

export const surround = (cores: number, over: Partial<MethodContext> = {}): MethodContext => ({
  signal: new AbortController().signal,
  paceMs: 0,
  cores: () => cores,
  resume: null,
  report() {},
  keep() {},
  ...over,
})
