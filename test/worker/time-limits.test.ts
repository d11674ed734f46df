// The time limits of an attempt on a clock of the test's own, which has the same bound as Node's timers.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { startTimeLimits } from '../../src/worker/time-limits.ts'

const DAY = 86_400

/** Timers like Node's: what is beyond the bound is over at once. */
const useClock = (t: TestContext) => {
  const timers = new Map<object, { at: number; act: () => void }>()
  let now = 0
  t.mock.method(globalThis, 'setTimeout', (act: () => void, ms: number) => {
    const timer = {}
    timers.set(timer, { at: now + (ms > 2 ** 31 - 1 ? 1 : ms), act })
    return timer
  })
  t.mock.method(globalThis, 'clearTimeout', (timer: object) => void timers.delete(timer))
  return {
    waiting: () => timers.size,
    /** Lets the time pass until so many seconds after the begin. */
    passTo(seconds: number): void {
      for (;;) {
        const [next] = [...timers].sort(([, one], [, other]) => one.at - other.at)
        if (!next || next[1].at > seconds * 1000) break
        timers.delete(next[0])
        now = next[1].at
        next[1].act()
      }
      now = seconds * 1000
    },
  }
}

describe('the time limits of an attempt', () => {
  for (const [soft, hard] of [
    [1, 2.5],
    [30 * DAY, 365 * DAY],
    // at the bound of a timer, and one second beyond
    [2_147_483, 2_147_484],
  ] as const)
    it(`come when they are due and not before: ${soft} and ${hard} seconds`, t => {
      const clock = useClock(t)
      const told: string[] = []
      startTimeLimits(
        { softSeconds: soft, hardSeconds: hard },
        { soft: () => told.push('soft'), hard: () => told.push('hard') },
      )
      clock.passTo(soft - 0.001)
      assert.deepEqual(told, [])
      clock.passTo(soft)
      assert.deepEqual(told, ['soft'])
      clock.passTo(hard - 0.001)
      assert.deepEqual(told, ['soft'])
      clock.passTo(hard)
      assert.deepEqual(told, ['soft', 'hard'])
      assert.equal(clock.waiting(), 0)
    })

  it('are taken back, also in the second part of a long wait, and there is none where none is set', t => {
    const clock = useClock(t)
    const fail = (): void => assert.fail('it was taken back')
    const takeBack = startTimeLimits({ softSeconds: 1, hardSeconds: 60 * DAY }, { soft() {}, hard: fail })
    clock.passTo(59 * DAY)
    takeBack()
    assert.equal(clock.waiting(), 0)
    startTimeLimits({ softSeconds: null, hardSeconds: null }, { soft: fail, hard: fail })
    assert.equal(clock.waiting(), 0)
  })
})
