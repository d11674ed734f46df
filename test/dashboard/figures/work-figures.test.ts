// What workers did between two looks, from their presences.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SeenPresence } from '../../../src/core/store.ts'
import { createTimings } from '../../../src/core/timings.ts'
import { createWorkFigures, quantile } from '../../../src/dashboard/figures/work-figures.ts'

const START = Date.UTC(2030, 0, 1)

/** A worker with so many runs and failures since its start. */
const worker = (instance: string, startedAt: number, runs: number, failures = 0): SeenPresence => {
  const timings = createTimings()
  for (let run = 0; run < runs; run += 1) {
    timings.observe('echo', 'wait', 0.2)
    timings.observe('echo', 'run', 7)
  }
  const at = new Date(startedAt).toISOString()
  return {
    ...{ instance, role: 'worker', host: 'h', pid: 1, startedAt: at, beatAt: at, alive: true },
    details: {
      ...{ address: null, slots: 2, running: [], rssBytes: 1, cpu: 0, troubles: {} },
      counters: { succeeded: runs - failures },
      timings: timings.snapshot(),
      failures: { echo: { KIND_FAILED: failures } },
    },
  }
}

describe('the work of the workers', () => {
  it('is what each did since the last look, whoever was restarted meanwhile', () => {
    const look = createWorkFigures()
    assert.equal(look([worker('a', START, 100)], START, 0), null)
    const done = look([worker('a', START, 130, 5), worker('b', START + 5_000, 20)], START + 10_000, 10_000)
    assert.deepEqual([done?.started, done?.succeeded, done?.failed], [50, 45, 5])
    assert.equal(done?.minutes, 1 / 6)
    // a is gone, and c, which was there before, is seen for the first time
    const next = look(
      [worker('b', START + 5_000, 21), worker('c', START - 3_600_000, 900)],
      START + 20_000,
      20_000,
    )
    assert.deepEqual([next?.started, next?.succeeded, next?.failed], [1, 1, 0])
  })

  it('is not known over a long time without a look', () => {
    const look = createWorkFigures()
    look([worker('a', START, 1)], START, 0)
    assert.equal(look([worker('a', START, 500)], START + 120_000, 120_000), null)
    assert.equal(look([worker('a', START, 501)], START + 130_000, 130_000)?.started, 1)
  })

  it('has quantiles within the bucket of their value', () => {
    const timings = createTimings()
    for (let at = 0; at < 90; at += 1) timings.observe('echo', 'run', 0.3)
    for (let at = 0; at < 10; at += 1) timings.observe('echo', 'run', 45)
    const counts = timings.snapshot().echo?.run.counts ?? []
    const half = quantile(counts, 0.5) ?? 0
    assert.ok(half > 0.25 && half <= 0.5, String(half))
    const most = quantile(counts, 0.95) ?? 0
    assert.ok(most > 30 && most <= 60, String(most))
    assert.equal(quantile([0, 0, 0], 0.5), null)
    const longer = createTimings()
    longer.observe('echo', 'run', 1e6)
    assert.equal(quantile(longer.snapshot().echo?.run.counts ?? [], 0.9), 43_200)
  })
})
