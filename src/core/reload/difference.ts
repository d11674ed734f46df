// What one reading of the folders of kinds has that another has not. Pure.
import { createHash } from 'node:crypto'
import type { KindSet } from '../kind-sets.ts'

export interface KindDifference {
  added: string[]
  changed: string[]
  removed: string[]
  /** How many are as they were. */
  unchanged: number
}

/** Of all kinds of a set, in one hash: two readings with the same have the same code under the same names. */
export const codeOfSet = ({ files, codes }: Pick<KindSet, 'files' | 'codes'>): string => {
  const lines = [...files.keys()].sort().map(name => `${name} ${codes.get(name) ?? ''}\n`)
  return createHash('sha256').update(lines.join('')).digest('hex')
}

/** By the names of kinds, sorted. */
export const differenceOf = (
  before: Pick<KindSet, 'files' | 'codes'>,
  after: Pick<KindSet, 'files' | 'codes'>,
): KindDifference => {
  const names = [...after.files.keys()].sort()
  const kept = names.filter(name => before.files.has(name))
  const changed = kept.filter(name => before.codes.get(name) !== after.codes.get(name))
  return {
    added: names.filter(name => !before.files.has(name)),
    changed,
    removed: [...before.files.keys()].filter(name => !after.files.has(name)).sort(),
    unchanged: kept.length - changed.length,
  }
}
