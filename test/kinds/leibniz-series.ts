// Pi and the two sides of the series' identity, by other means than the engine's: the tests' yardstick.

const arctanOfInverse = (x: bigint, one: bigint): bigint => {
  let power = one / x
  let sum = 0n
  for (let k = 1n; power !== 0n; k += 2n) {
    sum += k % 4n === 1n ? power / k : -(power / k)
    power /= x * x
  }
  return sum
}

/** Pi by Machin's formula, 16·arctan(1/5) − 4·arctan(1/239), truncated; 20 more digits are computed. */
export const machinPi = (digits: number): string => {
  const one = 10n ** BigInt(digits + 20)
  const text = (16n * arctanOfInverse(5n, one) - 4n * arctanOfInverse(239n, one)).toString()
  return digits === 0 ? '3' : `3.${text.slice(1, digits + 1)}`
}

/** An exact fraction; never reduced. */
export type Fraction = readonly [bigint, bigint]
export const add = ([a, b]: Fraction, [c, d]: Fraction): Fraction => [a * d + c * b, b * d]
export const times = ([a, b]: Fraction, [c, d]: Fraction): Fraction => [a * c, b * d]
export const equal = ([a, b]: Fraction, [c, d]: Fraction): boolean => a * d === c * b

const sign = (k: number): bigint => (k % 2 === 0 ? 1n : -1n)

/** 4·(the first n terms of Leibniz's series + Euler's transform, of 2n stages, of its tail), exactly. */
export const leibnizWithEulerTail = (n: number): Fraction => {
  let sum: Fraction = [0n, 1n]
  for (let k = 0; k < n; k++) sum = add(sum, [sign(k), BigInt(2 * k + 1)])
  for (let stage = 0; stage < 2 * n; stage++) {
    let difference: Fraction = [0n, 1n]
    let binomial = 1n
    for (let i = 0; i <= stage; i++) {
      difference = add(difference, [sign(i) * binomial, BigInt(2 * (n + i) + 1)])
      binomial = (binomial * BigInt(stage - i)) / BigInt(i + 1)
    }
    sum = add(sum, times(difference, [sign(n), 2n ** BigInt(stage + 1)]))
  }
  return times([4n, 1n], sum)
}
