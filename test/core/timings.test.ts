// How long tasks wait and run, in the buckets of a histogram.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BUCKETS, createTimings } from '../../src/core/timings.ts'

describe('the times of tasks', () => {
  it('stand in the first bucket whose bound they do not exceed, the bound itself included', () => {
    for (const [place, bound] of BUCKETS.entries()) {
      const timings = createTimings()
      timings.observe('pi', 'run', bound)
      timings.observe('pi', 'run', bound + 0.001)
      const counts = timings.snapshot().pi?.run.counts
      assert.deepEqual([counts?.[place], counts?.[place + 1]], [1, 1], `${bound} s`)
    }
  })

  it('count as nothing where a clock went back, and without bound where they are long', () => {
    const timings = createTimings()
    for (const seconds of [-5, 0, 1_000_000]) timings.observe('pi', 'wait', seconds)
    const { wait, run } = timings.snapshot().pi ?? {}
    assert.deepEqual([wait?.counts[0], wait?.counts[BUCKETS.length], wait?.sumSeconds], [2, 1, 1_000_000])
    assert.deepEqual([run?.counts.length, run?.sumSeconds], [BUCKETS.length + 1, 0])
  })

  it('are told as they were then: what comes later changes no snapshot', () => {
    const timings = createTimings()
    timings.observe('pi', 'run', 1)
    const before = timings.snapshot()
    timings.observe('pi', 'run', 1)
    assert.equal(before.pi?.run.sumSeconds, 1)
  })
})
