// The kind sleep: time, progress, signal, checkpoint.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { loadKind } from '../../src/core/kind.ts'
import { parseParams } from '../../src/core/kind-params.ts'
import sleep from '../../src/kinds/sleep.ts'
import { contextWith } from '../support/task-context.ts'

const kind = loadKind('sleep', sleep, 'sleep.ts')

describe('the kind sleep', () => {
  it('sleeps as long as it is told, and reports each step', { timeout: 300_000 }, async () => {
    const percents: number[] = []
    const begun = performance.now()
    const result = await kind.run(
      { seconds: 0.2, steps: 4 },
      contextWith({ progress: percent => percents.push(percent) }),
    )
    assert.ok(performance.now() - begun >= 195, 'it woke up early')
    assert.deepEqual(percents, [0, 25, 50, 75])
    assert.deepEqual(kind.result.parse(result), { sleptSeconds: 0.2, resumedAtSeconds: 0 })
  })

  it('sleeps only the rest when it is resumed', { timeout: 300_000 }, async () => {
    const percents: number[] = []
    const result = await kind.run(
      { seconds: 3600, steps: 10 },
      contextWith({ resume: { sleptMs: 3_599_950 }, progress: percent => percents.push(percent) }),
    )
    assert.deepEqual(percents, [90])
    assert.deepEqual(result, { sleptSeconds: 3600, resumedAtSeconds: 3599.95 })
  })

  it('starts over when the checkpoint is not its own', { timeout: 300_000 }, async () => {
    for (const resume of [null, 'x', { sleptMs: -5 }, { sleptMs: 'long' }, []])
      assert.deepEqual(await kind.run({ seconds: 0.01, steps: 1 }, contextWith({ resume })), {
        sleptSeconds: 0.01,
        resumedAtSeconds: 0,
      })
  })

  it('checkpoints how long it has slept, so that the rest is right', { timeout: 300_000 }, async () => {
    const kept: number[] = []
    const controller = new AbortController()
    const begun = performance.now()
    let reported = 0
    let checkpointed = 0
    // a step is 2 ms, and there are so many that even a machine that stands still for seconds takes a second one
    const running = kind.run(
      { seconds: 20, steps: 10_000 },
      contextWith({
        signal: controller.signal,
        progress: () => {
          reported ||= performance.now()
        },
        checkpoint: data => {
          checkpointed ||= performance.now()
          kept.push((data as { sleptMs: number }).sleptMs)
          if (kept.length === 2) controller.abort()
        },
      }),
    )
    await assert.rejects(Promise.resolve(running), { name: 'AbortError' })
    const [first = 0, second = 0] = kept
    assert.equal(kept.length, 2)
    assert.ok(first > 0 && second >= checkpointed - reported, `too little: ${kept.join(', ')}`)
    assert.ok(second <= performance.now() - begun, `more than has passed: ${kept.join(', ')}`)
  })

  it('ends at its signal', { timeout: 300_000 }, async () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 20)
    const running = kind.run({ seconds: 86_400, steps: 1 }, contextWith({ signal: controller.signal }))
    await assert.rejects(Promise.resolve(running), { name: 'AbortError' })
  })

  it('takes no time at all for 0 seconds, and refuses more than a day', async () => {
    assert.deepEqual(await kind.run({ seconds: 0, steps: 3 }, contextWith({})), {
      sleptSeconds: 0,
      resumedAtSeconds: 0,
    })
    await assert.rejects(() => parseParams(kind, { seconds: 86_401 }), { code: 'PARAMS_INVALID' })
    assert.deepEqual(await parseParams(kind, { seconds: 1 }), { seconds: 1, steps: 10 })
  })
})
