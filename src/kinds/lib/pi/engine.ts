// The interface between the methods of calcpi and the kind. Types only.

/** What a computation gets from the kind. */
export interface MethodContext {
  readonly signal: AbortSignal
  /** Stretches a shorter computation over about so many milliseconds; 0: no delay. */
  readonly paceMs: number
  /** Cores that may be used now. */
  cores(): number
  /** Progress, 0 to 1; `certain` are leading digits of the result, if more are known than before. */
  report(share: number, certain: string | null): void
  /** Saves a state for a later attempt. */
  keep(state: unknown): void
  /** The saved state, or null. It can be anything and must be checked. */
  readonly resume: unknown
}

/** How a result was computed, and why it can be trusted. */
export interface Proof {
  method: string
  /** Terms of the series, and of the continued fraction if there is one. */
  terms: number
  /** Bits carried beyond those of the digits. */
  guardBits: number
  /**
   * The computed value is off by less than 2^−errorBits. The digits were checked with that bound, so they are pi's.
   */
  errorBits: number
  /** How often it was restarted with more guard bits. */
  reruns: number
}

export interface ProvenPi {
  /** 3, or 3.14…, truncated. */
  text: string
  proof: Proof
}
