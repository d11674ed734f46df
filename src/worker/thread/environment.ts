// Watches the environment variables of a thread, which all of its code shares, for changes.

export interface WatchedEnvironment {
  /** Takes the present state as unchanged. */
  note(): void
  isSame(): boolean
}

/**
 * Replaces `process.env` with a proxy that notes writes: reading the whole environment after every run would cost more
 * than a tiny run.
 */
export const watchEnvironment = (): WatchedEnvironment => {
  const real = process.env
  let before = new Map<PropertyKey, string | undefined>()
  const touched = (key: PropertyKey): void => {
    if (!before.has(key)) before.set(key, real[key as string])
  }
  const env = new Proxy(real, {
    set(target, key, value) {
      touched(key)
      return Reflect.set(target, key, value)
    },
    deleteProperty(target, key) {
      touched(key)
      return Reflect.deleteProperty(target, key)
    },
    defineProperty(target, key, property) {
      touched(key)
      return Reflect.defineProperty(target, key, property)
    },
  })
  process.env = env
  return {
    note: () => {
      before = new Map()
    },
    isSame: () => process.env === env && [...before].every(([key, value]) => real[key as string] === value),
  }
}
