// The processes of this machine that have a word among their arguments.
import { readdirSync, readFileSync } from 'node:fs'

/** Zombies have no arguments, and do not count. */
export const processesWith = (word: string): number[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter(name => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(word)
      } catch {
        return false
      }
    })
    .map(Number)
