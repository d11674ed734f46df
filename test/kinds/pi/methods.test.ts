// Every method against pi by other series, computed here. PI_LONG=1 runs all sizes.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { METHODS, type MethodName } from '../../../src/kinds/lib/pi/methods.ts'
import { SHORT_DIGITS, shortPi } from '../../../src/kinds/lib/pi/short.ts'
import { treePi } from '../../../src/kinds/lib/pi/tree.ts'
import { surround } from './around.ts'
import { chudnovskyPi, integerRoot, machinPi } from './yardstick.ts'

const LONG = process.env.PI_LONG === '1'
const PI = machinPi(10_000)
const truncated = (digits: number): string => (digits === 0 ? '3' : PI.slice(0, digits + 2))
const compute = async (method: MethodName, digits: number): Promise<string> =>
  (await METHODS[method].compute(digits, surround())).text
const CERTIFYING = ['wijngaarden', 'madhava', 'euler', 'cvz'] as const

describe('the methods of pi', () => {
  it('agree with each other’s yardsticks: Machin, Chudnovsky, and a root that squares back', () => {
    for (const value of [0n, 1n, 3n, 10_005n, 2n ** 52n - 1n, 2n ** 53n, 10n ** 400n - 1n, 10n ** 400n]) {
      const root = integerRoot(value)
      assert.ok(root * root <= value && (root + 1n) * (root + 1n) > value, `${value}`)
    }
    for (const digits of [0, 1, 2, 50, 1000, 10_000]) assert.equal(chudnovskyPi(digits), truncated(digits))
  })

  it('wijngaarden gives every number of digits from 0 to 2,000, whichever method is used', async () => {
    for (let digits = 0; digits <= 2000; digits++) {
      assert.equal(await compute('wijngaarden', digits), truncated(digits), `${digits} digits`)
      if (digits > SHORT_DIGITS) continue
      const split = await treePi({ series: 'wijngaarden', digits }, surround())
      assert.equal(split.text, truncated(digits), `${digits} digits by splitting`)
    }
  })

  it('madhava, euler and cvz give every number of digits from 0 to 400, and on to 2,000 here and there', async () => {
    for (const method of ['madhava', 'euler', 'cvz'] as const)
      for (let digits = 0; digits <= 2000; digits += LONG || digits < 400 ? 1 : 97)
        assert.equal(await compute(method, digits), truncated(digits), `${method}, ${digits} digits`)
  })

  it('plain gives 0 to 9 digits, and says how far off it is at most', async () => {
    for (let digits = 0; digits <= 9; digits++) {
      const { text, proof } = await METHODS.plain.compute(digits, surround())
      assert.equal(text, truncated(digits))
      assert.ok(proof.errorBits > digits * 3 && proof.errorBits < 50, `${proof.errorBits} bits`)
    }
  })

  it('plain shows partial sums that are as far from pi as the bound says', async () => {
    const around = surround()
    await METHODS.plain.compute(5, around)
    const sums = around.certain.map(Number)
    assert.ok(sums.length > 100, `${sums.length} partial sums`)
    assert.ok(
      sums.every((sum, index) => Math.abs(sum - Math.PI) <= 4 / (2 * (index + 1) + 1)),
      'one is farther off',
    )
    assert.ok(Math.abs((sums.at(-1) ?? 0) - Math.PI) > 1e-6, 'a partial sum and not pi itself')
  })

  it('come through the runs of nines and zeros', async () => {
    assert.equal(PI.slice(762, 770), '49999998')
    for (const digits of [760, 761, 762, 763, 764, 765, 766, 767, 768, 769, 770, 1000, 1001])
      for (const method of CERTIFYING) assert.equal(await compute(method, digits), truncated(digits))
    // the first 000, 0000 and 00000 after the point end behind these places
    for (const run of ['000', '0000', '00000', '9999', '99999']) {
      const at = PI.indexOf(run, 2)
      if (at < 0) continue
      for (let digits = at - 3; digits < at + run.length + 2; digits++)
        assert.equal(await compute('wijngaarden', digits), truncated(digits))
    }
  })

  it('give for n digits the beginning of what they give for more', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...CERTIFYING),
        fc.integer({ min: 0, max: 6000 }),
        async (method, digits) => assert.equal(await compute(method, digits), truncated(digits)),
      ),
      { numRuns: LONG ? 200 : 30 },
    )
  })

  it('agree at 10,000 digits', async () => {
    for (const method of CERTIFYING) assert.equal(await compute(method, 10_000), PI)
  })

  it('say how each result was come by', async () => {
    for (const method of CERTIFYING)
      for (const digits of [0, 20, 2000]) {
        const { proof } = await METHODS[method].compute(digits, surround())
        assert.equal(proof.method, method)
        assert.equal(proof.reruns, 0)
        assert.ok(proof.guardBits >= 16)
        assert.ok(proof.errorBits > digits * Math.log2(10), `${proof.errorBits} bits for ${digits} digits`)
        const perDigit = { wijngaarden: 0.7, madhava: 1.47, euler: 3.33, cvz: 1.31 }[method]
        assert.ok(proof.terms < digits * perDigit + 150, `${method}: ${proof.terms} terms`)
      }
  })

  it('come to the same digits with too few guard bits, by starting over with more', async () => {
    let reruns = 0
    for (let digits = 0; digits <= 400; digits++) {
      const short = await shortPi(digits, surround(), 1)
      const split = await treePi({ series: 'euler', digits, guardBits: 92 }, surround())
      assert.deepEqual([short.text, split.text], [truncated(digits), truncated(digits)], `${digits} digits`)
      reruns += short.proof.reruns + split.proof.reruns
    }
    assert.ok(reruns > 20, `${reruns} reruns: the check was hardly put to use`)
  })

  it(`give the digits of Chudnovsky’s series at ${LONG ? '1,000,000' : '100,000'} places`, {
    timeout: 600_000,
  }, async () => {
    const most = LONG ? 1_000_000 : 100_000
    const yardstick = chudnovskyPi(most)
    for (const digits of [100_000, 299_999, 524_288, 1_000_000].filter(size => size <= most))
      assert.equal(await compute('wijngaarden', digits), yardstick.slice(0, digits + 2))
    assert.equal(
      await compute('euler', LONG ? 300_000 : 30_000),
      yardstick.slice(0, (LONG ? 300_000 : 30_000) + 2),
    )
    if (LONG)
      for (const method of ['madhava', 'cvz'] as const)
        assert.equal(await compute(method, 50_000), yardstick.slice(0, 50_002))
  })
})
