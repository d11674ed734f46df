// The pool of threads: whatever a kind does, one outcome, and the others are not disturbed.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { deserialize, serialize } from 'node:v8'
import type { Json } from '../../src/core/task.ts'
import { createThreads, type Run } from '../../src/worker/pool/pool.ts'
import type { ProgressReport, RunOutcome, RunRequest } from '../../src/worker/pool/protocol.ts'
import type { RunEvents } from '../../src/worker/pool/thread.ts'
import { until } from '../support/until.ts'

const UNRULY = fileURLToPath(new URL('./unruly.ts', import.meta.url))
const OUTER = { timeout: 300_000 }

const request = (act: string, value: Json = null, over: Partial<RunRequest> = {}): RunRequest => ({
  id: '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f',
  attempt: 1,
  kind: 'unruly',
  file: UNRULY,
  params: { act, value },
  resume: null,
  ...over,
})

const REFUSAL = { code: 'PARAMS_INVALID', message: 'not so', detail: { problems: [] } }

const listen = () => {
  const heard = {
    started: 0,
    progress: [] as ProgressReport[],
    batches: 0,
    lines: [] as string[],
    skipped: 0,
    checkpoints: [] as unknown[],
    submissions: [] as unknown[],
    onTheWay: 0,
    /** Submits that were on their way at one time. */
    most: 0,
  }
  const events: RunEvents = {
    started: () => heard.started++,
    progress: report => heard.progress.push(report),
    log(lines) {
      heard.batches++
      for (const { text, skipped } of lines) {
        heard.lines.push(text)
        heard.skipped += skipped
      }
    },
    checkpoint: bytes => heard.checkpoints.push(deserialize(bytes)),
    submit: async (submission, key) => {
      heard.submissions.push({ submission: JSON.parse(submission), key })
      heard.onTheWay += 1
      heard.most = Math.max(heard.most, heard.onTheWay)
      await new Promise(resolve => setImmediate(resolve))
      heard.onTheWay -= 1
      return key === 'no' ? REFUSAL : { id: `child ${heard.submissions.length}` }
    },
  }
  return { heard, events }
}

const failed = (outcome: RunOutcome) => {
  assert.equal(outcome.type, 'error', JSON.stringify(outcome))
  return outcome.type === 'error' ? outcome.error : assert.fail()
}
const inline = (outcome: RunOutcome): unknown => {
  if (outcome.type === 'success' && outcome.result.form === 'inline') return JSON.parse(outcome.result.json)
  return assert.fail(JSON.stringify(outcome))
}

