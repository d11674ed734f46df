// Counts by the minute, for all processes of a folder: `quotas/<minute>/` has a file per name, with a line for each
// take. Whoever has written one reads those before it, and so all processes agree on which of them fitted. Nothing is
// synced: after a power cut a minute begins anew.
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
} from 'node:fs'
import path from 'node:path'
import type { RateCounter } from '../shared/rates.ts'
import { isErrno } from './errno.ts'
import type { Layout } from './layout.ts'

interface Tally {
  count: number
  /** Bytes of the file that are counted. */
  read: number
}

interface RateFilesDeps {
  layout: Pick<Layout, 'rates'>
  instance: string
  clock: () => Date
}

/** Who wrote it and as which, points, limit. */
const LINE = /^([0-9a-f]{12}\.\d+) (-?\d{1,9}) (\d{1,9})$/
const FOLDER = /^\d{1,12}$/
/** Names may hold anything. */
const fileOf = (name: string): string => createHash('sha256').update(name).digest('hex').slice(0, 32)

/** The bytes behind a place of a file, up to its last whole line. */
const linesBehind = (file: string, place: number): string => {
  const handle = openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(handle).size - place))
    const read = readSync(handle, bytes, 0, bytes.length, place)
    return bytes.toString('latin1', 0, bytes.lastIndexOf(10, read - 1) + 1)
  } finally {
    closeSync(handle)
  }
}

export const createRateFiles = ({ layout, instance, clock }: RateFilesDeps): RateCounter => {
  let minute = Number.NaN
  let taken = 0
  const tallies = new Map<string, Tally>()

  /** Another process may be a moment behind, so the minute before stays. */
  const removeOld = (): void => {
    for (const name of readdirSync(layout.rates))
      if (FOLDER.test(name) && Math.abs(Number(name) - minute) > 1)
        rmSync(path.join(layout.rates, name), { recursive: true, force: true })
  }
  const enter = (now: number): void => {
    if (now === minute) return
    minute = now
    tallies.clear()
    mkdirSync(path.join(layout.rates, String(now)), { recursive: true, mode: 0o700 })
    removeOld()
  }
  /** Counts what others have written too. Answers whether the line of this tag was one that fitted. */
  const catchUp = (file: string, tally: Tally, tag: string): boolean => {
    let fitted = false
    const text = linesBehind(file, tally.read)
    tally.read += text.length
    for (const line of text.split('\n')) {
      const [, by, points, limit] = LINE.exec(line) ?? []
      const next = tally.count + Number(points)
      // also for what is no line
      if (!(Number(points) < 0 || next <= Number(limit))) continue
      tally.count = Math.max(0, next)
      fitted ||= by === tag
    }
    return fitted
  }

  /** How many there are, with the points. */
  const count = (name: string, points: number, limit: number, mayTryAgain: boolean): number => {
    const file = path.join(layout.rates, String(minute), fileOf(name))
    const tally = tallies.get(file) ?? { count: 0, read: 0 }
    tallies.set(file, tally)
    // what does not fit needs no line; only what others have taken back can change that
    if (points >= 0 && tally.count + points > limit) {
      catchUp(file, tally, '')
      if (tally.count + points > limit) return tally.count + points
    }
    taken += 1
    const tag = `${instance}.${taken}`
    try {
      appendFileSync(file, `${tag} ${points} ${limit}\n`, { mode: 0o600 })
      return catchUp(file, tally, tag) ? tally.count : tally.count + points
    } catch (error) {
      if (!mayTryAgain || !isErrno(error, 'ENOENT')) throw error
      // somebody has removed the folder
      const now = minute
      minute = Number.NaN
      enter(now)
      return count(name, points, limit, false)
    }
  }

  return async (name, points, seconds, limit) => {
    const windowMs = seconds * 1000
    const nowMs = clock().getTime()
    enter(Math.floor(nowMs / windowMs))
    return [count(name, points, limit, true), windowMs - (nowMs % windowMs)]
  }
}
