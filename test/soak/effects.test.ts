// The judge of the soak would notice what it is there for.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { judge } from './effects.ts'
import { breaches, type SoakReport, toMarkdown } from './report.ts'

const lines = (...deeds: string[]): string => deeds.map(deed => `${deed} 1795000000000 42\n`).join('')

const kept: SoakReport = {
  date: '2026-01-31',
  command: 'npm run soak',
  versions: 'Node',
  minutes: 1,
  seed: 1,
  submitted: 2,
  unanswered: 0,
  byStatus: { SUCCESS: 2 },
  longestWaits: { urgent: 5, others: 50 },
  lost: [],
  stuck: [],
  failed: [],
  manyEnds: [],
  wrongAnswers: [],
  effects: { once: 2, none: [], twice: [], overlapping: [], runs: 2, repeated: 0 },
  harms: { 'worker: kill -9': 1 },
  recoveries: [{ harm: 'worker: kill -9', ms: 1_234 }],
  unrecovered: [],
  errors: {},
}

describe('the judge of the soak', () => {
  it('counts a task that ran once, and one that ran again after it was killed, as one effect each', () => {
    const { once, twice, overlapping, runs, repeated } = judge(
      lines('a r1 1 start', 'b r2 1 start', 'a r1 1 alive', 'a r1 1 end', 'b r3 2 start', 'b r3 2 end'),
    )
    assert.deepEqual([[...once], twice, overlapping, runs, repeated], [['a', 'b'], [], [], 3, 0])
  })

  it('notices a second effect, and counts one that was left out', () => {
    assert.deepEqual(judge(lines('a r1 1 start', 'a r1 1 end', 'a r2 2 start', 'a r2 2 end')).twice, ['a'])
    const minded = judge(lines('a r1 1 start', 'a r1 1 end', 'a r2 2 start', 'a r2 2 already'))
    assert.deepEqual([minded.twice, minded.repeated], [[], 1])
  })

  it('notices a run that goes on while a later one has begun', () => {
    assert.deepEqual(judge(lines('a r1 1 start', 'a r2 2 start', 'a r1 1 alive')).overlapping, ['a'])
    assert.deepEqual(judge(lines('a r1 1 start', 'a r2 2 start', 'b r1 1 start')).overlapping, [])
  })

  it('says what was broken, each by its name, and nothing when all was kept', () => {
    assert.deepEqual(breaches(kept), [])
    assert.match(toMarkdown(kept), /\| recovery, longest \| 1\.2 s \(worker: kill -9\) \|/)
    for (const field of ['lost', 'stuck', 'failed', 'manyEnds', 'wrongAnswers', 'unrecovered'] as const)
      assert.equal(breaches({ ...kept, [field]: ['it'] }).length, 1, field)
    for (const field of ['none', 'twice', 'overlapping'] as const)
      assert.equal(breaches({ ...kept, effects: { ...kept.effects, [field]: ['it'] } }).length, 1, field)
  })
})
