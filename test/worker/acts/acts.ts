// The module of the suite of runners: a kind that does what the test says. acts.cjs and acts.py are the same kind as
// programs.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import { defineKind } from '../../../src/core/kind.ts'
import type { Json } from '../../../src/core/task.ts'

const fields = z.strictObject({
  act: z.string().default('give'),
  value: z.json().default(null),
  file: z.strictObject({ $upload: z.uuid() }).meta({ 'x-upload': {} }).optional(),
})
type Given = z.infer<typeof fields>

const spare: unknown[] = []

export default defineKind<Given, Json>({
  summary: 'Does what the test says',
  params: fields,
  result: z.union([z.string(), z.number(), z.array(z.json()), z.object({}).loose()]) as z.ZodType<Json>,
  example: { act: 'give', value: 'x' },
  retry: { delaySeconds: 0, retryOn: ['TRY_AGAIN'] },
  async run({ act, value, file }, ctx) {
    switch (act) {
      case 'give':
        return value
      case 'report':
        ctx.progress(25, 'a quarter', [1, 2])
        await wait(600_000, undefined, { signal: ctx.signal })
        return 'never'
      case 'say':
        console.log('printed')
        ctx.log('told')
        ctx.log('a warning', 'warn')
        return 'said'
      case 'count': {
        const from = Number(ctx.resume ?? 0)
        for (let n = from; n < Number(value); n += 1) {
          ctx.checkpoint(n)
          ctx.progress(n, `at ${n}`)
          await wait(20, undefined, { signal: ctx.signal })
        }
        return { from, attempt: ctx.attempt }
      }
      case 'spread':
        return [
          await ctx.submit('acts', { value: 'child' }, { key: 'k', title: 'one' }),
          await ctx.submit('acts', { value: 'child' }, { key: 'k', title: 'one' }),
        ]
      case 'keep': {
        const { bytes } = await ctx.artifact('kept.txt', String(value), { type: 'text/plain' })
        return bytes
      }
      case 'read': {
        if (!file) throw new Error('no file')
        const upload = await ctx.upload(file)
        const bytes = await buffer(upload.stream())
        return { name: upload.name, sha256: createHash('sha256').update(bytes).digest('hex') }
      }
      case 'deaf': {
        spawn('sleep', [String(value)], { stdio: 'ignore' })
        ctx.progress(1, 'deaf')
        await wait(100)
        for (;;);
      }
      case 'fail': {
        const { code, message } = value as { code: string; message: string }
        throw Object.assign(new Error(message), { code })
      }
      case 'swallow':
        for (;;) {
          for (let n = 0; n < 100_000; n += 1) spare.push([n, String(n)])
          await wait(1)
        }
      case 'leave':
        spawn('sleep', [String(value)], { stdio: 'ignore', detached: true }).unref()
        return 'left'
      default:
        throw new Error(`there is no act ${act}`)
    }
  },
})
