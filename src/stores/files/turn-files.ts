// Turns that processes take with a folder: `<word>.<n>` is a symbolic link that names who has turn n. Exactly one
// process makes each, and the next is taken only when the last one is over. Nothing that a dead process leaves is in
// the way, and whose process is dead is for the caller to say.
import { readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { type Disk, linkTarget } from './disk.ts'

/** A greater one was not made by a turn, and could not be counted on from. */
const NUMBER = /^[1-9]\d{0,13}$/

export interface LastTurn {
  /** 0 when there has been none. */
  number: number
  /** What the link says; null when there has been none. */
  target: string | null
}

export interface TurnFiles {
  last(): LastTurn
  /** Takes the turn after `last`. False when another process was faster. */
  take(last: LastTurn, target: string): boolean
  /**
   * Ends the turn that this process has: `target` says so. Never throws. On a disk that takes no new name the turn is
   * removed; where not even that is possible, it stays.
   */
  giveBack(number: number, target: string, unique: string): void
}

export const createTurnFiles = (
  folder: string,
  word: string,
  disk: Pick<Disk, 'symlink' | 'rename' | 'unlink'>,
): TurnFiles => {
  const file = (number: number): string => path.join(folder, `${word}.${number}`)
  const numbers = (): number[] =>
    readdirSync(folder)
      .flatMap(name => {
        const [head, digits] = [name.slice(0, word.length + 1), name.slice(word.length + 1)]
        return head === `${word}.` && NUMBER.test(digits) ? [Number(digits)] : []
      })
      .sort((a, b) => a - b)
  const tidy = (number: number): void => {
    try {
      rmSync(file(number), { force: true })
    } catch {
      // something that is no turn: it is in nobody's way
    }
  }
  const last = (): LastTurn => {
    const number = numbers().at(-1) ?? 0
    return { number, target: number === 0 ? null : linkTarget(file(number)) }
  }
  return {
    last,
    take({ number: before }, target) {
      const mine = before + 1
      if (!disk.symlink(target, file(mine))) return false
      const taken = numbers()
      // whoever paused since its look may have made a number that was over and tidied away long ago
      if ((taken.at(-1) ?? 0) > mine) {
        disk.unlink(file(mine))
        return false
      }
      // the one before stays: a listing that misses a new name must still find an old one
      for (const number of taken) if (number < before) tidy(number)
      return true
    },
    giveBack(number, target, unique) {
      const aside = path.join(folder, `.${word}.${unique}.tmp`)
      try {
        disk.unlink(aside)
        disk.symlink(target, aside)
        disk.rename(aside, file(number))
      } catch {
        try {
          disk.unlink(file(number))
        } catch {
          // the next turn of this process finds that it is its own, and its end proves that it is over
        }
      }
    },
  }
}
