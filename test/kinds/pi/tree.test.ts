// The tree of jobs: progress, partial digits, cancel, checkpoints, further threads.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { METHODS } from '../../../src/kinds/lib/pi/methods.ts'
import { type TreeOptions, treePi } from '../../../src/kinds/lib/pi/tree.ts'
import { surround } from './around.ts'
import { chudnovskyPi } from './yardstick.ts'

const LONG = process.env.PI_LONG === '1'
const MOST = 60_000
const PI = chudnovskyPi(MOST)
const LIMIT = { timeout: 300_000 }
const wijngaarden = (digits: number, more: Partial<TreeOptions> = {}): TreeOptions => ({
  series: 'wijngaarden',
  digits,
  ...more,
})

/** What an attempt keeps after each of its pieces, when time is no object. */
const withEveryCheckpoint = async (work: () => Promise<unknown>): Promise<void> => {
  const now = performance.now
  let hours = 0
  performance.now = () => {
    hours += 3_600_000
    return hours
  }
  try {
    await work()
  } finally {
    performance.now = now
  }
}
const checkpointsOf = async (options: TreeOptions): Promise<unknown[]> => {
  const around = surround()
  await withEveryCheckpoint(() => treePi(options, around))
  return around.kept
}

describe('the tree of pi', () => {
  it('reports a share of the work that only rises, to 1', LIMIT, async () => {
    for (const digits of [301, 5000, MOST]) {
      const around = surround()
      await treePi(wijngaarden(digits), around)
      const { shares } = around
      assert.deepEqual(
        shares,
        [...shares].sort((a, b) => a - b),
      )
      assert.ok((shares[0] ?? 0) > 0 && Math.abs((shares.at(-1) ?? 0) - 1) < 1e-9, `${shares.at(-1)}`)
    }
  })

  it('shows digits on the way that are the beginning of pi, from early on', LIMIT, async () => {
    for (const series of ['wijngaarden', 'euler'] as const) {
      const around = surround()
      let early = 1
      await treePi(
        { series, digits: MOST },
        {
          ...around,
          report(share, certain) {
            around.report(share, certain)
            if (certain && certain.length >= 1000) early = Math.min(early, share)
          },
        },
      )
      assert.ok(around.certain.length >= 1)
      for (const digits of around.certain) assert.ok(PI.startsWith(digits), digits)
      assert.ok((around.certain.at(-1)?.length ?? 0) <= 1002)
      assert.ok(early < 0.15, `1,000 digits were there at ${early}`)
    }
  })

  it('goes on from a checkpoint at any point, and does not do again what was done', LIMIT, async () => {
    const options = wijngaarden(20_000)
    const kept = await checkpointsOf(options)
    assert.ok(kept.length > 10, `${kept.length} checkpoints`)
    const fresh = surround()
    await treePi(options, fresh)
    for (const [index, state] of kept.entries()) {
      const around = surround({ resume: state })
      const { text } = await treePi(options, around)
      assert.equal(text, PI.slice(0, 20_002))
      // where it goes on, and that it comes to the same end
      assert.ok((around.shares[0] ?? 0) > (fresh.shares[0] ?? 1), `${around.shares[0]}`)
      assert.ok(Math.abs((around.shares.at(-1) ?? 0) - 1) < 1e-9, `${around.shares.at(-1)}`)
      assert.ok(
        around.shares.length < fresh.shares.length,
        `checkpoint ${index}: ${around.shares.length} of ${fresh.shares.length} steps`,
      )
    }
    const last = surround({ resume: kept.at(-1) })
    await treePi(options, last)
    assert.ok(last.shares.length <= 3, 'the quotient was kept: nothing was left but to write digits')
  })

  it('is killed and resumed at random points, again and again, to the right digits', LIMIT, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('wijngaarden' as const, 'euler' as const),
        fc.integer({ min: 2000, max: 30_000 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 6 }),
        async (series, digits, deaths) => {
          let resume: unknown = null
          for (const steps of deaths) {
            const controller = new AbortController()
            let left = steps
            const around = surround({
              resume,
              signal: controller.signal,
              report: () => {
                left -= 1
                if (left === 0) controller.abort(new Error('killed'))
              },
            })
            await withEveryCheckpoint(() =>
              treePi({ series, digits }, around).then(
                () => {},
                error => assert.match(String(error), /killed/),
              ),
            )
            resume = around.kept.at(-1) ?? resume
          }
          const { text } = await treePi({ series, digits }, surround({ resume }))
          assert.equal(text, PI.slice(0, digits + 2))
        },
      ),
      { numRuns: LONG ? 100 : 15 },
    )
  })

  it('starts over from a checkpoint that is damaged or of another computation', LIMIT, async () => {
    const options = wijngaarden(5000)
    const [state] = (await checkpointsOf(options)) as [Record<string, unknown>]
    const nodes = state.nodes as Record<string, unknown>[]
    const [node] = nodes
    const fresh = surround()
    await treePi(options, fresh)
    const damaged: unknown[] = [
      'x',
      7,
      [],
      {},
      { ...state, format: 2 },
      { ...state, digits: 5001 },
      { ...state, series: 'euler' },
      { ...state, guardBits: 'many' },
      { ...state, nodes: 'none' },
      { ...state, nodes: [null] },
      { ...state, nodes: [{ ...node, q: 12 }] },
      { ...state, nodes: [{ ...node, q: 0n }] },
      { ...state, nodes: [{ ...node, q: (node?.q as bigint) >> 40n }] },
      { ...state, nodes: [{ ...node, p: (node?.p as bigint) << 40n }] },
      { ...state, nodes: [{ ...node, tCut: -1 }] },
      { ...state, nodes: [{ ...node, log2P: Number.NaN }] },
      { ...state, quotient: 'three' },
      { ...state, quotient: 0n },
      { ...state, quotient: 12_345n },
      { ...state, quotient: 3n << 16_738n },
    ]
    for (const resume of damaged) {
      const around = surround({ resume })
      const { text } = await treePi(options, around)
      assert.equal(text, PI.slice(0, 5002))
      assert.equal(around.shares.length, fresh.shares.length, 'all of it was done')
    }
  })

  it('ends with the reason of its signal, before, during and after', LIMIT, async () => {
    const early = AbortSignal.abort(new Error('enough'))
    await assert.rejects(treePi(wijngaarden(1000), surround({ signal: early })), /enough/)
    for (const at of [0.01, 0.3, 0.9]) {
      const controller = new AbortController()
      const around = surround({
        signal: controller.signal,
        report: share => {
          if (share >= at) controller.abort(new Error('enough'))
        },
      })
      await assert.rejects(treePi(wijngaarden(30_000), around), /enough/)
      assert.ok((around.shares.at(-1) ?? 1) < at + 0.25, `it went on to ${around.shares.at(-1)}`)
    }
  })

  it('does the same in helping threads, as many as it may use', LIMIT, async () => {
    for (const cores of [1, 2, 3]) {
      const around = surround({ cores: () => cores })
      const { text } = await treePi(wijngaarden(30_000, { inlineDigits: 0 }), around)
      assert.equal(text, PI.slice(0, 30_002))
    }
  })

  it('resumes in helping threads what was begun without, and the reverse', LIMIT, async () => {
    const [first, second] = [wijngaarden(12_000), wijngaarden(12_000, { inlineDigits: 0 })]
    for (const [begun, resumed] of [
      [first, second],
      [second, first],
    ] as const) {
      const kept = await checkpointsOf(begun)
      const state = kept[Math.floor(kept.length / 2)]
      const { text } = await treePi(resumed, surround({ resume: state, cores: () => 2 }))
      assert.equal(text, PI.slice(0, 12_002))
    }
  })

  it('answers a cancel at once while helping threads compute', LIMIT, async () => {
    const controller = new AbortController()
    let begun = false
    let turns = 0
    const around = surround({
      signal: controller.signal,
      cores: () => 2,
      report: share => {
        if (share < 0.05 || begun) return
        begun = true
        // between two reports, in the middle of jobs
        setTimeout(() => {
          controller.abort(new Error('enough'))
          const count = (): void => {
            turns += 1
            setImmediate(count).unref()
          }
          count()
        }, 5)
      },
    })
    await assert.rejects(treePi(wijngaarden(LONG ? 3_000_000 : 500_000), around), /enough/)
    assert.ok(begun && turns <= 2, `it took ${turns} turns of the event loop: it waited for something`)
  })

  it('stretches a short computation over its pace, with digits to watch', LIMIT, async () => {
    const around = surround({ paceMs: 600 })
    const begun = performance.now()
    const { text } = await METHODS.euler.compute(2000, around)
    assert.equal(text, PI.slice(0, 2002))
    assert.ok(performance.now() - begun > 500)
    assert.ok(around.shares.length > 50, `${around.shares.length} reports`)
    assert.ok(around.certain.length >= 3, `${around.certain.length} partial results`)
  })
})

