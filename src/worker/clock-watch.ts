// Compares the wall clock with a monotonic one. Reports when it went back, and after a jump ahead stops the removal of
// ended tasks by age for a while: a removal cannot be undone, so no clock is trusted at once.
import type { Log } from '../platform/log.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** Smaller steps are normal corrections. */
const BACK_MS = 1_000
const AHEAD_MS = MINUTE_MS
/** A jump is trusted after an hour, or after an hour per day that it covers, up to a day. */
const BELIEVED_MS = { least: HOUR_MS, perDay: HOUR_MS, most: DAY_MS } as const

export interface ClockWatch {
  /** Call it about every second. True: the clock went back since the last call. */
  check(): boolean
  /** Whether what is removed at this age may be removed now. Milliseconds; left out: the age of ended tasks. */
  mayRemove(ageMs?: number): boolean
  /** What is wrong with the clock, for people; null when nothing is. */
  trouble(): string | null
}

export interface ClockWatchOptions {
  clock: () => Date
  /** Milliseconds of a monotonic clock. */
  elapsed?: () => number
  /** The age that removes. A jump of less than a tenth of it is not reported. */
  retentionMs: number
  /** The youngest time in the store, milliseconds since 1970; null: none. */
  youngestMs: number | null
  log: Log
}

const inWords = (ms: number): string => {
  const [count, unit] =
    ms >= 2 * DAY_MS
      ? [ms / DAY_MS, 'days']
      : ms >= 2 * HOUR_MS
        ? [ms / HOUR_MS, 'hours']
        : [ms / MINUTE_MS, 'minutes']
  return `${Math.floor(count)} ${unit}`
}

export const createClockWatch = (options: ClockWatchOptions): ClockWatch => {
  const { clock, elapsed = () => performance.now(), retentionMs, youngestMs, log } = options
  const wall = (): number => clock().getTime()
  // what the clock would show without jumps since it was last trusted; at the start, from the store
  let trusted = { wallMs: Math.min(youngestMs ?? wall(), wall()), at: elapsed() }
  let last = { wallMs: wall(), at: elapsed() }
  // after a start the clock is not trusted yet: this process may follow a crash during a jump
  let pause: { since: number; aheadMs: number; isFirst: boolean } | null = {
    since: elapsed(),
    aheadMs: 0,
    isFirst: true,
  }
  let hasWarned = false

  const isLoud = (aheadMs: number): boolean => aheadMs > Math.max(AHEAD_MS, retentionMs / 10)
  /** For what is removed at this age. */
  const pauseMs = (ageMs: number): number => {
    if (!pause) return 0
    const { aheadMs, isFirst } = pause
    const leastMs = isFirst ? Math.min(HOUR_MS, ageMs / 10) : 0
    if (aheadMs <= AHEAD_MS) return leastMs
    const { least, perDay, most } = BELIEVED_MS
    // tasks that are kept for less than an hour are not kept for hours more
    return Math.max(leastMs, Math.min(ageMs, most, Math.max(least, (aheadMs / DAY_MS) * perDay)))
  }
  const leftMs = (ageMs = retentionMs): number => (pause ? pause.since + pauseMs(ageMs) - elapsed() : 0)
  const untilText = (): string => new Date(wall() + Math.max(0, leftMs())).toISOString()

  return {
    check() {
      const now = { wallMs: wall(), at: elapsed() }
      // a clock that shows less than before went back, even if the monotonic clock stood still or went back too
      const stepMs = now.wallMs - last.wallMs - Math.max(0, now.at - last.at)
      last = now
      const aheadMs = now.wallMs - trusted.wallMs - (now.at - trusted.at)
      if (aheadMs > AHEAD_MS) {
        if (!pause || aheadMs > pause.aheadMs + AHEAD_MS)
          pause = { since: now.at, aheadMs, isFirst: pause?.isFirst ?? false }
        else pause.aheadMs = aheadMs
      } else {
        trusted = now
        if (pause) pause.aheadMs = 0
      }
      if (pause && leftMs() <= 0) {
        pause = null
        trusted = now
      }
      const loud = pause !== null && isLoud(pause.aheadMs)
      if (loud && !hasWarned)
        log.warn(
          { aheadMs, until: untilText() },
          'the clock is far ahead of what was known; nothing is removed by its age for now',
        )
      if (!loud && hasWarned) log.info('the clock is trusted again; ended tasks are removed by their age')
      hasWarned = loud
      const wentBack = stepMs < -BACK_MS
      if (wentBack) log.warn({ backMs: Math.round(-stepMs) }, 'the clock went back')
      return wentBack
    },
    mayRemove: (ageMs = retentionMs) => pause === null || leftMs(ageMs) <= 0,
    trouble: () =>
      pause && isLoud(pause.aheadMs)
        ? `It is ${inWords(pause.aheadMs)} ahead of what was known before: nothing is removed by its age until ${untilText()}`
        : null,
  }
}
