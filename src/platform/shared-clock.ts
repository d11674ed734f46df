// One clock for processes of several hosts: this host's own, put right by what a server that all of them ask says.
// A host that agrees with the server keeps its own time untouched.

export interface SharedClock {
  now(): Date
  /** The server's time in ms, just heard, and how long question and answer took. */
  told(server: { serverMs: number; tookMs: number }): void
}

/** The time when this process began and what has passed since, milliseconds since 1970: nobody sets it. */
export const steadyNow = (): number => Math.floor(performance.timeOrigin + performance.now())

/** Less than this is nobody's harm, and a correction would only make times jump. */
const TOLERATED_MS = 50

export const createSharedClock = (own: () => number = Date.now): SharedClock => {
  let offsetMs = 0
  /** How far the offset may be from the truth, as long as nobody sets this host's clock. */
  let boundMs = Infinity
  return {
    now: () => new Date(own() + offsetMs),
    told({ serverMs, tookMs }) {
      // it was said at some time in between (Cristian, 1989)
      const doubtMs = tookMs / 2
      const found = Math.round(serverMs + doubtMs - own())
      // a worse look overrules a better one only where both cannot be true: the clock was set
      const allowedMs = doubtMs + TOLERATED_MS + (doubtMs < boundMs ? 0 : boundMs)
      const apartMs = Math.abs(found - offsetMs)
      if (apartMs > allowedMs) {
        offsetMs = found
        boundMs = doubtMs
      }
      // a better look that leaves the offset as it is says all the same how good that is
      else boundMs = Math.min(boundMs, doubtMs + apartMs)
    },
  }
}
