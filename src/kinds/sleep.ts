// The kind `sleep`: does nothing for a while, step by step. For demonstrations, and to watch the worker.
import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import { defineKind } from '../core/kind.ts'

/** About the most sleep that is repeated after a lost attempt. */
const TICK_MS = 1_000
const checkpointSchema = z.object({ sleptMs: z.number().min(0) })

export default defineKind({
  summary: 'Sleeps, and reports its progress at each step',
  params: z.strictObject({
    seconds: z.number().min(0).max(86_400).describe('how long, over all attempts'),
    steps: z.int().min(1).max(10_000).default(10).describe('how often it reports'),
  }),
  result: z.strictObject({
    sleptSeconds: z.number().describe('over all attempts'),
    resumedAtSeconds: z.number().describe('where this attempt went on; 0 when it began anew'),
  }),
  example: { seconds: 0.1, steps: 2 },
  async run({ seconds, steps }, context) {
    const totalMs = seconds * 1000
    const resumed = checkpointSchema.safeParse(context.resume)
    const before = resumed.success ? Math.min(totalMs, resumed.data.sleptMs) : 0
    const begun = performance.now()
    const slept = (): number => before + performance.now() - begun
    for (let step = Math.floor((before / totalMs) * steps) || 0; step < steps; step++) {
      context.progress((100 * step) / steps, `step ${step + 1} of ${steps}`)
      const end = (totalMs * (step + 1)) / steps
      for (let left = end - slept(); left > 0; left = end - slept()) {
        await wait(Math.min(left, TICK_MS), undefined, { signal: context.signal })
        context.checkpoint({ sleptMs: slept() })
      }
    }
    return { sleptSeconds: seconds, resumedAtSeconds: before / 1000 }
  },
})
