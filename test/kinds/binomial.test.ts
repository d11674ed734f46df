// The kind binomial: the ways agree, and the identities of Pascal's triangle hold.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { MadhavaError } from '../../src/core/errors.ts'
import { DEFAULT_KIND_SETTINGS, loadKind } from '../../src/core/kind.ts'
import { parseParams } from '../../src/core/kind-params.ts'
import kindOfBinomial from '../../src/kinds/binomial.ts'
import { binomial, byDivision, byPrimes, byStripping } from '../../src/kinds/lib/binomial/binomial.ts'
import { primesUpTo } from '../../src/kinds/lib/binomial/primes.ts'
import { productOf } from '../../src/kinds/lib/binomial/product.ts'
import { digitsOfBinomial, log2Binomial } from '../../src/kinds/lib/binomial/size.ts'
import { contextWith } from '../support/task-context.ts'

const kind = loadKind('binomial', kindOfBinomial, 'binomial.ts')
/** The rows of Pascal's triangle by nothing but additions. */
function* pascal(rows: number): Generator<bigint[]> {
  let row = [1n]
  for (let n = 0; n < rows; n++) {
    yield row
    row = [1n, ...row.slice(1).map((value, i) => value + (row[i] ?? 0n)), 1n]
  }
}

const pair = (most: number) =>
  fc.integer({ min: 0, max: most }).chain(n => fc.tuple(fc.constant(n), fc.integer({ min: 0, max: n })))

describe('binomial coefficients', () => {
  it('are Pascal’s triangle, all ways, in the rows 0 to 130', () => {
    for (const [n, row] of [...pascal(131)].entries())
      for (const [k, value] of row.entries()) {
        assert.equal(binomial(n, k), value, `C(${n}, ${k})`)
        for (const way of [byDivision, byPrimes, byStripping])
          assert.equal(way(n, k), value, `${way.name}(${n}, ${k})`)
      }
  })

  it('agree, whichever method is used', () => {
    fc.assert(
      fc.property(pair(5000), ([n, k]) => {
        const value = binomial(n, k)
        for (const way of [byDivision, byPrimes, byStripping]) assert.equal(way(n, k), value, way.name)
      }),
      { numRuns: 60 },
    )
    fc.assert(
      fc.property(
        fc.integer({ min: 5000, max: Number.MAX_SAFE_INTEGER }),
        fc.integer({ min: 0, max: 300 }),
        (n, k) => assert.equal(byStripping(n, k), byDivision(n, k)),
      ),
      { numRuns: 60 },
    )
  })

  it('are the same from both ends', () => {
    fc.assert(
      fc.property(pair(20_000), ([n, k]) => assert.equal(binomial(n, k), binomial(n, n - k))),
      { numRuns: 40 },
    )
    const n = Number.MAX_SAFE_INTEGER
    for (const k of [0, 1, 2, 60, 500]) assert.equal(binomial(n, k), binomial(n, n - k))
  })

  it('add up as in Pascal’s triangle, also far out', () => {
    const check = (n: number, k: number): void =>
      assert.equal(binomial(n + 1, k + 1), binomial(n, k) + binomial(n, k + 1), `C(${n + 1}, ${k + 1})`)
    fc.assert(
      fc.property(pair(20_000), ([n, k]) => check(n, k)),
      { numRuns: 40 },
    )
    fc.assert(
      fc.property(
        fc.integer({ min: 10_000, max: Number.MAX_SAFE_INTEGER - 1 }),
        fc.integer({ min: 0, max: 400 }),
        check,
      ),
      { numRuns: 40 },
    )
  })

  it('add up to 2^n, and to 0 with signs in turns; their squares to the middle one of 2n', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), n => {
        const row = Array.from({ length: n + 1 }, (_, k) => binomial(n, k))
        assert.equal(
          row.reduce((sum, value) => sum + value, 0n),
          2n ** BigInt(n),
        )
        assert.equal(
          row.reduce((sum, value, k) => (k % 2 === 0 ? sum + value : sum - value), 0n),
          0n,
        )
        assert.equal(
          row.reduce((sum, value) => sum + value * value, 0n),
          binomial(2 * n, n),
        )
      }),
      { numRuns: 20 },
    )
  })

  it('are 0 for more than there are, and 1 at the ends', () => {
    assert.deepEqual([binomial(0, 0), binomial(7, 0), binomial(7, 7), binomial(7, 8)], [1n, 1n, 1n, 0n])
    assert.equal(binomial(Number.MAX_SAFE_INTEGER, 1), BigInt(Number.MAX_SAFE_INTEGER))
  })

  it('have the size that is foretold', () => {
    const log2 = (value: bigint): number => {
      const text = value.toString(16)
      return (text.length - 13) * 4 + Math.log2(Number.parseInt(text.slice(0, 13).padEnd(13, '0'), 16))
    }
    const check = (n: number, k: number): void => {
      const value = binomial(n, k)
      assert.ok(Math.abs(log2Binomial(n, k) - log2(value)) < 0.001, `C(${n}, ${k})`)
      assert.ok(Math.abs(digitsOfBinomial(n, k) - value.toString().length) <= 1)
    }
    fc.assert(
      fc.property(pair(30_000), ([n, k]) => check(n, k)),
      { numRuns: 60 },
    )
    fc.assert(
      fc.property(
        fc.integer({ min: 100_000, max: Number.MAX_SAFE_INTEGER }),
        fc.integer({ min: 0, max: 3000 }),
        check,
      ),
      { numRuns: 30 },
    )
  })

  it('multiplies and sieves as it should', () => {
    const isPrime = (n: number): boolean => {
      for (let d = 2; d * d <= n; d++) if (n % d === 0) return false
      return n > 1
    }
    for (const most of [0, 1, 2, 3, 4, 8, 9, 25, 1000, 1009])
      assert.deepEqual(
        [...primesUpTo(most)],
        Array.from({ length: most + 1 }, (_, n) => n).filter(isPrime),
        `${most}`,
      )
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), { maxLength: 100 }), list =>
        assert.equal(
          productOf(list),
          list.reduce((product, value) => product * BigInt(value), 1n),
        ),
      ),
    )
  })
})

