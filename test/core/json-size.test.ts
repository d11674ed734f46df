// How many values JSON holds, and what is none, before a schema looks at it.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isMadhavaError, MadhavaError } from '../../src/core/errors.ts'
import { scanJson } from '../../src/core/json-scan.ts'
import { JSON_VALUES_LIMIT, refuseManyValues, refuseNotJson } from '../../src/core/json-size.ts'
import { JSON_TEXT_VALUES_LIMIT, parseSoundJson } from '../../src/core/sound-json.ts'

const refusal = (work: () => void): MadhavaError | null => {
  try {
    work()
    return null
  } catch (error) {
    assert.ok(isMadhavaError(error, 'BAD_REQUEST'))
    return error
  }
}
const countOf = (value: unknown): number =>
  1 +
  (typeof value === 'object' && value !== null
    ? Object.values(value).reduce((sum: number, inner) => sum + countOf(inner), 0)
    : 0)

describe('the size of JSON', () => {
  it('is the number of values in it, whatever their order', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), value => {
        const count = countOf(value)
        assert.equal(
          refusal(() => refuseManyValues(value, 'params', count)),
          null,
        )
        assert.match(
          String(refusal(() => refuseManyValues(value, 'params', count - 1))?.message),
          /more than/,
        )
        assert.equal(
          refusal(() => refuseNotJson(value, 'params')),
          null,
        )
      }),
    )
  })

  it('is found in its text, without parsing', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom('', ' ', '\n\t'), (value, space) => {
        assert.equal(scanJson(JSON.stringify(value, null, space), 100).values, countOf(value))
      }),
    )
    assert.equal(scanJson('[[[[[', 100, 2).values, 3)
    assert.equal(scanJson('"not ended \\', 100).values, 1)
  })

  it('is refused in a text that holds too much, before it is parsed', () => {
    const textOf = (values: number): string => `[${Array(values - 1).fill('{}')}]`
    assert.equal(
      refusal(() => parseSoundJson(textOf(JSON_TEXT_VALUES_LIMIT), 'it')),
      null,
    )
    // the rest is no JSON, and nobody looks at it
    const error = refusal(() => parseSoundJson(`${textOf(JSON_TEXT_VALUES_LIMIT + 1)}]`, 'it'))
    assert.match(String(error?.message), /it holds more than 100000 values/)
  })

  it('is refused when it is large', () => {
    assert.equal(
      refusal(() => refuseNotJson(Array(JSON_VALUES_LIMIT - 1).fill(0), 'params')),
      null,
    )
    const error = refusal(() => refuseNotJson(Array(JSON_VALUES_LIMIT).fill(0), 'params'))
    assert.match(String(error?.message), /more than 50000 values/)
  })

  it('is none of what is no JSON, wherever it stands', () => {
    for (const value of [
      Number.NaN,
      1n,
      () => 1,
      Symbol('s'),
      new Date(),
      Buffer.from('x'),
      new Map(),
      new Array(2),
      { a: undefined },
    ])
      assert.match(String(refusal(() => refuseNotJson({ a: [0, value] }, 'params'))?.message), /is not JSON/)
  })
})

describe('the part of an error that reaches a client', () => {
  const long = 'x'.repeat(1_000_000)
  const many = Array.from({ length: 10_000 }, (_, n) => ({ path: `params.${n}`, problem: 'is wrong' }))

  it('is bounded, whatever it quotes', () => {
    const error = new MadhavaError('BAD_REQUEST', long, {
      detail: { problems: [{ path: long, problem: long }, ...many] },
    })
    assert.ok(error.message.length <= 2_000)
    const { problems } = error.detail as { problems: { path: string }[] }
    assert.ok(problems.length >= 50 && JSON.stringify(problems).length < 20_000)
    assert.ok(problems[0] && problems[0].path.length <= 256)
  })

  it('is what it is where it is short, and is not cut inside a sign', () => {
    const detail = { problems: many.slice(0, 3), more: 1 }
    assert.deepEqual(new MadhavaError('PARAMS_INVALID', 'short', { detail }).detail, detail)
    for (const before of ['', 'x'])
      assert.ok(new MadhavaError('BAD_REQUEST', `${before}${'😀'.repeat(2_000)}`).message.isWellFormed())
  })

  it('is whole for the operator, who reads every line of what is wrong with the settings', () => {
    const problems = Array.from({ length: 300 }, (_, n) => `SETTING_${n}: is wrong`)
    const error = new MadhavaError('CONFIG_INVALID', problems.join('\n'), { detail: { problems } })
    assert.equal((error.detail as { problems: string[] }).problems.length, 300)
  })
})
