// The small parts of the worker that compute: retry delays, estimates, the log's ring, the writer of the latest.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isMadhavaError } from '../../src/core/errors.ts'
import { retryDelayMs } from '../../src/core/retry.ts'
import { RESULT_LIMITS, type TaskRecord } from '../../src/core/task.ts'
import { createProgress, etaSeconds } from '../../src/worker/progress.ts'
import { encodeResult } from '../../src/worker/thread/encode-result.ts'
import { createThrottledWriter } from '../../src/worker/throttled-writer.ts'
import { createWakeTimer } from '../../src/worker/wake-timer.ts'
import { handedValues } from '../support/json-values.ts'
import { newTaskOf } from '../support/new-task.ts'
import { until } from '../support/until.ts'

const policy = fc.record({
  delaySeconds: fc.double({ min: 0, max: 86_400, noNaN: true }),
  factor: fc.double({ min: 1, max: 10, noNaN: true }),
  maxDelaySeconds: fc.double({ min: 0, max: 2_592_000, noNaN: true }),
})
const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('retryDelayMs', () => {
  it('lies between half of the exponential delay and all of it, and never over the maximum', () => {
    fc.assert(
      fc.property(policy, fc.integer({ min: 1, max: 1000 }), share, (rule, attempt, random) => {
        const whole =
          rule.delaySeconds === 0
            ? 0
            : Math.min(rule.delaySeconds * rule.factor ** (attempt - 1), rule.maxDelaySeconds) * 1000
        const delay = retryDelayMs(rule, attempt, random)
        assert.ok(Number.isInteger(delay), `${delay} is no whole number`)
        assert.ok(delay >= Math.floor(whole / 2) && delay <= Math.ceil(whole), `${delay} of ${whole}`)
      }),
    )
  })

  it('is nothing where the delay is nothing, however far the factor has grown', () => {
    // the power is infinite, and nothing times infinity is no number
    const rule = { delaySeconds: 0, factor: 10, maxDelaySeconds: 3600 }
    for (const attempt of [1, 2, 400, 1000]) assert.equal(retryDelayMs(rule, attempt, 0.5), 0)
  })

  it('never falls from one attempt to the next for the same random number', () => {
    fc.assert(
      fc.property(policy, fc.integer({ min: 1, max: 999 }), share, (rule, attempt, random) => {
        const [first, second] = [retryDelayMs(rule, attempt, random), retryDelayMs(rule, attempt + 1, random)]
        assert.ok(second >= first, `${second} after ${first}`)
      }),
    )
  })

  it('is what the documents say for the default policy', () => {
    const rule = { delaySeconds: 1, factor: 2, maxDelaySeconds: 3600 }
    assert.deepEqual(
      [1, 2, 3, 4, 20].map(attempt => retryDelayMs(rule, attempt, 0)),
      [500, 1000, 2000, 4000, 1_800_000],
    )
  })
})

describe('etaSeconds', () => {
  it('is the time left at the speed so far', () => {
    assert.equal(etaSeconds({ at: 0, percent: 0 }, { at: 10_000, percent: 25 }), 30)
    assert.equal(etaSeconds({ at: 1000, percent: 90 }, { at: 2000, percent: 95 }), 1)
    assert.equal(etaSeconds({ at: 0, percent: 0 }, { at: 10_000, percent: 100 }), 0)
  })

  it('is null or a number not below 0, never anything else', () => {
    const point = fc.record({ at: fc.integer(), percent: fc.double({ min: 0, max: 100, noNaN: true }) })
    fc.assert(
      fc.property(point, point, (first, now) => {
        const eta = etaSeconds(first, now)
        assert.ok(eta === null || (Number.isFinite(eta) && eta >= 0), String(eta))
      }),
    )
  })
})

describe('the progress of a run', () => {
  it('keeps the last partial result when a report brings none', async () => {
    const moves: TaskRecord[] = []
    const running = { ...newTaskOf({ createdAt: new Date().toISOString() }), status: 'STARTED' } as TaskRecord
    const progress = createProgress({
      everyMs: 0,
      clock: () => new Date(),
      begunAt: null,
      move: async move => {
        const task = move(running)
        moves.push(task)
        return task
      },
      failed: error => assert.fail(String(error)),
    })
    progress.offer({ percent: 1, note: null, partial: '"a"' })
    await progress.flush()
    progress.offer({ percent: 2, note: null, partial: null })
    await progress.flush()
    await progress.stop()
    assert.deepEqual(
      moves.map(({ progress: told, result }) => [told?.percent, result]),
      [
        [1, 'a'],
        [2, 'a'],
      ],
    )
  })
})

