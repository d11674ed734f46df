// From a binary fraction to decimal digits without a division, and with a proof of every digit.

/** A fraction of one: bits / 2^size, of which `digits` decimal digits are wanted. */
export interface Fraction {
  bits: bigint
  size: number
  digits: number
}

/**
 * How many bits a conversion carries beyond the digits, and how many of them must not be all 0 or all 1 at the end.
 */
export interface Guard {
  /** Bits of the whole fraction beyond its digits. Its error must be below 2^(27 − bits) units of the last digit. */
  readonly bits: number
}

const LEAF_DIGITS = 300
export const BITS_PER_DIGIT = Math.log2(10)
/** A fraction is passed on with so many bits fewer beyond its digits than the whole one. */
const SPENT_BITS = 48
/** A leaf checks so many fewer still. */
const DOUBTFUL_BITS = 88

/** The fewest guard bits that leave a leaf something to check. */
export const LEAST_GUARD_BITS = DOUBTFUL_BITS + 1

const sizeFor = (digits: number, guard: Guard): number =>
  Math.ceil(digits * BITS_PER_DIGIT) + guard.bits - SPENT_BITS

const shortened = ({ bits, size, digits }: Fraction, guard: Guard): Fraction => {
  const wanted = sizeFor(digits, guard)
  return size <= wanted
    ? { bits, size, digits }
    : { bits: bits >> BigInt(size - wanted), size: wanted, digits }
}

/** 5^h for the few h that the halves of one conversion need. */
export type Powers = Map<number, bigint>
const powerOfFive = (h: number, powers: Powers): bigint => {
  const known = powers.get(h)
  if (known !== undefined) return known
  const power = 5n ** BigInt(h)
  powers.set(h, power)
  return power
}

/**
 * The first ⌊digits/2⌋ digits and the rest, as two fractions. The right one is F · 10^h modulo 1, by a multiplication
 * with 5^h: the factor 2^h is a move of the point.
 */
export const halves = (
  fraction: Fraction,
  guard: Guard,
  powers: Powers = new Map(),
): [Fraction, Fraction] => {
  const { bits, size, digits } = fraction
  const h = digits >> 1
  const left = shortened({ bits, size, digits: h }, guard)
  const rest = size - h
  const right = { bits: BigInt.asUintN(rest, bits * powerOfFive(h, powers)), size: rest, digits: digits - h }
  return [left, shortened(right, guard)]
}

const leafDigits = ({ bits, size, digits }: Fraction, guard: Guard): string | null => {
  const scaled = bits * 10n ** BigInt(digits)
  const watched = BigInt(guard.bits - DOUBTFUL_BITS)
  const next = BigInt.asUintN(size, scaled) >> (BigInt(size) - watched)
  if (next === 0n || next === (1n << watched) - 1n) return null
  return digits === 0 ? '' : (scaled >> BigInt(size)).toString().padStart(digits, '0')
}

/**
 * The digits of a fraction, or null when one of them is not certain.
 *
 * With g guard bits the whole fraction F of d digits has ⌈d·log2 10⌉ + g bits and an error of at most
 * 2^(27 − g) · 10^−d, so that every fraction F · 10^i modulo 1, i ≤ d, is off by less than 2^(27 − g). Each level cuts
 * a fraction of e digits to ⌈e·log2 10⌉ + g − 48 bits: what is lost grows to at most 2^(48 − g) at the end of those e
 * digits. Below 20 levels make 2^(53 − g) in all. A leaf looks at the g − 88 bits behind its digits. When they are neither
 * all 0 nor all 1, what is behind lies at least 2^(88 − g) away from 0 and from 1, far more than the error: the digits
 * are those of the true number. With g = 128 a leaf fails by chance once in 2^39 times; the caller then begins anew
 * with more guard bits.
 */
export const certainDigits = (
  fraction: Fraction,
  guard: Guard,
  powers: Powers = new Map(),
): string | null => {
  if (fraction.digits <= LEAF_DIGITS) return leafDigits(fraction, guard)
  const [left, right] = halves(fraction, guard, powers)
  const first = certainDigits(left, guard, powers)
  if (first === null) return null
  const second = certainDigits(right, guard, powers)
  return second === null ? null : first + second
}
