// The kit for tests of kinds: a run has the checks of a worker and leaves what a test wants to see.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { defineKind, type KindTools, upload, z } from '../../src/define-kind.ts'
import { runKind } from '../../src/testing/testing.ts'

const UPLOAD = '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f'

const counted = defineKind({
  summary: 'Counts to a number',
  params: z.strictObject({ to: z.int().min(1).max(1000), step: z.int().min(1).default(1) }),
  result: z.array(z.int()),
  example: { to: 3, step: 1 },
  async run({ to, step }, ctx) {
    const seen = (ctx.resume as number[] | null) ?? []
    for (let n = (seen.at(-1) ?? 0) + step; n <= to; n += step) {
      await new Promise(resolve => setImmediate(resolve))
      ctx.signal.throwIfAborted()
      seen.push(n)
      ctx.progress((100 * n) / to, `at ${n}`, seen.slice(-2))
      ctx.checkpoint(seen)
      ctx.log(`${n}\nand on`, n === 2 ? 'warn' : 'info')
    }
    return seen
  },
})

const kindOf = (run: (ctx: Parameters<typeof counted.run>[1]) => unknown, result: z.ZodType = z.unknown()) =>
  defineKind({
    summary: 'Does it',
    params: z.strictObject({}),
    result,
    example: {},
    run: (_, ctx) => run(ctx),
  })

