// Counts the tasks that ended in FAILURE, by kind and by error code.

/** By kind, then by code. */
export type Failures = Record<string, Record<string, number>>

export interface FailuresMeter {
  count(kind: string, code: string): void
  /** These are known, too. */
  know(kinds: readonly string[]): void
  snapshot(): Failures
}

/** These kinds start at zero, so that Prometheus sees the first failure as an increase. */
export const createFailures = (known: readonly string[] = []): FailuresMeter => {
  const kinds = new Map<string, Map<string, number>>()
  const know = (names: readonly string[]): void => {
    for (const name of names) if (!kinds.has(name)) kinds.set(name, new Map([['KIND_FAILED', 0]]))
  }
  know(known)
  return {
    know,
    count(kind, code) {
      const codes = kinds.get(kind) ?? new Map<string, number>()
      kinds.set(kind, codes)
      codes.set(code, (codes.get(code) ?? 0) + 1)
    },
    snapshot: () => Object.fromEntries([...kinds].map(([kind, codes]) => [kind, Object.fromEntries(codes)])),
  }
}
