// The examples that resume: wherever their worker dies, the result is that of a run without a death.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import fc from 'fast-check'
import { BLOBS } from '../../src/core/content.ts'
import type { Kinds } from '../../src/core/kinds.ts'
import { isFinal, isRunning, type TaskRecord } from '../../src/core/task.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createSweeper } from '../../src/worker/sweeper.ts'
import { startChild } from '../support/child.ts'
import { newTaskOf } from '../support/new-task.ts'
import { createNotingQueue } from '../support/noting-queue.ts'
import { openPlace, type StorePlace } from '../support/store-place.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'
import { putUpload } from '../support/whole-upload.ts'
import { loadExamples, runWithDeaths } from './around.ts'

const FILE = { $upload: '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f' }
const COLUMN = 'price, "net"'
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`
const csvOf = (rows: readonly (readonly [string, number | null])[], end: string): Buffer =>
  Buffer.from(
    [
      `${quoted('naïve name')},${quoted(COLUMN)},last`,
      ...rows.map(([a, x]) => `${quoted(a)},${x ?? ''},9`),
    ].join(end) + end,
  )
/** The same figures by another way: all numbers at once. */
const figuresOf = (numbers: readonly number[]) => {
  const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length
  const squares = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0)
  const [min, max] = [numbers.reduce((a, b) => Math.min(a, b)), numbers.reduce((a, b) => Math.max(a, b))]
  return { count: numbers.length, mean, min, max, deviation: Math.sqrt(squares / numbers.length) }
}
const assertNear = (given: unknown, numbers: readonly number[]): void => {
  const [have, want] = [given as ReturnType<typeof figuresOf>, figuresOf(numbers)]
  assert.deepEqual([have.count, have.min, have.max], [want.count, want.min, want.max])
  for (const name of ['mean', 'deviation'] as const)
    assert.ok(
      Math.abs(have[name] - want[name]) <= 1e-6 * (1 + Math.abs(want[name])),
      `${name}: ${have[name]}`,
    )
}

const places = fc.array(fc.nat(5_000), { maxLength: 20 })
const deaths = fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 4 })

describe('the examples that resume', { timeout: 600_000 }, () => {
  let kinds: Kinds
  before(async () => {
    kinds = (await loadExamples()).kinds
  })

  it('give the SHA-256 of any bytes, wherever the pieces end and the worker dies', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), places, deaths, async (given, cuts, ends) => {
        const bytes = Buffer.from(given)
        const { result, readFrom } = await runWithDeaths(
          kinds.get('sha256'),
          { file: FILE },
          bytes,
          cuts,
          ends,
        )
        assert.deepEqual(result, { sha256: sha256(bytes) })
        assert.ok(readFrom.every(at => at % 64 === 0))
      }),
      { numRuns: 300 },
    )
  })

  it('do not read again what a checkpoint has', async () => {
    const bytes = Buffer.alloc(64 * 100, 'x')
    const { readFrom } = await runWithDeaths(
      kinds.get('sha256'),
      { file: FILE },
      bytes,
      [640, 1290, 3200],
      [2, 2],
    )
    assert.deepEqual(readFrom, [0, 1280, 3200])
  })

  it('give the figures of a column, whatever is in the other fields and wherever the worker dies', async () => {
    const number = fc.oneof(
      fc.integer({ min: -1e6, max: 1e6 }),
      // a text has no -0
      fc.float({ min: -1e6, max: 1e6, noNaN: true }).map(x => x + 0),
    )
    const field = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('a,b', 'a\nb', '"', '""', '\r\n,"'),
    )
    const rows = fc.array(fc.tuple(field, fc.option(number)), { maxLength: 40 })
    const ends = fc.constantFrom('\n', '\r\n')
    await fc.assert(
      fc.asyncProperty(rows, number, ends, places, deaths, async (more, first, end, cuts, when) => {
        const bytes = csvOf([['first', first], ...more], end)
        const run = (ends: number[]) =>
          runWithDeaths(kinds.get('csv-stats'), { file: FILE, column: COLUMN }, bytes, cuts, ends)
        const { result } = await run(when)
        assertNear(result, [first, ...more.flatMap(([, x]) => (x === null ? [] : [x]))])
        assert.deepEqual(result, (await run([])).result, 'to the last bit')
      }),
      { numRuns: 300 },
    )
  })

  it('say what is wrong with a file that has no such figures', async () => {
    const said = (text: string, column = 'b') =>
      runWithDeaths(kinds.get('csv-stats'), { file: FILE, column }, Buffer.from(text), [], []).then(
        ({ result }) => assert.fail(JSON.stringify(result)),
        (error: Error) => error.message,
      )
    assert.match(await said('a,c\n1,2\n'), /no column b.*a,c/)
    assert.match(await said(''), /no column b/)
    assert.match(await said('a,b\n1,2\n1,x\n'), /At byte 8: x is not a number/)
    assert.match(await said('a,b\n1,2\n"1,2\n'), /At byte 8: a quote is not closed/)
    assert.match(await said('a,b\n1,\n'), /no numbers/)
    assert.match(await said(`a,b\n1,2\n${'x'.repeat(2 ** 21)}`), /does not end/)
  })

  for (const [kind, bytes, params, type, isRight] of [
    [
      'csv-stats',
      csvOf(
        Array.from({ length: 800_000 }, (_, n) => [`row\n${n}`, (n * 7919) % 10_007]),
        '\n',
      ),
      { column: COLUMN },
      'text/plain',
      (result: unknown) =>
        assertNear(
          result,
          Array.from({ length: 800_000 }, (_, n) => (n * 7919) % 10_007),
        ),
    ],
    [
      'sha256',
      Buffer.alloc(48 * 1024 ** 2, 'a file that is long'),
      {},
      'text/plain',
      (result: unknown, all: Buffer) => assert.deepEqual(result, { sha256: sha256(all) }),
    ],
  ] as const)
    it(`finish ${kind} in another process after kill -9`, async t => {
      const dir = await mkdtemp(path.join(tmpdir(), 'madhava-examples-'))
      undo(t, () => rm(dir, { recursive: true }))
      const place: StorePlace = { adapter: 'files', dir, writerThread: true }
      const store = await openPlace(place)
      undo(t, () => store.close())
      const { queue } = createNotingQueue()
      const sweeper = createSweeper({
        ...{ store, queue, kinds: () => [kind], poll() {}, clock: () => new Date(), log: silentLog() },
        retention: () => ({ finishedBefore: null, maxCount: null, maxBytes: null }),
        retentionMs: 1e9,
        everyMs: 200,
      })
      undo(t, () => sweeper.close())
      const get = async (id: string): Promise<TaskRecord> => (await store.get(id)) ?? assert.fail('no task')
      /** Runs a task whose worker is killed twice, or until it is over. Answers how many attempts it took. */
      const runKilled = async (): Promise<number> => {
        const file = { $upload: await putUpload(store, bytes, type) }
        const createdAt = new Date().toISOString()
        const task = newTaskOf({ kind, params: { ...params, file }, createdAt, maxAttempts: 100 })
        const { id } = (await store.create(task, null)).task
        const isOver = async () => isFinal((await get(id)).status)
        const hasCheckpoint = async () =>
          (await store.listBlobs(id)).some(({ name }) => name === BLOBS.checkpoint)
        for (let kills = 0; !(await isOver()); kills += 1) {
          const child = startChild<{ ended?: boolean }>('examples-worker.ts', { place })
          try {
            if (kills < 2) {
              await until('a checkpoint is there', async () => (await hasCheckpoint()) || (await isOver()))
              // a moment that nobody has chosen
              await wait(Math.random() * 300)
            } else await child.line(line => line.ended === true)
          } finally {
            await child.kill()
          }
          await until('it is taken over, or over', async () => !isRunning((await get(id)).status))
        }
        const { status, result, error, attempt } = await get(id)
        assert.deepEqual([status, error], ['SUCCESS', null])
        isRight(result, bytes)
        return attempt
      }
      // on a busy machine a task may end before this process finds the time to kill its worker
      let attempts = 1
      for (let round = 0; round < 5 && attempts === 1; round += 1) attempts = await runKilled()
      assert.ok(attempts > 1, 'no attempt was killed')
      t.diagnostic(`${attempts} attempts`)
    })
})