describe('runKind', () => {
  it('answers the result and every report, with params as a submit fills them in', async () => {
    let at = 0
    const clock = () => new Date(++at)
    const run = await runKind(counted, { to: 4, step: 2 }, { clock })
    assert.deepEqual(run.result, [2, 4])
    assert.deepEqual(
      run.progress.map(({ percent, note, partialResult }) => [percent, note, partialResult]),
      [
        [50, 'at 2', [2]],
        [100, 'at 4', [2, 4]],
      ],
    )
    assert.deepEqual(run.checkpoints, [[2], [2, 4]])
    assert.deepEqual(run.log[0], { text: '2', level: 'warn', at: new Date(2) })
    assert.deepEqual(
      run.log.map(({ text }) => text),
      ['2', 'and on', '4', 'and on'],
    )
    assert.deepEqual((await runKind(counted, { to: 2 })).result, [1, 2])
    assert.deepEqual([run.submitted, run.artifacts, run.resultInfo], [[], {}, null])
  })

  it('goes on from a checkpoint of an attempt that was cancelled, wherever that was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 30 }), async (to, stop) => {
        const leaving = new AbortController()
        const reason = new Error('cancelled')
        const kept: unknown[] = []
        const first = runKind(
          counted,
          { to },
          {
            signal: leaving.signal,
            onCheckpoint: data => {
              kept.push(data)
              if (kept.length === stop) leaving.abort(reason)
            },
          },
        )
        if (stop < to) await assert.rejects(first, reason)
        else await first
        const { result } = await runKind(counted, { to }, { resume: kept.at(-1), attempt: 2 })
        assert.deepEqual(
          result,
          Array.from({ length: to }, (_, n) => n + 1),
        )
      }),
      { numRuns: 30 },
    )
  })

  it('takes a kind that is a function of its tools, with settings', async () => {
    const kind = ({ defineKind: define, z: tools, settings }: KindTools) =>
      define({
        summary: 'Says the most digits',
        params: tools.strictObject({}),
        result: tools.int(),
        example: {},
        run: () => settings.maxDigits,
      })
    assert.equal((await runKind(kind, {}, { settings: { maxDigits: 7 } })).result, 7)
  })

  it('refuses params, results and kinds as a server does', async () => {
    await assert.rejects(runKind(counted, { to: 0 }), { code: 'PARAMS_INVALID', message: /to/ })
    await assert.rejects(runKind(counted, { to: 1, more: 1 }), { code: 'PARAMS_INVALID', message: /more/ })
    await assert.rejects(runKind(kindOf(() => 'text', z.int())), { code: 'RESULT_INVALID' })
    await assert.rejects(runKind(kindOf(() => ({ deep: [new Map()] }))), {
      code: 'RESULT_INVALID',
      message: /deep\.0/,
    })
    await assert.rejects(runKind(kindOf(() => Promise.resolve({ at: Number.NaN }))), {
      code: 'RESULT_INVALID',
    })
    await assert.rejects(runKind({ ...counted, example: { to: 0, step: 1 } }, { to: 1 }), {
      code: 'KIND_INVALID',
    })
    assert.equal((await runKind(kindOf(() => undefined, z.null()))).result, null)
  })

  it('rejects with what the kind throws', async () => {
    const thrown = new TypeError('no luck')
    await assert.rejects(
      runKind(
        kindOf(() => {
          throw thrown
        }),
      ),
      error => error === thrown,
    )
  })

  it('hands over the uploads that the params name, with what a server would know of them, and no others', async () => {
    const packed = defineKind({
      summary: 'Reads a file',
      params: z.strictObject({ file: upload({ types: ['text/*'], maxBytes: 20 }) }),
      result: z.strictObject({ type: z.string(), head: z.string(), copy: z.string(), folder: z.string() }),
      example: { file: { $upload: UPLOAD } },
      async run({ file }, ctx) {
        const given = await ctx.upload(file)
        let head = ''
        for await (const piece of given.stream({ end: 5 })) head += String(piece)
        const copy = await readFile(await given.path(), 'utf8')
        await writeFile(path.join(ctx.scratch, 'mine'), 'x')
        return { type: given.type, head, copy, folder: ctx.scratch }
      },
    })
    const params = { file: { $upload: UPLOAD } }
    const { result } = await runKind(packed, params, { uploads: { [UPLOAD]: { content: 'to be or not' } } })
    assert.deepEqual(
      { ...result, folder: '' },
      { type: 'text/plain', head: 'to be', copy: 'to be or not', folder: '' },
    )
    assert.equal(existsSync(result.folder), false, 'the private folder is gone')
    await assert.rejects(runKind(packed, params), { code: 'PARAMS_INVALID', message: /there is no upload/ })
    const long = { uploads: { [UPLOAD]: { content: 'x'.repeat(21) } } }
    await assert.rejects(runKind(packed, params, long), { code: 'PARAMS_INVALID', message: /21 bytes/ })
    const picture = { uploads: { [UPLOAD]: { content: 'x', type: 'image/png' } } }
    await assert.rejects(runKind(packed, params, picture), { code: 'PARAMS_INVALID', message: /image\/png/ })
    await assert.rejects(
      runKind(
        kindOf(ctx => ctx.upload({ $upload: UPLOAD })),
        {},
        long,
      ),
      { code: 'UPLOAD_NOT_FOUND' },
    )
  })

  it('keeps artifacts whole, by name, those too that are not awaited', async () => {
    const { artifacts } = await runKind(
      kindOf(async ctx => {
        await ctx.artifact('a.txt', 'first')
        await ctx.artifact('a.txt', 'second')
        void ctx.artifact('b.bin', [Buffer.from([1]), Buffer.from([2])] as never, {
          type: 'application/x-own',
        })
        await assert.rejects(ctx.artifact('../c', 'x'), { code: 'ARTIFACT_REFUSED' })
        await assert.rejects(ctx.artifact('c', 1 as never), { code: 'ARTIFACT_REFUSED' })
      }),
    )
    assert.deepEqual(Object.keys(artifacts), ['a.txt', 'b.bin'])
    assert.equal(artifacts['a.txt']?.content.toString(), 'second')
    assert.equal(artifacts['a.txt']?.type, 'text/plain')
    assert.deepEqual([...(artifacts['b.bin']?.content ?? [])], [1, 2])
  })

  it('lists the children, one for each key, and runs none', async () => {
    const { submitted, result } = await runKind(
      kindOf(async ctx => {
        const one = await ctx.submit('sleep', { seconds: 1 }, { key: 'k', title: 'One' })
        const same = await ctx.submit('sleep', { seconds: 2 }, { key: 'k' })
        await ctx.submit('calcpi')
        await assert.rejects(ctx.submit('sleep', {}, { priority: 10 }), { code: 'BAD_REQUEST' })
        await assert.rejects(ctx.submit('sleep', {}, { key: 'a b' }), { code: 'BAD_KEY' })
        return one === same
      }),
    )
    assert.equal(result, true)
    assert.deepEqual(
      submitted.map(({ kind, params, options }) => ({ kind, params, options })),
      [
        { kind: 'sleep', params: { seconds: 1 }, options: { key: 'k', title: 'One' } },
        { kind: 'calcpi', params: {}, options: {} },
      ],
    )
  })

  it('runs commands, logs their lines, and gives what is left of the context', async () => {
    const run = await runKind(
      kindOf(async ctx => {
        const { stdout } = await ctx.exec('sh', ['-c', 'echo out; echo err >&2'])
        ctx.resultInfo({ by: 'sh' })
        ctx.progress(Number.NaN)
        ctx.progress(500, 'x'.repeat(600), new Map() as never)
        return [stdout, ctx.cores(), ctx.attempt, ctx.id]
      }),
      {},
      { cores: 3, attempt: 4, id: UPLOAD },
    )
    assert.deepEqual(run.result, ['out\n', 3, 4, UPLOAD])
    assert.deepEqual(run.resultInfo, { by: 'sh' })
    assert.deepEqual(
      [run.progress.length, run.progress[0]?.percent, run.progress[0]?.note?.length],
      [1, 100, 500],
    )
    assert.equal(run.progress[0]?.partialResult, undefined)
    const lines = run.log.map(({ text, level }) => `${level} ${text}`)
    for (const line of ['info out', 'warn err']) assert.ok(lines.includes(line), line)
    assert.ok(lines.some(line => line.startsWith('warn partial result left out')))
  })
})
