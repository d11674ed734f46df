// A part of an attempt that is made at first use: most tiny tasks report, log and submit nothing.

export interface Lazy<T> {
  (): T
  /** Null: not used yet. */
  made: () => T | null
}

export const lazy = <T>(make: () => T): Lazy<T> => {
  let made: T | null = null
  return Object.assign(() => (made ??= make()), { made: () => made })
}