describe('the kind binomial', () => {
  it('gives the number in decimal digits', async () => {
    assert.equal(await kind.run({ n: 49, k: 6 }, contextWith({})), '13983816')
    assert.equal(await kind.run({ n: 6, k: 49 }, contextWith({})), '0')
    assert.deepEqual(kind.result.parse('13983816'), '13983816')
  })

  it('refuses what would be too large, and says how large', async () => {
    assert.deepEqual(await parseParams(kind, { n: 9007199254740991, k: 3 }), { n: 9007199254740991, k: 3 })
    assert.deepEqual(await parseParams(kind, { n: 30_000_000, k: 15_000_000 }), {
      n: 30_000_000,
      k: 15_000_000,
    })
    for (const [params, words] of [
      [
        { n: 40_000_000, k: 20_000_000 },
        /k: C\(40000000, 20000000\) would have about 12041196 digits, and a result may have 10000000/,
      ],
      [{ n: 9007199254740991, k: 4503599627370495 }, /would have about 27114\d{11} digits/],
      [{ n: -1, k: 0 }, /n: /],
      [{ n: 5, k: 1.5 }, /k: /],
      [{ n: 2 ** 53, k: 1 }, /n: /],
      [{ n: 5 }, /k: /],
    ] as const)
      await assert.rejects(
        () => parseParams(kind, params),
        (error: MadhavaError) => error.code === 'PARAMS_INVALID' && words.test(error.message),
        JSON.stringify(params),
      )
    const small = loadKind('binomial', kindOfBinomial, 'binomial.ts', {
      ...DEFAULT_KIND_SETTINGS,
      maxDigits: 10,
    })
    await assert.rejects(() => parseParams(small, { n: 100, k: 50 }), /about 30 digits/)
  })

  it('computes a large one in a thread of its own, and leaves it at a cancel at once', {
    timeout: 300_000,
  }, async () => {
    const text = await kind.run({ n: 400_000, k: 200_000 }, contextWith({}))
    assert.equal(text, binomial(400_000, 200_000).toString())
    const controller = new AbortController()
    let turns = 0
    setTimeout(() => {
      controller.abort(new Error('enough'))
      const count = (): void => {
        turns += 1
        setImmediate(count).unref()
      }
      count()
    }, 50)
    const running = kind.run({ n: 30_000_000, k: 15_000_000 }, contextWith({ signal: controller.signal }))
    await assert.rejects(Promise.resolve(running), /enough/)
    assert.ok(turns <= 2, `it took ${turns} turns of the event loop`)
    await assert.rejects(
      Promise.resolve(kind.run({ n: 400_000, k: 200_000 }, contextWith({ signal: controller.signal }))),
      /enough/,
    )
  })
})
