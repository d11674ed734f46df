// Chance that can be had again.

/** A small generator: the same numbers, 0 to 1, from the same seed. */
export const generator = (seed: number): (() => number) => {
  // seeds that are neighbours would begin alike
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296
    return state / 4_294_967_296
  }
}

/** A seed to begin with, to be named by what fails. */
export const newSeed = (): number => Math.floor(Math.random() * 4_294_967_296)
