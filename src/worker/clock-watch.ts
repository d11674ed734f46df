// Watches the wall clock against one that nobody sets: says when it went back, and how long a leap ahead keeps ended
// tasks from being removed by their age. What is removed never comes back, so no clock is believed at once.
import type { Log } from '../platform/log.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** Less than this is how clocks are put right all the time. */
const BACK_MS = 1_000
const AHEAD_MS = MINUTE_MS
/** A leap is believed when it has stood for an hour, or for an hour per day that it went, up to a day. */
const BELIEVED_MS = { least: HOUR_MS, perDay: HOUR_MS, most: DAY_MS } as const

export interface ClockWatch {
  /** To be called every second or so. True: the clock went back since the last look. */
  look(): boolean
  /** Whether ended tasks may be removed by their age now. */
  mayRemove(): boolean
  /** What is wrong with the clock, for people; null when nothing is. */
  trouble(): string | null
}

export interface ClockWatchOptions {
  clock: () => Date
  /** Milliseconds of a clock that nobody sets. */
  elapsed?: () => number
  /** The age that removes. What a leap of less than a tenth of it could remove early is nothing to call people for. */
  retentionMs: number
  /** The youngest time that the store knows of, milliseconds since 1970; null: none. */
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
  // what the clock would show had it gone on evenly from where it was believed; at the start, from what the store knows
  let believed = { wallMs: Math.min(youngestMs ?? wall(), wall()), at: elapsed() }
  let last = { wallMs: wall(), at: elapsed() }
  // after a start nothing speaks for the clock but itself: this process may be the one after a crash in the middle of it
  let held: { since: number; aheadMs: number; leastMs: number } | null = {
    since: elapsed(),
    aheadMs: 0,
    leastMs: Math.min(HOUR_MS, retentionMs / 10),
  }
  let said = false

  const isLoud = (aheadMs: number): boolean => aheadMs > Math.max(AHEAD_MS, retentionMs / 10)
  const holdMs = (): number => {
    if (!held) return 0
    const { aheadMs, leastMs } = held
    if (aheadMs <= AHEAD_MS) return leastMs
    const { least, perDay, most } = BELIEVED_MS
    // what is kept for less than an hour anyway is not kept for hours more
    return Math.max(leastMs, Math.min(retentionMs, most, Math.max(least, (aheadMs / DAY_MS) * perDay)))
  }
  const leftMs = (): number => (held ? held.since + holdMs() - elapsed() : 0)
  const untilText = (): string => new Date(wall() + Math.max(0, leftMs())).toISOString()

  return {
    look() {
      const now = { wallMs: wall(), at: elapsed() }
      // a clock that shows less than before went back, whatever else stood still or went back with it
      const stepMs = now.wallMs - last.wallMs - Math.max(0, now.at - last.at)
      last = now
      const aheadMs = now.wallMs - believed.wallMs - (now.at - believed.at)
      if (aheadMs > AHEAD_MS) {
        if (!held || aheadMs > held.aheadMs + AHEAD_MS)
          held = { since: now.at, aheadMs, leastMs: held?.leastMs ?? 0 }
        else held.aheadMs = aheadMs
      } else {
        believed = now
        if (held) held.aheadMs = 0
      }
      if (held && leftMs() <= 0) {
        held = null
        believed = now
      }
      const loud = held !== null && isLoud(held.aheadMs)
      if (loud && !said)
        log.warn(
          { aheadMs, until: untilText() },
          'the clock is far ahead of what was known; nothing is removed by its age for now',
        )
      if (!loud && said) log.info('the clock is believed again; ended tasks are removed by their age')
      said = loud
      const wentBack = stepMs < -BACK_MS
      if (wentBack) log.warn({ backMs: Math.round(-stepMs) }, 'the clock went back')
      return wentBack
    },
    mayRemove: () => held === null,
    trouble: () =>
      held && isLoud(held.aheadMs)
        ? `It is ${inWords(held.aheadMs)} ahead of what was known before: nothing is removed by its age until ${untilText()}`
        : null,
  }
}
