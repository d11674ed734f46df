// A kind that does with files whatever its params say. For the tests of artifacts, uploads and folders of attempts.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import { defineKind, type TaskContext } from '../../src/core/kind.ts'
import type { Json } from '../../src/core/task.ts'

const told = (error: unknown): Json => {
  const { code, message } = error as Error & { code?: string }
  return { code: code ?? null, message }
}
const refusal = async (work: () => Promise<unknown>): Promise<Json> => {
  try {
    await work()
  } catch (error) {
    return told(error)
  }
  return 'kept'
}
async function* parts(...all: (string | Uint8Array)[]) {
  for (const part of all) {
    await wait(0)
    yield part
  }
}
async function* repeated(megabytes: number) {
  const megabyte = new Uint8Array(1024 ** 2)
  for (let n = 0; n < megabytes; n++) {
    megabyte.fill(n % 251)
    yield megabyte
  }
}
const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    const stop = (): void => reject(signal.reason)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')

const ACTS: Record<string, (context: TaskContext, value: Json) => unknown> = {
  'keep one of each form': async (ctx, file) => {
    const cut = ['half a ', 'character: \ud83d', '\ude00']
    const reused = Buffer.from('as it was')
    const early = ctx.artifact('reused.txt', reused)
    reused.fill('x')
    return [
      await ctx.artifact('bytes.bin', new Uint8Array([0, 1, 2, 255])),
      await ctx.artifact('text.txt', 'gruß\n'),
      await ctx.artifact('parts.csv', parts(...cut), { type: 'text/csv' }),
      await ctx.artifact('stream.ts', createReadStream(String(file))),
      await ctx.artifact('empty', ''),
      await early,
    ] as unknown as Json
  },
  'keep two, and fail at first': async ctx => {
    await ctx.artifact('stays', 'first')
    await ctx.artifact('replaced', `by attempt ${ctx.attempt}`)
    if (ctx.attempt === 1) throw new Error('after the files')
    await ctx.artifact('replaced', `again by attempt ${ctx.attempt}`)
    return 'done'
  },
  'keep what throws': async ctx => {
    async function* broken() {
      yield 'some of it'
      await wait(0)
      throw new Error('the content broke')
    }
    return refusal(() => ctx.artifact('broken', broken()))
  },
  'keep what is refused': async ctx => {
    const artifact = ctx.artifact as (...args: unknown[]) => Promise<unknown>
    return [
      await refusal(() => artifact('../x', 'a')),
      await refusal(() => artifact('', 'a')),
      await refusal(() => artifact('a'.repeat(101), 'a')),
      await refusal(() => artifact(7, 'a')),
      await refusal(() => artifact('typed', 'a', { type: 'no type' })),
      await refusal(() => artifact('content', 7)),
      await refusal(() => artifact('content', null)),
      await refusal(() => artifact('content', parts('a', 7 as unknown as string))),
    ]
  },
  'keep many at once': async (ctx, count) => {
    const all = Array.from({ length: Number(count) }, (_, n) => refusal(() => ctx.artifact(`n${n}`, `${n}`)))
    const answers = await Promise.all(all)
    return answers.filter(answer => answer === 'kept').length
  },
  'keep megabytes': async (ctx, count) => refusal(() => ctx.artifact('large', repeated(Number(count)))),
  'keep and not wait': (ctx, name) => {
    void ctx.artifact(String(name), parts('it ', 'is ', 'kept'))
    return 'done'
  },
  'begin one and wait': async ctx => {
    async function* endless() {
      yield 'a beginning'
      ctx.progress(1)
      await untilAborted(ctx.signal)
    }
    await ctx.artifact('before', 'whole')
    await ctx.artifact('endless', endless())
  },
  'begin one that hangs': async ctx => {
    async function* hanging() {
      yield 'a beginning'
      ctx.progress(1)
      await new Promise(() => setInterval(() => {}, 1_000))
    }
    await ctx.artifact('hanging', hanging())
  },
  'begin one and exit': async ctx => {
    async function* dying() {
      yield new Uint8Array(1024 ** 2)
      process.exit(3)
    }
    await ctx.artifact('dying', dying())
  },
  'keep one after the end': ctx => {
    void untilAborted(ctx.signal).catch(() => {})
    setTimeout(() => void ctx.artifact('late', 'late').catch(() => {}), 1)
    return 'done'
  },
  'keep one, in its own words': async (ctx, text) => refusal(() => ctx.artifact('one', String(text))),
  'keep one and wait': async (ctx, text) => {
    await ctx.artifact('one', String(text)).catch(() => {})
    await untilAborted(ctx.signal)
  },
  'keep without end': async ctx => {
    for (let n = 0; ; n++) await ctx.artifact(`n${n % 5}`, parts(`${n} `.repeat(200_000), 'end'))
  },
  'use its folder': async ctx => {
    const folder = ctx.scratch
    const { mode } = await stat(folder)
    await writeFile(path.join(folder, 'file'), 'x')
    await mkdir(path.join(folder, 'closed'), { mode: 0o700 })
    await writeFile(path.join(folder, 'closed', 'file'), 'x')
    await mkdir(path.join(folder, 'shut'), { mode: 0o000 })
    return { folder, mode: mode & 0o777, same: ctx.scratch === folder }
  },
  'use its folder and wait': async ctx => {
    await writeFile(path.join(ctx.scratch, 'file'), 'x')
    ctx.progress(1, ctx.scratch)
    await new Promise(() => setInterval(() => {}, 1_000))
  },
  'use its folder and exit': ctx => {
    ctx.log(ctx.scratch)
    process.exit(3)
  },
  'read an upload': async (ctx, ref) => {
    const upload = await ctx.upload(ref as never)
    const chunks: Uint8Array[] = []
    for await (const chunk of upload.stream()) chunks.push(chunk as Uint8Array)
    const part: Uint8Array[] = []
    for await (const chunk of upload.stream({ start: 2, end: 6 })) part.push(chunk as Uint8Array)
    const file = await upload.path()
    const again = await (await ctx.upload(ref as never)).path()
    const { stream, path: _, ...note } = upload
    return {
      note,
      whole: sha256(Buffer.concat(chunks)),
      part: Buffer.concat(part).toString(),
      copied: sha256(await readFile(file)),
      name: path.relative(ctx.scratch, file),
      same: file === again,
      far: await stream({ start: 1e9 })
        .toArray()
        .then(all => all.length),
      wrong: await refusal(async () => stream({ start: -1 })),
    }
  },
  'read what is not there': async (ctx, refs) => {
    const answers: Json[] = []
    for (const ref of refs as Json[]) answers.push(await refusal(() => ctx.upload(ref as never)))
    return answers
  },
  'read what it makes up': async (ctx, id) => refusal(() => ctx.upload({ $upload: String(id) })),
  'read a little': async (ctx, ref) => {
    const upload = await ctx.upload(ref as never)
    for await (const chunk of upload.stream()) return (chunk as Uint8Array).length
  },
  'hash an upload': async (ctx, ref) => {
    const upload = await ctx.upload(ref as never)
    const hash = createHash('sha256')
    for await (const chunk of upload.stream()) hash.update(chunk as Uint8Array)
    return hash.digest('hex')
  },
}

export default defineKind({
  summary: 'Does with files what its params say',
  params: z.object({ act: z.string(), value: z.json() }),
  result: z.unknown(),
  example: { act: 'keep many at once', value: 0 },
  run: ({ act, value }, context) => {
    const perform = ACTS[act]
    if (!perform) throw new Error(`no act ${act}`)
    return perform(context, value)
  },
})
