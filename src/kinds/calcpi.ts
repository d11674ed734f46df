// The kind `calcpi`: pi to n digits by Leibniz's series, with progress, a partial result, a proof and a pace.
import type { KindTools } from '../core/kind.ts'
import type { MethodContext } from './lib/pi/engine.ts'
import { METHODS, type MethodName } from './lib/pi/methods.ts'

const NAMES = Object.keys(METHODS) as [MethodName, ...MethodName[]]

export default ({ defineKind, z, settings }: KindTools) =>
  defineKind({
    summary: "Pi to so many digits after the point, truncated, by Leibniz's series",
    params: z
      .strictObject({
        digits: z.int().min(0).max(settings.maxDigits).describe('digits after the point'),
        method: z
          .enum(NAMES)
          .default('wijngaarden')
          .describe(NAMES.map(name => `${name}: ${METHODS[name].about}`).join('; ')),
        pace: z
          .number()
          .min(0)
          .max(3600)
          .default(0)
          .describe('seconds over which a shorter computation is stretched, so that it can be watched'),
      })
      .superRefine(({ digits, method }, context) => {
        const { maxDigits } = METHODS[method]
        // above the schema's own limit, the schema has already reported it
        if (digits > maxDigits && digits <= settings.maxDigits)
          context.addIssue({
            code: 'custom',
            path: ['digits'],
            message: `must be at most ${maxDigits} with the method ${method}`,
          })
      }),
    result: z.string().regex(/^3(\.\d+)?$/),
    example: { digits: 20, method: 'wijngaarden', pace: 0 },
    async run({ digits, method, pace }, context) {
      const around: MethodContext = {
        signal: context.signal,
        paceMs: pace * 1000,
        cores: () => context.cores(),
        report: (share, certain) => context.progress(100 * share, undefined, certain ?? undefined),
        keep: state => context.checkpoint(state),
        resume: context.resume,
      }
      const { text, proof } = await METHODS[method].compute(digits, around)
      context.resultInfo({ ...proof })
      return text
    },
  })
