// How many tasks of a kind may run at a time, and how often one may begin, over all workers of a store.
import { z } from 'zod'

/** At most `count` tasks begin in `perMs` milliseconds. */
export interface Rate {
  count: number
  perMs: number
}

/** Null: no limit. */
export interface KindLimits {
  maxConcurrency: number | null
  rate: Rate | null
}

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000 } as const
const RATE = /^([1-9]\d{0,4})\/([smh])$/

/** `10/s`, `90/m`, `5/h`. */
export const rateSchema = z
  .string()
  .regex(RATE, 'must be a number and a unit of time: 10/s, 90/m or 5/h')
  .describe('so many of the kind begin per second, minute or hour, over all workers')

/** @throws TypeError for what `rateSchema` refuses */
export const parseRate = (text: string): Rate => {
  const [, count = '', unit = ''] = RATE.exec(text) ?? []
  const perMs = UNIT_MS[unit as keyof typeof UNIT_MS]
  if (perMs === undefined) throw new TypeError(`${text} is not a rate`)
  return { count: Number(count), perMs }
}

interface LimitedKind {
  name: string
  maxConcurrency?: number
  rate?: string
}

/** Of those of the kinds that have any, by name. */
export const limitsOf = (kinds: readonly LimitedKind[]): Record<string, KindLimits> =>
  Object.fromEntries(
    kinds
      .filter(kind => kind.maxConcurrency !== undefined || kind.rate !== undefined)
      .map(({ name, maxConcurrency = null, rate }) => [
        name,
        { maxConcurrency, rate: rate === undefined ? null : parseRate(rate) },
      ]),
  )

/** Unused permits of the last tenth of a second may be made up for; of a slow rate, one permit. */
const BURST_MS = 100

/**
 * The permits of a rate are numbered from the epoch on. Permit n is valid from n * perMs / count until a burst's
 * worth of later ones is valid. So at most T * count / perMs + burst + 1 tasks begin in any T milliseconds, and no
 * counter is needed: the first to take a number has it.
 * @returns the valid permits, `oldest` to `newest`, and the time in milliseconds when the next one becomes valid
 */
export const permitsAt = (
  { count, perMs }: Rate,
  nowMs: number,
): { oldest: number; newest: number; nextAtMs: number } => {
  // in whole periods and a remainder: the product of a time and a large count would not be exact
  const periods = Math.floor(nowMs / perMs)
  const ripeInThis = Math.floor(((nowMs - periods * perMs) * count) / perMs)
  const newest = periods * count + ripeInThis
  const burst = Math.max(1, Math.floor((BURST_MS * count) / perMs))
  const nextAtMs = periods * perMs + Math.ceil(((ripeInThis + 1) * perMs) / count)
  return { oldest: newest - burst + 1, newest, nextAtMs }
}
