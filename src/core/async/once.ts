// Does something at most once, when it is first wanted.

/** The first call makes it; all later ones get the same, a failure too. */
export const once = <T>(make: () => T): (() => T) => {
  let made: { value: T } | null = null
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