describe('a pool of threads', () => {
  const pool = createThreads({ size: 2, memoryMb: 64 })
  after(() => pool.close())
  const run = (act: string, value: Json = null, over: Partial<RunRequest> = {}) => {
    const { heard, events } = listen()
    return { heard, run: pool.run(request(act, value, over), events) }
  }
  const outcomeOf = (act: string, value: Json = null): Promise<RunOutcome> => run(act, value).run.outcome

  it('submits children, a few at a time, and hands the kind their ids or what was wrong', OUTER, async () => {
    const many = run('submit a thousand at once')
    assert.equal(inline(await many.run.outcome), 1_000)
    assert.equal(many.heard.submissions.length, 1_000)
    assert.ok(many.heard.most > 1 && many.heard.most <= 32, `${many.heard.most} at a time`)
    assert.deepEqual(many.heard.submissions[999], {
      submission: { kind: 'unruly', params: { act: 'return the value', value: 999 } },
      key: null,
    })
    const refused = inline(await outcomeOf('submit what is refused'))
    assert.deepEqual(refused, { name: 'MadhavaError', ...REFUSAL })
    const error = failed(await outcomeOf('submit a BigInt'))
    assert.equal(error.code, 'BAD_REQUEST')
    assert.match(error.message, /^The task at params\.act: it is a BigInt/)
  })

  it('runs nothing more in a thread that was there when the threads were renewed', OUTER, async () => {
    const own = createThreads({ size: 2, memoryMb: 64 })
    const numbers: unknown[] = []
    const see = async (act: string, value: Json = null) =>
      inline(await own.run(request(act, value), listen().events).outcome)
    try {
      numbers.push(await see('the number of its thread'), await see('the number of its thread'))
      assert.equal(numbers[0], numbers[1])
      own.renew()
      assert.equal(own.state().idle, 0)
      const busy = own.run(request('the number of its thread'), listen().events)
      own.renew()
      const during = inline(await busy.outcome)
      const after = await see('the number of its thread')
      assert.equal(new Set([numbers[0], during, after]).size, 3)
    } finally {
      await own.close()
    }
  })

  it('hands over params and context, and brings back the result as JSON', OUTER, async () => {
    assert.deepEqual(inline(await outcomeOf('return the value', { a: [1, 'é', null] })), {
      a: [1, 'é', null],
    })
    const resumed = run('tell about itself', null, { attempt: 3, resume: serialize({ at: 7 }) })
    assert.deepEqual(inline(await resumed.run.outcome), {
      id: '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f',
      attempt: 3,
      resume: { at: 7 },
    })
    assert.equal(resumed.heard.started, 1)
  })

  it('tells all the last words of a kind that ends its thread', OUTER, async () => {
    for (let round = 0; round < 3; round += 1) {
      const { run: last, heard } = run('log a thousand lines and exit')
      assert.match(failed(await last.outcome).message, /process\.exit\(3\)/)
      assert.deepEqual(
        heard.lines,
        Array.from({ length: 1_000 }, (_, line) => `line ${line}`),
      )
    }
  })

  it('brings what the kind says about its result, unless that is long', OUTER, async () => {
    const said = await outcomeOf('say how it was come by', { terms: 7 })
    assert.deepEqual(said.type === 'success' && said.info, { terms: 7 })
    const { heard, run: going } = run('say how it was come by', 'x'.repeat(5_000))
    const long = await going.outcome
    assert.deepEqual(long.type === 'success' && long.info, { earlier: true })
    assert.match(heard.lines.join('\n'), /resultInfo left out: it has more than 4096 bytes/)
    assert.equal('info' in (await outcomeOf('return the value')), false)
  })

  it('shares the cores among the tasks that run, one to each at least', OUTER, async () => {
    const pool = createThreads({ size: 50, memoryMb: 64 })
    const { events } = listen()
    const all = availableParallelism()
    assert.equal(inline(await pool.run(request('tell its cores'), events).outcome), all)
    const forever = Array.from({ length: all }, () => pool.run(request('loop for ever'), events))
    await until('all are busy', () => pool.state().busy === all)
    assert.equal(inline(await pool.run(request('tell its cores'), events).outcome), 1)
    for (const going of forever) going.kill()
    await Promise.all(forever.map(going => going.outcome))
    assert.equal(inline(await pool.run(request('tell its cores'), events).outcome), all)
    await pool.close()
  })

  it('brings progress, log lines, printed text and checkpoints before the outcome', OUTER, async () => {
    const { heard, run: going } = run('report, log, checkpoint', { partial: true })
    assert.equal(inline(await going.outcome), 'done')
    assert.deepEqual(heard.progress, [{ percent: 40, note: 'well on its way', partial: '{"partial":true}' }])
    assert.deepEqual(heard.lines, ['one', 'two', 'printed { a: 1 }', 'no line end'])
    assert.deepEqual(heard.checkpoints, [{ value: { partial: true }, kept: new Map([['a', 1n]]) }])
  })

  it('takes a damaged checkpoint for none, and says so in the log', OUTER, async () => {
    const { heard, run: going } = run('tell about itself', null, { resume: new Uint8Array([255, 1, 2]) })
    assert.equal((inline(await going.outcome) as { resume: unknown }).resume, null)
    assert.match(heard.lines.join(), /checkpoint could not be read/)
  })

  it('turns whatever a kind throws into KIND_FAILED with its words', OUTER, async () => {
    for (const [act, words] of [
      ['throw an error', /^it went wrong$/],
      ['throw a string', /^just words$/],
      ['throw what cannot be read', /^{ message: \[Getter\]/],
      ['throw an object', /^quota exceeded$/],
      ['reject with an object behind the back', /^quota exceeded$/],
      ['throw for a cause', /^no user: nobody answers: refused by db-1$/],
      ['throw in a timer', /^out of nowhere$/],
      ['reject behind the back', /^nobody looked$/],
      ['exit', /process\.exit\(3\)/],
      ['checkpoint a function', /could not be cloned/],
      ['throw a long error', /^x{2000}$/],
    ] as const) {
      const error = failed(await outcomeOf(act))
      assert.equal(error.code, 'KIND_FAILED', act)
      assert.match(error.message, words)
      assert.equal(error.retryable, true)
    }
  })

  it('keeps the last words of a kind that ends its thread', OUTER, async () => {
    const { heard, run: going } = run('exit')
    await going.outcome
    assert.deepEqual(heard.lines, ['last words'])
  })

  it('leaves out a partial result that JSON cannot express, and says so once in the log', OUTER, async () => {
    const { heard, run: going } = run('report partial results that are refused')
    assert.equal(inline(await going.outcome), 'done')
    assert.deepEqual(new Set(heard.progress.map(({ partial }) => partial)), new Set([null]))
    assert.deepEqual(heard.lines, [
      'partial result left out: The partial result at list.0: it is an instance of Promise, which JSON cannot express',
      'partial result left out: The partial result at 0.0.0.0.0.0.0.0.…: it nests deeper than 64 levels',
    ])
  })

  it('leaves out a checkpoint that nests too deep, and says so in the log', OUTER, async () => {
    const { heard, run: going } = run('checkpoint something deep')
    assert.equal(inline(await going.outcome), 'done')
    assert.deepEqual([heard.checkpoints, heard.lines], [[], ['checkpoint left out: it nests too deep']])
  })

  it('fails with the place where resultInfo or a child holds what JSON cannot express', OUTER, async () => {
    for (const [act, code, words] of [
      ['say something deep of the result', 'RESULT_INVALID', /resultInfo.* nests deeper than 64 levels/],
      ['submit something deep', 'BAD_REQUEST', /^The task at params.* nests deeper than 64 levels/],
      ['submit a Promise', 'BAD_REQUEST', /^The task at params\.value: it is an instance of Promise/],
    ] as const) {
      const error = failed(await outcomeOf(act))
      assert.deepEqual([error.code, error.retryable], [code, false], act)
      assert.match(error.message, words)
    }
  })

  it(
    'cuts notes, lines and messages at whole signs, and puts together signs that come in pieces',
    OUTER,
    async () => {
      const { heard, run: going } = run('write long words')
      const error = failed(await going.outcome)
      assert.deepEqual([error.message.length, error.message.isWellFormed()], [1_999, true])
      assert.ok(error.names.every(name => name.isWellFormed()))
      assert.equal(heard.progress.at(-1)?.note, 'x'.repeat(499))
      assert.deepEqual(heard.lines, [`${'y'.repeat(4_094)}…`, 'naïve 😀'])
    },
  )

  it('refuses as RESULT_INVALID what JSON cannot express', OUTER, async () => {
    for (const [act, words] of [
      ['return a BigInt', /BigInt/],
      ['return a cycle', /self\.self\.self.* nests deeper than 64 levels/],
      ['return NaN', /NaN/],
      ['return a function', /function/],
      ['return a Map', /Map/],
      ['return something deep', /nests deeper than 64 levels/],
      ['return what nobody awaited', /at rows\.1: it is an instance of Promise/],
      ['return an Error', /at why: it is an instance of TypeError/],
      ['return a Buffer', /is a Buffer/],
      ['return a large integer', /at id: it is an integer beyond 9007199254740991/],
      ['return a name that is dropped', /at __proto__: it is a name that cannot be kept/],
    ] as const) {
      const error = failed(await outcomeOf(act))
      assert.equal(error.code, 'RESULT_INVALID', act)
      assert.match(error.message, words)
      assert.equal(error.retryable, false)
    }
    assert.equal(inline(await outcomeOf('return nothing')), null)
  })

  it(
    'keeps results up to 32 KiB of JSON inline, larger ones as the bytes of their text or JSON',
    OUTER,
    async () => {
      // 2 bytes a letter and two quotes
      assert.equal(inline(await outcomeOf('return text', 16_383)), 'π'.repeat(16_383))
      const text = await outcomeOf('return text', 16_384)
      assert.ok(text.type === 'success' && text.result.form === 'text', JSON.stringify(text).slice(0, 200))
      assert.equal(Buffer.from(text.result.bytes).toString(), 'π'.repeat(16_384))
      const numbers = await outcomeOf('return numbers', 20_000)
      assert.ok(numbers.type === 'success' && numbers.result.form === 'json', 'it is not a blob of JSON')
      assert.deepEqual(JSON.parse(Buffer.from(numbers.result.bytes).toString()), new Array(20_000).fill(1))
    },
  )

  it('lets a kind that eats memory fail alone', OUTER, async () => {
    const [eater, other] = [run('eat memory'), run('return the value', 5)]
    const error = failed(await eater.run.outcome)
    assert.equal(error.code, 'OUT_OF_MEMORY')
    assert.match(error.message, /64 MB/)
    assert.equal(inline(await other.run.outcome), 5)
  })

  it('thins out a flood of reports and lines, and keeps the last of each', OUTER, async () => {
    const { heard, run: going } = run('flood with reports')
    assert.equal(inline(await going.outcome), 'flooded')
    assert.equal(heard.progress.at(-1)?.percent, 199_999 / 2_000)
    assert.equal(heard.lines.at(-1), 'line 199999')
    assert.equal(heard.skipped + heard.lines.length, 200_000)
    assert.ok(heard.progress.length < 5_000 && heard.batches < 2_500, 'thousands of messages were sent')
  })

  it('drops partial results over 32 KiB, clamps percents and cuts long lines', OUTER, async () => {
    const huge = run('report a huge partial result')
    await huge.run.outcome
    assert.deepEqual(
      huge.heard.progress.filter(report => report.partial !== null && report.partial !== '"small"'),
      [],
    )
    assert.equal(huge.heard.progress.at(-1)?.percent, 20)
    const nonsense = run('report nonsense')
    await nonsense.run.outcome
    assert.deepEqual(
      nonsense.heard.progress.map(report => report.percent),
      [100],
    )
    assert.equal(nonsense.heard.lines[0]?.length, 4_096)
  })

  it('does not use a thread again in which a kind left something behind', OUTER, async () => {
    assert.equal(inline(await outcomeOf('leave a timer behind')), 'done')
    for (let times = 0; times < 5; times++)
      assert.equal(inline(await outcomeOf('return the value', times)), times)
  })

  it('is not misled by messages that a kind sends past its context', OUTER, async () => {
    assert.equal(inline(await outcomeOf('forge messages')), 'honest')
  })

  it('fires the signal, and lets a kind that listens end by itself', OUTER, async () => {
    const listening = run('wait for the signal')
    await until('the kind runs', () => listening.heard.started === 1)
    listening.run.cancel('enough', 60_000)
    assert.deepEqual(await listening.run.outcome, { type: 'stopped' })
    const stubborn = run('return a result when told to stop')
    await until('the kind runs', () => stubborn.heard.started === 1)
    stubborn.run.cancel('enough', 60_000)
    assert.equal(inline(await stubborn.run.outcome), 'finished all the same')
  })

  it(
    'ends the thread of a kind that does not listen, tight loops included, within a second',
    OUTER,
    async () => {
      for (const act of ['loop for ever', 'wait, deaf to the signal']) {
        const deaf = run(act)
        await until('the kind runs', () => deaf.heard.progress.length > 0)
        const begun = performance.now()
        deaf.run.cancel('enough', 200)
        deaf.run.cancel('twice does no harm', 60_000)
        assert.deepEqual(await deaf.run.outcome, { type: 'stopped' })
        assert.ok(performance.now() - begun >= 195, `${act}: the grace time was not given`)
      }
      const killed = run('loop for ever')
      await until('the kind runs', () => killed.heard.started === 1)
      killed.run.kill()
      assert.deepEqual(await killed.run.outcome, { type: 'stopped' })
      assert.equal(inline(await outcomeOf('return the value', 'still well')), 'still well')
    },
  )

  it(
    'says which file is wrong when a kind cannot be loaded, and tries it anew the next time',
    OUTER,
    async () => {
      const folder = await mkdtemp(path.join(tmpdir(), 'madhava-threads-'))
      try {
        const file = path.join(folder, 'late.mjs')
        const late = { kind: 'late', file, params: null }
        const missing = failed(await run('', null, late).run.outcome)
        assert.equal(missing.code, 'KIND_INVALID')
        assert.match(missing.message, /^late\.mjs: /)
        assert.ok(!missing.message.includes(folder), 'the message holds a path')
        await writeFile(file, 'export default 1')
        assert.match(
          failed(await run('', null, late).run.outcome).message,
          /no default export made by defineKind/,
        )
      } finally {
        await rm(folder, { recursive: true })
      }
    },
  )

  it('refuses stored params that no longer fit', OUTER, async () => {
    const error = failed(await run('', null, { params: { act: 'no such act' } }).run.outcome)
    assert.equal(error.code, 'PARAMS_INVALID')
    assert.equal(error.retryable, false)
  })
})

describe('the size and life of a pool', () => {
  it(
    'runs at most its size at a time, the others in turn, in threads that are used again',
    OUTER,
    async () => {
      const pool = createThreads({ size: 2, memoryMb: 64 })
      try {
        const blockers = [1, 2].map(() => pool.run(request('wait for the signal'), listen().events))
        const { heard, events } = listen()
        const third = pool.run(request('return the value', 3), events)
        const cancelled = pool.run(request('return the value', 4), listen().events)
        assert.deepEqual(pool.state(), { busy: 2, idle: 0, waiting: 2 })
        cancelled.cancel('before it began', 60_000)
        assert.deepEqual(await cancelled.outcome, { type: 'stopped' })
        assert.equal(heard.started, 0)
        blockers[0]?.cancel('make room', 60_000)
        assert.equal(inline(await third.outcome), 3)
        blockers[1]?.cancel('make room', 60_000)
        await Promise.all(blockers.map(blocker => blocker.outcome))
        await until('both are idle', () => pool.state().idle === 2)
        assert.deepEqual(pool.state(), { busy: 0, idle: 2, waiting: 0 })
      } finally {
        await pool.close()
      }
    },
  )

  it('ends threads that nobody uses', OUTER, async () => {
    const pool = createThreads({ size: 1, memoryMb: 64, idleMs: 20 })
    try {
      await pool.run(request('return the value'), listen().events).outcome
      await until('the thread is gone', () => pool.state().idle === 0)
      assert.equal(inline(await pool.run(request('return the value', 1), listen().events).outcome), 1)
    } finally {
      await pool.close()
    }
  })

  it(
    'ends every thread when it is closed; what ran or waited is lost, and so is what comes later',
    OUTER,
    async () => {
      const pool = createThreads({ size: 1, memoryMb: 64 })
      const { heard, events } = listen()
      const runs: Run[] = [
        pool.run(request('loop for ever'), events),
        pool.run(request('return the value'), listen().events),
      ]
      await until('the first runs', () => heard.started === 1)
      await Promise.all([pool.close(), pool.close()])
      runs.push(pool.run(request('return the value'), listen().events))
      for (const { outcome } of runs) assert.equal((await outcome).type, 'lost')
      assert.deepEqual(pool.state(), { busy: 0, idle: 0, waiting: 0 })
    },
  )
})
