// The methods of calcpi by name: the limit of each, and a one-line description.
import { cvzPi } from './cvz.ts'
import type { MethodContext, ProvenPi } from './engine.ts'
import { madhavaPi } from './madhava.ts'
import { MAX_PLAIN_DIGITS, plainPi } from './plain.ts'
import { PACED_SHORT_DIGITS, SHORT_DIGITS, shortPi } from './short.ts'
import { treePi } from './tree.ts'

export interface Method {
  /** The limit of this method; the setting is a further limit. */
  maxDigits: number
  about: string
  compute(digits: number, context: MethodContext): Promise<ProvenPi>
}

/** With more digits a loop over the terms takes over half a minute; it is quadratic. */
const MAX_LOOP_DIGITS = 100_000
/** Beyond this the factors of the series are no longer exact in a double. */
export const MAX_TREE_DIGITS = 13_000_000

export const METHODS = {
  wijngaarden: {
    maxDigits: MAX_TREE_DIGITS,
    about: "van Wijngaarden's rule, 0.7 terms per digit",
    compute: (digits, context) =>
      digits <= (context.paceMs > 0 ? PACED_SHORT_DIGITS : SHORT_DIGITS)
        ? shortPi(digits, context)
        : treePi({ series: 'wijngaarden', digits }, context),
  },
  plain: {
    maxDigits: MAX_PLAIN_DIGITS,
    about: `the partial sums themselves, at most ${MAX_PLAIN_DIGITS} digits`,
    compute: plainPi,
  },
  madhava: {
    maxDigits: MAX_LOOP_DIGITS,
    about: "terms and Madhava's correction as a continued fraction",
    compute: madhavaPi,
  },
  euler: {
    maxDigits: MAX_TREE_DIGITS,
    about: "Euler's transform, 3.3 terms per digit",
    compute: (digits, context) => treePi({ series: 'euler', digits }, context),
  },
  cvz: {
    maxDigits: MAX_LOOP_DIGITS,
    about: 'the acceleration of Cohen, Rodriguez Villegas and Zagier, 1.3 terms per digit',
    compute: cvzPi,
  },
} as const satisfies Record<string, Method>
export type MethodName = keyof typeof METHODS
