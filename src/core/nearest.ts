// Finds the known word nearest to an unknown one, for hints such as "did you mean". Pure.
import leven from 'leven'

/** Longer words are no typing slips, and comparing them takes long. */
const WORD_MAX = 64
/** How many letters may differ: one in a short word, more in a longer one. */
const slipsIn = (word: string): number => Math.min(3, Math.max(1, Math.floor(word.length / 3)))

/** Two neighbouring letters were swapped: one slip, though it changes two letters. */
const isSwapped = (one: string, other: string): boolean =>
  one.length === other.length && [...one].sort().join() === [...other].sort().join()

/** The nearest known word, ignoring case; null when none is near. */
export const nearest = (word: string, known: readonly string[]): string | null => {
  if (word.length === 0 || word.length > WORD_MAX) return null
  const wanted = word.toLowerCase()
  const most = slipsIn(word)
  let best: string | null = null
  let distance = most + 1
  for (const candidate of known) {
    const other = candidate.toLowerCase()
    const changes = leven(wanted, other, { maxDistance: distance + 1 })
    const apart = changes === 2 && isSwapped(wanted, other) ? 1 : changes
    if (apart >= distance) continue
    best = candidate
    distance = apart
  }
  return best
}

/** `; did you mean x?`, or ''. */
export const didYouMean = (word: string, known: readonly string[]): string => {
  const near = nearest(word, known)
  return near === null ? '' : `; did you mean ${near}?`
}
