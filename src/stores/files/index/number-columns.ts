// Numbers by row: small ones in a typed array of 32 bits, the few that do not fit there in a map.

export interface NumberColumn {
  get(row: number): number
  set(row: number, value: number): void
}

/** In the array: look into the map. */
const ELSEWHERE = 2 ** 32 - 1
const FIRST_ROWS = 256
const GROW = 1.25

/** Whole numbers from 0; most of them below 2^32. A row that was never set has 0. */
export const createCounts = (): NumberColumn => {
  let small = new Uint32Array(FIRST_ROWS)
  const large = new Map<number, number>()
  return {
    get(row) {
      const value = small[row] ?? 0
      return value === ELSEWHERE ? (large.get(row) ?? 0) : value
    },
    set(row, value) {
      if (row >= small.length) {
        const larger = new Uint32Array(Math.ceil(Math.max(small.length * GROW, row + 1)))
        larger.set(small)
        small = larger
      }
      if (small[row] === ELSEWHERE) large.delete(row)
      const fits = value < ELSEWHERE
      small[row] = fits ? value : ELSEWHERE
      if (!fits) large.set(row, value)
    },
  }
}

/** Numbers that most rows do not have; NaN stands for none. */
export const createRareNumbers = (): NumberColumn => {
  const values = new Map<number, number>()
  return {
    get: row => values.get(row) ?? Number.NaN,
    set(row, value) {
      if (!Number.isNaN(value)) values.set(row, value)
      else if (values.size > 0) values.delete(row)
    },
  }
}
