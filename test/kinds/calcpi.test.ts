// The kind calcpi and its two methods, against an independent formula.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { MadhavaError } from '../../src/core/errors.ts'
import { loadKind, parseParams } from '../../src/core/kind.ts'
import calcpi from '../../src/kinds/calcpi.ts'
import { type Computation, drive, type Step } from '../../src/kinds/lib/computation.ts'
import { hypergeometricPi, SERIES } from '../../src/kinds/lib/hypergeometric-pi.ts'
import { leibnizPartialSums } from '../../src/kinds/lib/leibniz-partial-sums.ts'
import { contextWith } from '../support/task-context.ts'
import { add, equal, type Fraction, leibnizWithEulerTail, machinPi, times } from './leibniz-series.ts'

const PI = machinPi(10_000)
const truncated = (digits: number): string => (digits === 0 ? '3' : PI.slice(0, digits + 2))

const finish = (computation: Computation, look: (step: Step) => void = () => {}): string => {
  for (;;) {
    const step = computation.next()
    if (step.done) return step.value
    look(step.value)
  }
}

const kind = loadKind('calcpi', calcpi, 'calcpi.ts')

describe('the method wijngaarden', () => {
  it('gives the truncated digits of pi for every number of digits from 0 to 500', () => {
    for (let digits = 0; digits <= 500; digits++)
      assert.equal(finish(hypergeometricPi(digits)), truncated(digits), `${digits} digits`)
  })

  it('gives the truncated digits of pi at larger sizes, the nines after 762 digits included', () => {
    assert.equal(PI.slice(762, 770), '49999998')
    for (const digits of [760, 761, 762, 763, 765, 767, 768, 769, 1000, 1001, 2500, 5000, 9999, 10_000])
      assert.equal(finish(hypergeometricPi(digits)), truncated(digits), `${digits} digits`)
  })

  it('has a first sum of N terms that is exactly that of van Wijngaarden, N = 1 to 14', () => {
    let sum: Fraction = [0n, 1n]
    let u: Fraction = [BigInt(SERIES.first.numerator), BigInt(SERIES.first.denominator)]
    for (let n = 1; n <= 14; n++) {
      const k = n - 1
      if (k > 0) u = times(u, [-BigInt(SERIES.numerator(k)), BigInt(SERIES.denominator(k))])
      sum = add(sum, times(u, [BigInt(SERIES.weight(k)), 1n]))
      assert.ok(equal(sum, leibnizWithEulerTail(n)), `${n} terms`)
    }
  })

  it('comes to the same digits with too few guard bits, by going on with more', () => {
    let repeated = 0
    for (let digits = 0; digits <= 300; digits++) {
      let fraction = 0
      const text = finish(hypergeometricPi(digits, 1), step => {
        if (step.fraction < fraction) repeated++
        fraction = step.fraction
      })
      assert.equal(text, truncated(digits), `${digits} digits`)
    }
    assert.ok(repeated > 0, 'no run was ever repeated, so the check of the last digit was never put to use')
  })

  it('never shows a partial result that is not the beginning of pi, nor one over 1,000 digits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3000 }), digits => {
        let longest = 0
        finish(hypergeometricPi(digits), step => {
          const partial = step.partial()
          assert.ok(PI.startsWith(partial), partial)
          assert.ok(partial.length <= Math.min(1000, digits) + 2, `${partial.length} characters of ${digits}`)
          longest = Math.max(longest, partial.length)
        })
        assert.ok(longest >= Math.min(900, digits * 0.8), `only ${longest} of ${digits} were ever shown`)
      }),
      { numRuns: 12 },
    )
  })

  it('reports a share of the work between 0 and 1 that only grows', () => {
    let before = 0
    finish(hypergeometricPi(2000), ({ fraction }) => {
      assert.ok(fraction >= before && fraction <= 1, `${fraction} after ${before}`)
      before = fraction
    })
    assert.ok(before > 0.9, `the last was ${before}`)
  })
})

describe('the method plain', () => {
  it('gives the truncated digits of pi for 0 to 9 digits, the same as the other method', () => {
    for (let digits = 0; digits <= 9; digits++) {
      const text = finish(leibnizPartialSums(digits))
      assert.equal(text, truncated(digits))
      assert.equal(text, finish(hypergeometricPi(digits)))
    }
  })

  it('shows partial sums that are as far from pi as the bound says', () => {
    const sums: number[] = []
    finish(leibnizPartialSums(5), step => sums.push(Number(step.partial())))
    assert.ok(sums.length > 100, `${sums.length} partial sums`)
    assert.ok(
      sums.every((sum, index) => Math.abs(sum - Math.PI) <= 4 / (2 * (index + 1) + 1)),
      'one is farther off',
    )
    assert.ok(Math.abs((sums.at(-1) ?? 0) - Math.PI) > 1e-6, 'a partial sum and not pi itself')
  })
})

describe('the kind calcpi', () => {
  it('fills in the defaults, and refuses what a method cannot compute, naming the field', () => {
    assert.deepEqual(parseParams(kind, { digits: 5 }), { digits: 5, method: 'wijngaarden', pace: 0 })
    for (const params of [
      {},
      { digits: -1 },
      { digits: 1.5 },
      { digits: 10_001 },
      { digits: '5' },
      { digits: 10, method: 'plain' },
      { digits: 5, method: 'chudnovsky' },
      { digits: 5, pace: 3601 },
      { digits: 5, pace: -1 },
      { digits: 5, more: true },
    ])
      assert.throws(() => parseParams(kind, params), { code: 'PARAMS_INVALID' }, JSON.stringify(params))
    assert.throws(
      () => parseParams(kind, { digits: 99_999_999 }),
      (error: MadhavaError) => (error.detail as { problems: unknown[] }).problems.length === 1,
      'one problem is told once',
    )
    assert.throws(() => parseParams(kind, { digits: 10, method: 'plain' }), /digits: must be at most 9/)
  })

  it('computes 10,000 digits in a moment', { timeout: 60_000 }, async () => {
    const text = await kind.run({ digits: 10_000, method: 'wijngaarden', pace: 0 }, contextWith({}))
    assert.equal(text, PI)
    assert.equal(kind.result.parse(text), text)
  })

  it('stretches a short computation over about its pace, with progress to watch', {
    timeout: 60_000,
  }, async () => {
    for (const method of ['wijngaarden', 'plain']) {
      const percents: number[] = []
      const partials: unknown[] = []
      const begun = performance.now()
      const text = await kind.run(
        { digits: 9, method, pace: 0.6 },
        contextWith({
          progress(percent, _note, partial) {
            percents.push(percent)
            partials.push(partial)
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
      assert.deepEqual([...new Set(partials.map(partial => typeof partial))], ['string'])
    }
  })

  it('ends soon after its signal, while it waits for its pace', { timeout: 60_000 }, async () => {
    const controller = new AbortController()
    const running = kind.run(
      { digits: 5, method: 'wijngaarden', pace: 3600 },
      contextWith({ signal: controller.signal, progress: () => controller.abort(new Error('enough')) }),
    )
    await assert.rejects(Promise.resolve(running), /enough/)
  })

  it('ends soon after its signal in the middle of computing', { timeout: 60_000 }, async () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(new Error('enough')), 30)
    const endless = (function* (): Computation {
      for (;;) yield { fraction: 0.5, partial: () => '3' }
    })()
    const options = { signal: controller.signal, paceMs: 0, progress() {} }
    await assert.rejects(drive(endless, options), /enough/)
  })
})