describe('encodeResult', () => {
  it('gives back any JSON value as it was', () => {
    fc.assert(
      fc.property(handedValues(), value => {
        const encoded = encodeResult(value, RESULT_LIMITS)
        assert.ok(encoded.form === 'inline', encoded.form)
        assert.equal(encoded.json, JSON.stringify(value))
      }),
    )
  })

  it('keeps inline what the limit allows, as bytes what is more, and refuses what is too large', () => {
    const limits = { inlineBytes: 10, maxBytes: 20 }
    const formOf = (value: unknown): string => encodeResult(value, limits).form
    assert.deepEqual(
      [
        formOf('ππππ'),
        formOf('πππππ'),
        formOf('x'.repeat(20)),
        formOf([1, 2, 3, 4]),
        formOf([1, 2, 3, 4, 5]),
      ],
      ['inline', 'text', 'text', 'inline', 'json'],
    )
    for (const value of ['x'.repeat(21), 'π'.repeat(11), 'x'.repeat(10_000), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]])
      assert.throws(
        () => encodeResult(value, limits),
        error => isMadhavaError(error, 'RESULT_TOO_LARGE') && /RESULT_MAX_MB/.test(error.message),
      )
  })

  it('calls too large what has more JSON than one text can hold', () => {
    const long = 'x'.repeat(2 ** 27)
    assert.throws(
      () => encodeResult([long, long, long, long], { ...RESULT_LIMITS, maxBytes: 2 ** 40 }),
      error => isMadhavaError(error, 'RESULT_TOO_LARGE'),
    )
  })

  it('refuses half a sign in a text, whether that stays in the record or becomes a blob', () => {
    for (const value of ['\ud83d', `${'x'.repeat(40_000)}\ud83d`, ['x'.repeat(40_000), '\udc00']])
      assert.throws(
        () => encodeResult(value, RESULT_LIMITS),
        error => isMadhavaError(error, 'RESULT_INVALID') && /lone surrogate/.test(error.message),
      )
    const kept = encodeResult(`${'x'.repeat(40_000)}😀`, RESULT_LIMITS)
    assert.ok(kept.form === 'text' && Buffer.from(kept.bytes).toString().endsWith('x😀'))
  })
})

describe('the writer of the latest', () => {
  it('writes the first at once and the last at the end, one at a time, and nothing after it was stopped', async () => {
    const written: number[] = []
    let writing = 0
    const latest = createThrottledWriter<number>({
      everyMs: 3_600_000,
      failed: error => assert.fail(String(error)),
      async write(value) {
        assert.equal(++writing, 1, 'two writes at a time')
        await new Promise(resolve => setImmediate(resolve))
        written.push(value)
        writing--
      },
    })
    for (let value = 1; value <= 100; value++) latest.offer(value)
    await latest.flush()
    assert.deepEqual(written, [1, 100])
    latest.offer(101)
    await latest.stop()
    latest.offer(102)
    await latest.flush()
    assert.deepEqual(written, [1, 100])
  })

  it('writes by itself what came while a write was under way, also where that one fails', async () => {
    for (const error of [null, new Error('the first fails')]) {
      const begun: number[] = []
      const ends: (() => void)[] = []
      const latest = createThrottledWriter<number>({
        everyMs: 1,
        failed: () => {},
        write: value =>
          new Promise((resolve, reject) => {
            begun.push(value)
            ends.push(() => (error ? reject(error) : resolve()))
          }),
      })
      for (const value of [1, 2, 3]) latest.offer(value)
      assert.deepEqual(begun, [1])
      ends[0]?.()
      await until('the last one is written', () => begun.length === 2)
      assert.deepEqual(begun, [1, 3])
      ends[1]?.()
      await latest.stop()
    }
  })

  it('tells of a failed write and goes on with the next value', async () => {
    const failures: unknown[] = []
    const written: number[] = []
    const latest = createThrottledWriter<number>({
      everyMs: 0,
      failed: error => failures.push(error),
      async write(value) {
        if (value === 1) throw new Error('the first fails')
        written.push(value)
      },
    })
    latest.offer(1)
    await latest.flush()
    latest.offer(2)
    await latest.flush()
    assert.equal(failures.length, 1)
    assert.deepEqual(written, [2])
  })
})

describe('the alarm', () => {
  it('rings once, at the earliest time asked for, and again when it is set again', async t => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000 })
    const rung: number[] = []
    const alarm = createWakeTimer({ clock: () => new Date(), onTime: () => rung.push(Date.now()) })
    alarm.set(1_500)
    alarm.set(1_200)
    alarm.set(1_300)
    t.mock.timers.tick(199)
    assert.deepEqual(rung, [])
    t.mock.timers.tick(1)
    assert.deepEqual(rung, [1_200])
    t.mock.timers.tick(5_000)
    assert.deepEqual(rung, [1_200])
    alarm.set(7_000)
    t.mock.timers.tick(800)
    assert.deepEqual(rung, [1_200, 7_000])
  })

  it('rings within a second however far away the time is, soon when it is past, and not once cleared', async t => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 10_000 })
    let rung = 0
    const alarm = createWakeTimer({
      clock: () => new Date(),
      onTime: () => {
        rung += 1
      },
    })
    alarm.set(10_000_000)
    t.mock.timers.tick(1_000)
    assert.equal(rung, 1)
    alarm.set(5)
    t.mock.timers.tick(1)
    assert.equal(rung, 2)
    alarm.set(12_000)
    alarm.clear()
    t.mock.timers.tick(10_000)
    assert.equal(rung, 2)
  })
})
