// What every method of calcpi is given and gives: the words that the engine and the kind share. Types only.

/** What a computation is surrounded by. */
export interface Surroundings {
  readonly signal: AbortSignal
  /** Stretches a shorter computation over about so many milliseconds; 0: as fast as it goes. */
  readonly paceMs: number
  /** Cores that may be used at this moment. */
  cores(): number
  /** How far it came, 0 to 1; `certain` are leading digits of the result, when some more are known. */
  report(share: number, certain: string | null): void
  /** Keeps what a later attempt may go on from. */
  keep(state: unknown): void
  /** What was kept, or null. Anything: it must be checked. */
  readonly resume: unknown
}

/** How a result was come by, and why it can be relied on. */
export interface Proof {
  method: string
  /** Terms of the series (of the continued fraction too, where there is one). */
  terms: number
  /** Bits carried beyond those of the digits. */
  guardBits: number
  /** What was computed is off by less than 2^−errorBits, so that the digits, which were looked at with it, are pi's. */
  errorBits: number
  /** How often it was begun anew with more guard bits. */
  reruns: number
}

export interface Answer {
  /** 3, or 3.14…, truncated. */
  text: string
  proof: Proof
}
