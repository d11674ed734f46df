// Counts by the minute, for all processes of a folder: `quotas/<minute>/` has files with a line for each take. Whoever
// has written one reads those before it, and so all processes agree on which of them fitted. The names share 256 files,
// since anybody may have many addresses, and each would cost a file. Nothing is synced: after a power cut a minute
// begins anew.
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

interface RateFilesDeps {
  layout: Pick<Layout, 'rates'>
  instance: string
  clock: () => Date
}

/** Who wrote it and as which, for whom, points, limit. */
const LINE = /^([0-9a-f]{12}\.\d+) ([0-9a-f]{32}) (-?\d{1,9}) (\d{1,9})$/
const FOLDER = /^\d{1,12}$/
/** Names may hold anything. The first two digits name the file. */
const hashOf = (name: string): string => createHash('sha256').update(name).digest('hex').slice(0, 32)

/** The bytes behind a place of a file, up to its last whole line. None where there is no file. */
const linesBehind = (file: string, place: number): string => {
  let handle: number
  try {
    handle = openSync(file, 'r')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return ''
    throw error
  }
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
  /** By hash. */
  const counts = new Map<string, number>()
  /** How many bytes of each file are counted. */
  const places = new Map<string, number>()

  /** Another process may be a moment behind, so the minute before stays. */
  const removeOld = (): void => {
    for (const name of readdirSync(layout.rates))
      if (FOLDER.test(name) && Math.abs(Number(name) - minute) > 1)
        try {
          rmSync(path.join(layout.rates, name), { recursive: true, force: true })
        } catch {
          // another process removes it too; what is left is removed in the next minute
        }
  }
  const enter = (now: number): void => {
    if (now === minute) return
    minute = now
    counts.clear()
    places.clear()
    mkdirSync(path.join(layout.rates, String(now)), { recursive: true, mode: 0o700 })
    removeOld()
  }
  const countOf = (hash: string): number => counts.get(hash) ?? 0
  /** Counts what others have written too. Answers whether the line of this tag was one that fitted. */
  const catchUp = (file: string, tag: string): boolean => {
    let fitted = false
    const place = places.get(file) ?? 0
    const text = linesBehind(file, place)
    places.set(file, place + text.length)
    for (const line of text.split('\n')) {
      const [, by, hash = '', points, limit] = LINE.exec(line) ?? []
      const next = countOf(hash) + Number(points)
      // also for what is no line
      if (!(Number(points) < 0 || next <= Number(limit))) continue
      counts.set(hash, Math.max(0, next))
      fitted ||= by === tag
    }
    return fitted
  }

  /** How many there are, with the points. */
  const count = (hash: string, points: number, limit: number, mayTryAgain: boolean): number => {
    const file = path.join(layout.rates, String(minute), hash.slice(0, 2))
    // what does not fit needs no line; only what others have taken back can change that
    if (points >= 0 && countOf(hash) + points > limit) {
      catchUp(file, '')
      if (countOf(hash) + points > limit) return countOf(hash) + points
    }
    taken += 1
    const tag = `${instance}.${taken}`
    try {
      appendFileSync(file, `${tag} ${hash} ${points} ${limit}\n`, { mode: 0o600 })
      return catchUp(file, tag) ? countOf(hash) : countOf(hash) + points
    } catch (error) {
      if (!mayTryAgain || !isErrno(error, 'ENOENT')) throw error
      // somebody has removed the folder
      const now = minute
      minute = Number.NaN
      enter(now)
      return count(hash, points, limit, false)
    }
  }

  return async (name, points, seconds, limit) => {
    const windowMs = seconds * 1000
    const nowMs = clock().getTime()
    enter(Math.floor(nowMs / windowMs))
    return [count(hashOf(name), points, limit, true), windowMs - (nowMs % windowMs)]
  }
}
