// What one reading of the folders of kinds has that another has not. Pure.
import type { KindSet } from '../kind-sets.ts'

export interface KindDifference {
  added: string[]
  changed: string[]
  removed: string[]
  /** How many are as they were. */
  unchanged: number
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
