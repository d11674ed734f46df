// What a kind may hand over as JSON, and what is refused because JSON would change it without a word.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { isMadhavaError, type MadhavaError } from '../../src/core/errors.ts'
import { JSON_DEPTH_LIMIT } from '../../src/core/json-flaw.ts'
import { refuseBeforeSchema, strictJson } from '../../src/core/strict-json.ts'
import { handedValues } from '../support/json-values.ts'

const RESULT = { what: 'the result', code: 'RESULT_INVALID' } as const
const json = (value: unknown, max?: number) => strictJson(value, RESULT, max)

class Point {
  x = 1
  #y = 2
  sum = () => this.x + this.#y
}

const LOST: Record<string, () => unknown> = {
  NaN: () => Number.NaN,
  Infinity: () => -1 / 0,
  'an integer beyond 2^53': () => 2 ** 53,
  'a large id': () => Number('-1541815603606036481'),
  BigInt: () => 1n,
  function: () => () => 1,
  symbol: () => Symbol('s'),
  Promise: () => Promise.resolve(1),
  Error: () => Object.assign(new Error('boom'), { code: 'E' }),
  RegExp: () => /x/,
  Map: () => new Map([[1, 2]]),
  Set: () => new Set([1]),
  WeakMap: () => new WeakMap(),
  Buffer: () => Buffer.from('x'),
  Uint8Array: () => new Uint8Array(2),
  DataView: () => new DataView(new ArrayBuffer(2)),
  ArrayBuffer: () => new ArrayBuffer(8),
  SharedArrayBuffer: () => new SharedArrayBuffer(8),
  Headers: () => new Headers({ a: '1' }),
  Response: () => new Response('x'),
  URLSearchParams: () => new URLSearchParams('a=1'),
  Blob: () => new Blob(['x']),
  'an iterator': () => [1].values(),
  'a generator': () => (function* () {})(),
  'an instance': () => new Point(),
  'a boxed number': () => Object(1),
  'an invalid Date': () => new Date(Number.NaN),
  'undefined in an array': () => [1, undefined],
  'a hole': () => new Array(2),
  'a symbol as a key': () => ({ [Symbol('s')]: 1 }),
  'a field __proto__': () => JSON.parse('{"__proto__":{"x":1}}'),
  'half a sign': () => '\ud83d',
  'half a sign in a key': () => ({ 'a\udc00': 1 }),
  'a toJSON that gives what is lost': () => ({ toJSON: () => new Map() }),
  'a toJSON that gives a Date': () => ({ toJSON: () => new Date(0) }),
}

const refusal = (call: () => unknown): MadhavaError => {
  try {
    call()
  } catch (error) {
    assert.ok(isMadhavaError(error, 'RESULT_INVALID'), String(error))
    return error
  }
  return assert.fail('it was taken')
}

describe('the JSON of what a kind hands over', () => {
  it('refuses what JSON would change without a word, and names its place', () => {
    for (const [name, make] of Object.entries(LOST)) {
      refusal(() => json(make()))
      const { message } = refusal(() => json({ good: 1, deep: [null, { er: make() }] }))
      assert.match(message, /^The result at deep\.1\.er/, name)
      assert.ok(message.isWellFormed())
    }
    assert.match(
      refusal(() => json({ p: [Promise.resolve(1)] })).message,
      /at p\.0: it is an instance of Promise/,
    )
  })

  it('takes plain values, what has a toJSON of its own, and a field that is undefined', () => {
    const bare = Object.assign(Object.create(null), { a: 1 })
    const foreign = runInNewContext('({ list: [1, { a: 2 }] })')
    for (const value of [
      new Date(0),
      new URL('http://a/b'),
      { a: undefined, b: 1 },
      bare,
      foreign,
      [-0, 1e21, 1.7e308, 2 ** 53 - 1, 0.1],
      '😀',
      { toJSON: () => ({ a: 1 }) },
      { toJSON: () => [new Date(0), 'x'] },
      Object.defineProperty({ a: 1 }, Symbol('hidden'), { value: 1 }),
    ])
      assert.equal(json(value), JSON.stringify(value))
    assert.equal(json(undefined), 'null')
  })

  it('gives back every JSON value as it was', () => {
    fc.assert(
      fc.property(handedValues(), value => {
        const text = json(value)
        assert.equal(text, JSON.stringify(value))
        refuseBeforeSchema(value, RESULT)
      }),
    )
  })

  it('bounds the depth, also of what holds itself', () => {
    const nest = (levels: number, inner: unknown = 1): unknown =>
      levels === 0 ? inner : levels % 2 ? [nest(levels - 1, inner)] : { a: nest(levels - 1, inner) }
    const chain = (levels: number): unknown => {
      let nested: unknown = 1
      for (let level = 0; level < levels; level += 1) nested = [nested]
      return nested
    }
    const ring: Record<string, unknown> = {}
    Object.assign(ring, { ring, again: ring, list: [ring, ring] })
    assert.equal(typeof json(nest(JSON_DEPTH_LIMIT)), 'string')
    refuseBeforeSchema(nest(JSON_DEPTH_LIMIT), RESULT)
    for (const value of [nest(JSON_DEPTH_LIMIT + 1), chain(2_000), chain(200_000), ring]) {
      assert.match(refusal(() => json(value)).message, /nests deeper than 64 levels/)
      assert.match(refusal(() => refuseBeforeSchema(value, RESULT)).message, /nests deeper than 64 levels/)
    }
  })

  it('gives up what surely has more characters than it may, without writing it', () => {
    assert.equal(json('x'.repeat(10), 12), `"${'x'.repeat(10)}"`)
    assert.equal(json('x'.repeat(100), 12), null)
    assert.equal(json([['long'], { long: 'long' }], 5), null)
    // 2^40 leaves
    let shared: unknown = [1, 1]
    for (let level = 0; level < 40; level += 1) shared = [shared, shared]
    assert.equal(json(shared, 1_000), null)
    fc.assert(
      fc.property(handedValues(), value => {
        const whole = JSON.stringify(value)
        assert.equal(json(value, whole.length), whole, 'what fits is written')
      }),
    )
  })
})
