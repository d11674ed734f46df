// What a clock that is set does to removal by age: never at once, never for ever, and not for a clock that goes evenly.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { silentLog } from '../../src/platform/log.ts'
import { createClockWatch } from '../../src/worker/clock-watch.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const START = Date.UTC(2026, 5, 1, 12)

const setUp = ({ retentionMs = 7 * DAY, youngestMs = START as number | null, wallMs = START } = {}) => {
  const time = { wallMs, elapsedMs: 0 }
  const watch = createClockWatch({
    clock: () => new Date(time.wallMs),
    elapsed: () => time.elapsedMs,
    retentionMs,
    youngestMs,
    log: silentLog(),
  })
  /** Time goes on evenly, with a look every ten seconds. */
  const pass = (ms: number): void => {
    for (let left = ms; left > 0; left -= 10_000) {
      time.wallMs += Math.min(left, 10_000)
      time.elapsedMs += Math.min(left, 10_000)
      watch.check()
    }
  }
  watch.check()
  return { time, watch, pass }
}

describe('the watch over the clock', () => {
  it('lets nothing be removed by its age in the first hour after a start, and everything from then on', () => {
    const { watch, pass } = setUp()
    pass(HOUR - MINUTE)
    assert.equal(watch.mayRemove(), false)
    assert.equal(watch.trouble(), null)
    pass(2 * MINUTE)
    assert.equal(watch.mayRemove(), true)
    pass(3 * DAY)
    assert.equal(watch.mayRemove(), true)
  })

  it('waits a tenth of a short retention after a start', () => {
    const { watch, pass } = setUp({ retentionMs: 100 * MINUTE })
    pass(9 * MINUTE)
    assert.equal(watch.mayRemove(), false)
    pass(2 * MINUTE)
    assert.equal(watch.mayRemove(), true)
  })

  it('holds a leap ahead back for an hour per day that it went, a day at the most, and says so', () => {
    for (const [leap, hold] of [
      [2 * DAY, 2 * HOUR],
      [10 * DAY, 10 * HOUR],
      [1_000 * DAY, DAY],
    ] as const) {
      const { time, watch, pass } = setUp()
      pass(2 * HOUR)
      time.wallMs += leap
      watch.check()
      assert.equal(watch.mayRemove(), false)
      assert.match(watch.trouble() ?? '', new RegExp(`It is ${leap / DAY} days ahead .* until 20`))
      pass(hold - MINUTE)
      assert.equal(watch.mayRemove(), false, `${leap / DAY} days`)
      pass(2 * MINUTE)
      assert.deepEqual([watch.mayRemove(), watch.trouble()], [true, null], `${leap / DAY} days`)
    }
  })

  it('forgets a leap that was put right', () => {
    const { time, watch, pass } = setUp()
    pass(2 * HOUR)
    time.wallMs += 30 * DAY
    pass(5 * MINUTE)
    assert.notEqual(watch.trouble(), null)
    time.wallMs -= 30 * DAY
    assert.equal(watch.check(), true)
    assert.equal(watch.trouble(), null)
    pass(HOUR)
    assert.equal(watch.mayRemove(), true)
  })

  it('waits quietly an hour for a leap that could remove little early', () => {
    const { time, watch, pass } = setUp()
    pass(2 * HOUR)
    time.wallMs += 10 * HOUR
    pass(HOUR - MINUTE)
    assert.deepEqual([watch.mayRemove(), watch.trouble()], [false, null])
    pass(2 * MINUTE)
    assert.equal(watch.mayRemove(), true)
  })

  it('begins the wait anew when the clock leaps once more', () => {
    const { time, watch, pass } = setUp()
    pass(2 * HOUR)
    time.wallMs += 2 * DAY
    pass(HOUR + 30 * MINUTE)
    time.wallMs += 2 * DAY
    pass(2 * HOUR)
    assert.equal(watch.mayRemove(), false)
    pass(2 * HOUR + MINUTE)
    assert.equal(watch.mayRemove(), true)
  })

  it('compares the clock of a start with the youngest time in the store', () => {
    const { watch, pass } = setUp({ youngestMs: START - 5 * DAY })
    assert.match(watch.trouble() ?? '', /It is 5 days ahead/)
    pass(4 * HOUR)
    assert.equal(watch.mayRemove(), false)
    pass(2 * HOUR)
    assert.equal(watch.mayRemove(), true)
    assert.equal(setUp({ youngestMs: START + DAY }).watch.trouble(), null)
    assert.equal(setUp({ youngestMs: null }).watch.trouble(), null)
  })

  it('keeps to the wait after a start when a leap in it is put right at once', () => {
    const { time, watch, pass } = setUp()
    pass(MINUTE)
    for (const stepMs of [2 * MINUTE, -2 * MINUTE]) {
      time.wallMs += stepMs
      watch.check()
    }
    pass(HOUR - 5 * MINUTE)
    assert.equal(watch.mayRemove(), false)
    pass(6 * MINUTE)
    assert.equal(watch.mayRemove(), true)
  })

  it('says when the clock went back, and not when it goes unevenly by less than a second', () => {
    const { time, watch } = setUp()
    for (const stepMs of [900, -900, 5_000]) {
      time.wallMs += stepMs
      assert.equal(watch.check(), false, `${stepMs}`)
    }
    time.wallMs -= 2 * HOUR
    assert.equal(watch.check(), true)
    assert.equal(watch.check(), false)
  })

  it('never removes within an hour of a leap, and always does in the end', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -3 * DAY, max: 400 * DAY }), { maxLength: 4 }), leaps => {
        const { time, watch, pass } = setUp()
        pass(2 * HOUR)
        for (const leap of leaps) {
          time.wallMs += leap
          watch.check()
          if (leap > MINUTE && leaps.every(each => each >= 0)) assert.equal(watch.mayRemove(), false)
          pass(30 * MINUTE)
        }
        pass(DAY + MINUTE)
        assert.equal(watch.mayRemove(), true)
        assert.equal(watch.trouble(), null)
      }),
      { numRuns: 30 },
    )
  })
})