describe('the step by step methods of pi', () => {
  it('go on from a checkpoint, and start over from a damaged one', LIMIT, async () => {
    for (const method of ['madhava', 'cvz'] as const) {
      const around = surround()
      await withEveryCheckpoint(() => METHODS[method].compute(3000, around))
      assert.ok(around.kept.length > 50, `${around.kept.length} checkpoints`)
      const fresh = surround()
      await METHODS[method].compute(3000, fresh)
      for (const place of [0, 17, 50, around.kept.length - 1]) {
        const resumed = surround({ resume: around.kept[place] })
        assert.equal((await METHODS[method].compute(3000, resumed)).text, PI.slice(0, 3002))
        assert.ok(resumed.shares.length < fresh.shares.length)
      }
      const state = around.kept[20] as Record<string, unknown>
      for (const resume of [
        { ...state, digits: 3001 },
        { ...state, method: 'other' },
        { ...state, next: 1e9 },
        { ...state, numbers: {} },
        { ...state, numbers: { sum: 1 } },
        null,
        'x',
      ]) {
        const anew = surround({ resume })
        assert.equal((await METHODS[method].compute(3000, anew)).text, PI.slice(0, 3002))
        assert.equal(anew.shares.length, fresh.shares.length)
      }
    }
  })

  it('end at their signal, and report a share that only rises', LIMIT, async () => {
    for (const method of ['madhava', 'cvz'] as const) {
      const controller = new AbortController()
      const around = surround({
        signal: controller.signal,
        report: share => {
          if (share > 0.2) controller.abort(new Error('enough'))
        },
      })
      await assert.rejects(METHODS[method].compute(20_000, around), /enough/)
      const { shares } = around
      assert.deepEqual(
        shares,
        [...shares].sort((a, b) => a - b),
      )
      assert.ok((shares.at(-1) ?? 1) < 0.6, `it went on to ${shares.at(-1)}`)
    }
  })
})
