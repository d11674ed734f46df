// The columns of the charts with live samples at their end.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Figures, type Sample, withSamples } from '../../../src/dashboard/web/state/figures.ts'

const NAMES = ['cpu', 'load'] as const
type Name = (typeof NAMES)[number]
const figures = (at: number[], cpu: (number | null)[]): Figures<Name> => ({
  everyMs: 10,
  at,
  load: at.map(() => null),
  cpu,
})
const sample = (at: number, cpu: number): Sample<Name> => ({ at, load: null, cpu })

describe('figures with samples', () => {
  it('are as long as the span, with gaps before the first', () => {
    const { at, cpu } = withSamples(NAMES, figures([100, 110], [1, 2]), [], 50)
    assert.deepEqual(at, [70, 80, 90, 100, 110])
    assert.deepEqual(cpu, [null, null, null, 1, 2])
  })

  it('move on with each new one, replace known ones, and show what is missing as a gap', () => {
    const { at, cpu, load } = withSamples(
      NAMES,
      figures([90, 100, 110], [0, 1, 2]),
      [sample(110, 7), sample(140, 9), sample(10, 5)],
      50,
    )
    assert.deepEqual(at, [100, 110, 120, 130, 140])
    assert.deepEqual(cpu, [1, 7, null, null, 9])
    assert.deepEqual(load, [null, null, null, null, null])
  })

  it('begin with a sample where nothing was kept, and are empty without one', () => {
    assert.deepEqual(withSamples(NAMES, figures([], []), [sample(40, 3)], 20).at, [30, 40])
    assert.deepEqual(withSamples(NAMES, figures([], []), [], 20).at, [])
  })

  it('stay as long as they are after a pause of any length', () => {
    const { at, cpu } = withSamples(NAMES, figures([0, 10], [1, 2]), [sample(1_000_000, 3)], 30)
    assert.deepEqual(at, [999_980, 999_990, 1_000_000])
    assert.deepEqual(cpu, [null, null, 3])
  })
})
