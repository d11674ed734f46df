// The kind calcpi: its params, and what it makes of the engine.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { MadhavaError } from '../../src/core/errors.ts'
import { DEFAULT_KIND_SETTINGS, loadKind } from '../../src/core/kind.ts'
import { parseParams } from '../../src/core/kind-params.ts'
import type { Json } from '../../src/core/task.ts'
import calcpi from '../../src/kinds/calcpi.ts'
import { contextWith } from '../support/task-context.ts'
import { machinPi } from './pi/yardstick.ts'

const PI = machinPi(10_000)
const truncated = (digits: number): string => (digits === 0 ? '3' : PI.slice(0, digits + 2))

const kind = loadKind('calcpi', calcpi, 'calcpi.ts')

describe('the kind calcpi', () => {
  it('fills in the defaults, and refuses what a method cannot compute, naming the field', async () => {
    assert.deepEqual(await parseParams(kind, { digits: 5 }), { digits: 5, method: 'wijngaarden', pace: 0 })
    assert.deepEqual(await parseParams(kind, { digits: 10_000_000, method: 'euler' }), {
      digits: 10_000_000,
      method: 'euler',
      pace: 0,
    })
    for (const params of [
      {},
      { digits: -1 },
      { digits: 1.5 },
      { digits: 10_000_001 },
      { digits: '5' },
      { digits: 10, method: 'plain' },
      { digits: 100_001, method: 'cvz' },
      { digits: 5, method: 'chudnovsky' },
      { digits: 5, method: 'toString' },
      { digits: 5, pace: 3601 },
      { digits: 5, pace: -1 },
      { digits: 5, more: true },
    ])
      await assert.rejects(
        () => parseParams(kind, params),
        { code: 'PARAMS_INVALID' },
        JSON.stringify(params),
      )
    await assert.rejects(
      () => parseParams(kind, { digits: 99_999_999, method: 'madhava' }),
      (error: MadhavaError) => (error.detail as { problems: unknown[] }).problems.length === 1,
      'one problem is named once',
    )
    await assert.rejects(
      () => parseParams(kind, { digits: 10, method: 'plain' }),
      /digits: must be at most 9/,
    )
  })

  it('goes as far as the settings let it', async () => {
    const small = loadKind('calcpi', calcpi, 'calcpi.ts', { ...DEFAULT_KIND_SETTINGS, maxDigits: 500 })
    assert.deepEqual(await parseParams(small, { digits: 500 }), {
      digits: 500,
      method: 'wijngaarden',
      pace: 0,
    })
    for (const method of ['wijngaarden', 'madhava'])
      await assert.rejects(() => parseParams(small, { digits: 501, method }), /digits: Too big/)
  })

  it('gives digits that its schema takes, and says how it came by them', { timeout: 300_000 }, async () => {
    for (const method of ['wijngaarden', 'madhava', 'euler', 'cvz', 'plain'])
      for (const digits of method === 'plain' ? [0, 9] : [0, 9, 5000]) {
        const infos: Json[] = []
        const text = await kind.run(
          { digits, method, pace: 0 },
          contextWith({ resultInfo: info => infos.push(info) }),
        )
        assert.equal(text, truncated(digits))
        assert.equal(kind.result.parse(text), text)
        const [info] = infos as Record<string, unknown>[]
        assert.deepEqual(Object.keys(info ?? {}).sort(), [
          'errorBits',
          'guardBits',
          'method',
          'reruns',
          'terms',
        ])
        assert.equal(info?.method, method)
      }
  })

  it('has a schema that takes ten million digits', { timeout: 300_000 }, () => {
    const text = `3.${'1'.repeat(10_000_000)}`
    assert.equal(kind.result.parse(text), text)
    assert.equal(kind.result.safeParse(`${text}x`).success, false)
  })

  it('stretches a short computation over about its pace, with progress to watch', {
    timeout: 300_000,
  }, async () => {
    for (const method of ['wijngaarden', 'plain', 'madhava', 'euler', 'cvz']) {
      const percents: number[] = []
      const partials: unknown[] = []
      const begun = performance.now()
      const text = await kind.run(
        { digits: 9, method, pace: 0.6 },
        contextWith({
          progress(percent, _note, partial) {
            percents.push(percent)
            if (partial !== undefined) partials.push(partial)
          },
        }),
      )
      const took = performance.now() - begun
      assert.equal(text, truncated(9))
      assert.ok(took > 400, `${method} took only ${took} ms`)
      assert.ok(percents.length >= 5, `${method} reported ${percents.length} times`)
      assert.deepEqual(
        percents,
        [...percents].sort((a, b) => a - b),
      )
      const shows = method !== 'madhava' && method !== 'cvz'
      assert.deepEqual([...new Set(partials.map(partial => typeof partial))], shows ? ['string'] : [])
    }
  })

  it('ends soon after its signal, while it waits for its pace', { timeout: 300_000 }, async () => {
    for (const method of ['wijngaarden', 'plain', 'madhava', 'euler', 'cvz']) {
      const controller = new AbortController()
      const running = kind.run(
        { digits: 5, method, pace: 3600 },
        contextWith({ signal: controller.signal, progress: () => controller.abort(new Error('enough')) }),
      )
      await assert.rejects(Promise.resolve(running), /enough/, method)
    }
  })
})
