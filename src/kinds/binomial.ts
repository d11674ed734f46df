// The kind `binomial`: Newton's binomial coefficients, exactly.
import type { KindTools } from '../core/kind.ts'
import { digitsOfBinomial } from './lib/binomial/size.ts'
import { createHelpers } from './lib/jobs/helpers.ts'
import { perform } from './lib/jobs/jobs.ts'

/** More digits than these are computed in a helper thread, which can be abandoned when the task is cancelled. */
const INLINE_DIGITS = 100_000

export default ({ defineKind, z, settings }: KindTools) =>
  defineKind({
    summary: "The binomial coefficient C(n, k) of Newton's formula, exactly",
    params: z
      .strictObject({
        n: z.int().min(0).describe('the number of things there are'),
        k: z.int().min(0).describe('how many of them are chosen; more than n: 0'),
      })
      .superRefine(({ n, k }, context) => {
        const digits = k > n ? 1 : digitsOfBinomial(n, k)
        if (digits > settings.maxDigits)
          context.addIssue({
            code: 'custom',
            path: ['k'],
            message: `C(${n}, ${k}) would have about ${digits} digits, and a result may have ${settings.maxDigits} (MAX_DIGITS)`,
          })
      }),
    result: z.string().regex(/^\d+$/),
    example: { n: 49, k: 6 },
    async run({ n, k }, context) {
      if (k > n || digitsOfBinomial(n, k) <= INLINE_DIGITS) return perform('binomial', { n, k })
      context.signal.throwIfAborted()
      const helpers = createHelpers()
      const stopped = new Promise<never>((_resolve, reject) => {
        context.signal.addEventListener('abort', () => reject(context.signal.reason), { once: true })
      })
      try {
        const text = await Promise.race([helpers.perform('binomial', { n, k }), stopped])
        await helpers.end()
        return text
      } catch (error) {
        // not awaited: the thread dies only after its current operation
        void helpers.end()
        throw error
      }
    },
  })
