// The figures as a topic: new samples, those that were missed, and no more than that.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { noValues, type Sample } from '../../../src/dashboard/figures/columns.ts'
import { figuresTopic } from '../../../src/dashboard/figures/topic.ts'
import { anybody } from '../../support/actors.ts'

const NOW = 1_000_000

const createFigures = (first: number[]) => {
  const samples: Sample[] = first.map(at => ({ at, ...noValues() }))
  const hearers = new Set<(sample: Sample) => void>()
  return {
    hearers,
    since: (ms: number) => samples.filter(({ at }) => at > ms),
    subscribe(hear: (sample: Sample) => void) {
      hearers.add(hear)
      return () => hearers.delete(hear)
    },
    add(at: number) {
      const sample = { at, ...noValues() }
      samples.push(sample)
      for (const hear of hearers) hear(sample)
    },
  }
}

const follow = (figures: ReturnType<typeof createFigures>, since: string | null) => {
  const ending = new AbortController()
  const actor = anybody('dashboard')
  const events = figuresTopic(figures, () => NOW)({ argument: '', since, actor, signal: ending.signal })
  const next = async (): Promise<number[] | null> => {
    const { value } = await events.next()
    const data = value?.[0]?.data as { samples: Sample[] } | undefined
    return data ? data.samples.map(({ at }) => at) : null
  }
  return { next, end: () => ending.abort() }
}

describe('the topic of the figures', () => {
  it('tells the last minute and then each new sample, and listens no more when it ends', async () => {
    const figures = createFigures([NOW - 70_000, NOW - 50_000, NOW - 10_000])
    const { next, end } = follow(figures, null)
    assert.deepEqual(await next(), [NOW - 50_000, NOW - 10_000])
    const awaited = next()
    figures.add(NOW)
    assert.deepEqual(await awaited, [NOW])
    const last = next()
    end()
    assert.equal(await last, null)
    assert.equal(figures.hearers.size, 0)
  })

  it('goes on after the last one that was told, and begins anew from a place that cannot be', async () => {
    const figures = createFigures([NOW - 90_000, NOW - 80_000, NOW - 10_000])
    assert.deepEqual(await follow(figures, String(NOW - 90_000)).next(), [NOW - 80_000, NOW - 10_000])
    for (const place of ['nonsense', String(NOW + 5_000)])
      assert.deepEqual(await follow(figures, place).next(), [NOW - 10_000])
  })
})
