// The kind `calcpi`: pi to n digits by Leibniz's series, with progress, a partial result and a pace.
import { z } from 'zod'
import { defineKind } from '../core/kind.ts'
import { drive } from './lib/computation.ts'
import { hypergeometricPi, MAX_LOOP_DIGITS } from './lib/hypergeometric-pi.ts'
import { leibnizPartialSums, MAX_PLAIN_DIGITS } from './lib/leibniz-partial-sums.ts'

const METHODS = {
  wijngaarden: { compute: (digits: number) => hypergeometricPi(digits), maxDigits: MAX_LOOP_DIGITS },
  plain: { compute: leibnizPartialSums, maxDigits: MAX_PLAIN_DIGITS },
} as const

export default defineKind({
  summary: "Pi to so many digits after the point, truncated, by Leibniz's series",
  params: z
    .strictObject({
      digits: z.int().min(0).max(MAX_LOOP_DIGITS).describe('digits after the point'),
      method: z
        .enum(['wijngaarden', 'plain'])
        .default('wijngaarden')
        .describe(
          "wijngaarden: van Wijngaarden's rule, 0.7 terms per digit; plain: the partial sums themselves, at most 9 digits",
        ),
      pace: z
        .number()
        .min(0)
        .max(3600)
        .default(0)
        .describe('seconds over which a shorter computation is stretched, so that it can be watched'),
    })
    .superRefine(({ digits, method }, context) => {
      const { maxDigits } = METHODS[method]
      // above the schema's own limit that one has spoken already
      if (digits > maxDigits && digits <= MAX_LOOP_DIGITS)
        context.addIssue({
          code: 'custom',
          path: ['digits'],
          message: `must be at most ${maxDigits} with the method ${method}`,
        })
    }),
  result: z.string().regex(/^3(\.\d+)?$/),
  example: { digits: 20, method: 'wijngaarden', pace: 0 },
  run: ({ digits, method, pace }, context) =>
    drive(METHODS[method].compute(digits), {
      signal: context.signal,
      paceMs: pace * 1000,
      progress: (percent, partial) => context.progress(percent, undefined, partial),
    }),
})
