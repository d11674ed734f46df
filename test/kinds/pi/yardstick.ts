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

/** Euler's transform of n stages of Leibniz's series, times 4, exactly. */
export const eulerTransform = (n: number): Fraction => {
  let sum: Fraction = [0n, 1n]
  for (let stage = 0; stage < n; stage++) {
    let difference: Fraction = [0n, 1n]
    let binomial = 1n
    for (let i = 0; i <= stage; i++) {
      difference = add(difference, [sign(i) * binomial, BigInt(2 * i + 1)])
      binomial = (binomial * BigInt(stage - i)) / BigInt(i + 1)
    }
    sum = add(sum, times(difference, [1n, 2n ** BigInt(stage + 1)]))
  }
  return times([4n, 1n], sum)
}

/** The integer square root, rounded down, by Newton's steps at growing precision. */
export const integerRoot = (value: bigint): bigint => {
  if (value < 2n ** 52n) {
    let root = BigInt(Math.floor(Math.sqrt(Number(value))))
    while (root * root > value) root--
    while ((root + 1n) * (root + 1n) <= value) root++
    return root
  }
  const bits = value.toString(16).length * 4
  const half = BigInt(Math.floor(bits / 8) * 2)
  let root = (integerRoot(value >> half) + 1n) << (half / 2n)
  for (;;) {
    const next = (root + value / root) >> 1n
    if (next >= root) return root
    root = next
  }
}

/** Pi by the series of the brothers Chudnovsky, truncated; 20 more digits are computed. For very many digits. */
export const chudnovskyPi = (digits: number): string => {
  const split = (a: number, b: number): [bigint, bigint, bigint] => {
    if (b - a === 1) {
      const k = BigInt(a)
      const p = a === 0 ? 1n : -(6n * k - 5n) * (2n * k - 1n) * (6n * k - 1n)
      const q = a === 0 ? 1n : (k * k * k * 640_320n ** 3n) / 24n
      return [p, q, p * (13_591_409n + 545_140_134n * k)]
    }
    const middle = (a + b) >> 1
    const [p1, q1, t1] = split(a, middle)
    const [p2, q2, t2] = split(middle, b)
    return [p1 * p2, q1 * q2, t1 * q2 + p1 * t2]
  }
  const [, q, t] = split(0, Math.floor(digits / 14) + 3)
  const one = 10n ** BigInt(digits + 20)
  const text = ((q * 426_880n * integerRoot(10_005n * one * one)) / t).toString()
  return digits === 0 ? '3' : `3.${text.slice(1, digits + 1)}`
}
