// The kind of the soak: what it does shows in a file, so that a task that ran twice, or two at a time, can be seen.
// Each line is one write at the end of the file, so that the order of the lines is the order of the deeds.
import { appendFileSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

const STEP_MS = 100

export default ({ defineKind, z }) =>
  defineKind({
    summary: 'Leaves a line at its start, while it runs, and one for its effect',
    params: z.strictObject({
      folder: z.string().describe('where the lines go'),
      ms: z.number().min(0).describe('how long, over all attempts'),
      spin: z.boolean().default(false).describe('without a pause in which the signal could be seen'),
      failures: z.int().min(0).default(0).describe('attempts that throw'),
    }),
    result: z.strictObject({ already: z.boolean().describe('an attempt before had the effect') }),
    example: { folder: '/tmp', ms: 0 },
    maxAttempts: 1000,
    retry: { delaySeconds: 0.5, maxDelaySeconds: 5 },
    async run({ folder, ms, spin, failures }, ctx) {
      const file = path.join(folder, `${ctx.id.slice(-2)}.log`)
      const run = Math.random().toString(36).slice(2, 10)
      const say = what =>
        appendFileSync(file, `${ctx.id} ${run} ${ctx.attempt} ${what} ${Date.now()} ${process.pid}\n`)
      say('start')
      const before = ctx.resume?.ms ?? 0
      const begun = performance.now()
      const left = () => ms - before - (performance.now() - begun)
      while (left() > 0) {
        const end = performance.now() + Math.min(STEP_MS, left())
        if (spin) while (performance.now() < end);
        else await wait(Math.min(STEP_MS, Math.max(1, left())))
        say('alive')
        if (ctx.signal.aborted) {
          say('stopped')
          throw ctx.signal.reason
        }
        ctx.progress(Math.min(99, 100 - (100 * left()) / ms))
        ctx.checkpoint({ ms: ms - left() })
      }
      // a task that is given back begins the same attempt again, so this cannot go by the number alone
      if (ctx.attempt <= failures) {
        say('failed')
        throw new Error(`attempt ${ctx.attempt} fails, as it was asked to`)
      }
      // an attempt that was killed may have had its effect: a kind minds that where it matters
      const already = new RegExp(`^${ctx.id} \\S+ \\d+ end `, 'm').test(readFileSync(file, 'utf8'))
      say(already ? 'already' : 'end')
      return { already }
    },
  })
