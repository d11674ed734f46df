// One timer, for the earliest of the requested times.

/** The longest wait at once, since the wall clock may jump. */
const LONGEST_MS = 1_000

export interface WakeTimer {
  /** Fires at this time, milliseconds since 1970, or within a second of now if that is sooner. */
  set(atMs: number): void
  clear(): void
}

export const createWakeTimer = ({ clock, onTime }: { clock: () => Date; onTime: () => void }): WakeTimer => {
  let timer: NodeJS.Timeout | null = null
  let setFor = Infinity
  const clear = (): void => {
    if (timer) clearTimeout(timer)
    timer = null
    setFor = Infinity
  }
  return {
    set(atMs) {
      if (atMs >= setFor) return
      clear()
      setFor = atMs
      const away = Math.min(LONGEST_MS, Math.max(1, atMs - clock().getTime()))
      timer = setTimeout(() => {
        clear()
        onTime()
      }, away).unref()
    },
    clear,
  }
}
