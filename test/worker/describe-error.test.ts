// What becomes of whatever a kind throws: words, names and causes, bounded, and never an error of its own.
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { MadhavaError } from '../../src/core/errors.ts'
import { describeError } from '../../src/worker/describe-error.ts'

const coded = (message: string, code: string | number, more = {}): Error =>
  Object.assign(new Error(message), { code, ...more })
const inARow = (count: number): Error => {
  let error = new Error('the last')
  for (let at = count; at > 0; at -= 1) error = new Error(`cause ${at}`, { cause: error })
  return error
}
class QuotaError extends Error {}

describe('what a kind threw', () => {
  it('is described with the messages, names and codes of all its causes', () => {
    const circle = new Error('round')
    circle.cause = new Error('and round', { cause: circle })
    const suppressed = Object.assign(new Error('closing failed'), {
      name: 'SuppressedError',
      error: coded('cannot close', 'EIO'),
      suppressed: coded('cannot write', 'ENOSPC'),
    })
    const other = runInNewContext("Object.assign(new TypeError('of another realm'), { code: 'E_FAR' })")
    for (const [thrown, message, names] of [
      [new Error('plain'), 'plain', ['Error']],
      [new QuotaError('none left'), 'none left', ['Error', 'QuotaError']],
      [
        new TypeError('fetch failed', { cause: coded('no answer', 'ECONNREFUSED') }),
        'fetch failed: no answer',
        ['TypeError', 'Error', 'ECONNREFUSED'],
      ],
      // as of a name with two addresses: the error has a code and no words
      [
        new TypeError('fetch failed', {
          cause: Object.assign(
            new AggregateError([
              coded('connect ::1', 'ECONNREFUSED'),
              coded('connect 127.0.0.1', 'ECONNREFUSED'),
            ]),
            { code: 'ECONNREFUSED' },
          ),
        }),
        'fetch failed: connect ::1; connect 127.0.0.1',
        ['TypeError', 'AggregateError', 'ECONNREFUSED', 'Error'],
      ],
      [
        new Error('cannot save: disk full', { cause: coded('disk full', 'ENOSPC') }),
        'cannot save: disk full',
        ['Error', 'ENOSPC'],
      ],
      [
        suppressed,
        'closing failed: cannot close; cannot write',
        ['SuppressedError', 'Error', 'EIO', 'ENOSPC'],
      ],
      [circle, 'round: and round', ['Error']],
      [new Error('outer', { cause: 'a text' }), 'outer: a text', ['Error']],
      [other, 'of another realm', ['TypeError', 'E_FAR']],
      [new DOMException('it took too long', 'TimeoutError'), 'it took too long', ['TimeoutError']],
      [coded('by number', 429), 'by number', ['Error', '429']],
      [{ message: 'quota exceeded', code: 'E_QUOTA' }, 'quota exceeded', ['E_QUOTA']],
      [{ name: 'Refused', message: '' }, "{ name: 'Refused', message: '' }", ['Refused']],
      [{ status: 503, body: { retry: true } }, '{ status: 503, body: { retry: true } }', []],
      [{ toString: () => 'in its own words' }, 'in its own words', []],
      [['a', 1], "[ 'a', 1 ]", []],
      ['just words', 'just words', []],
      [undefined, 'undefined', []],
      [null, 'null', []],
      [Symbol('sign'), 'Symbol(sign)', []],
      [new Error(''), 'Error', ['Error']],
    ] as const) {
      const { message: told, names: named, code, retryable } = describeError(thrown)
      assert.equal(told, message)
      assert.deepEqual(named, names, message)
      assert.deepEqual([code, retryable], ['KIND_FAILED', true])
    }
  })

  it('says why a fetch failed, so that a policy can name it', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    await new Promise(resolve => server.close(resolve))
    const thrown = await fetch(`http://127.0.0.1:${port}/`).catch((error: unknown) => error)
    const { message, names } = describeError(thrown)
    assert.equal(message, `fetch failed: connect ECONNREFUSED 127.0.0.1:${port}`)
    assert.ok(names.includes('ECONNREFUSED'))
  })

  it('keeps the code of what `submit` was refused with, and what was wrong field by field', () => {
    const problems = [{ path: 'params.n', problem: 'is no number' }]
    const refused = describeError(
      new MadhavaError('PARAMS_INVALID', 'n: is no number', { detail: { problems } }),
    )
    assert.deepEqual([refused.code, refused.names, refused.retryable], ['PARAMS_INVALID', [], false])
    assert.deepEqual((refused.detail as { problems: unknown }).problems, problems)
    const wrapped = describeError(new Error('no child', { cause: new MadhavaError('STORE_FULL') }))
    assert.deepEqual([wrapped.code, wrapped.names.includes('STORE_FULL')], ['KIND_FAILED', true])
  })

  it('stays small in the record, however deep, wide and long it is', () => {
    const wide = new AggregateError(
      Array.from({ length: 5_000 }, (_, n) =>
        coded(`error ${n} ${'x'.repeat(5_000)}`, `E_${n}${'y'.repeat(5_000)}`),
      ),
      'many',
    )
    for (const thrown of [
      inARow(10_000),
      wide,
      'x'.repeat(1e6),
      new Error('😀'.repeat(2_000)),
      coded('a', 'b', { stack: '\n'.repeat(1e5) }),
    ]) {
      const { message, detail, names, stack } = describeError(thrown)
      assert.ok(message.length <= 2_000 && message.isWellFormed())
      assert.ok(names.length <= 100 && names.every(name => name.length <= 100))
      assert.ok(JSON.stringify(detail).length <= 8_192, `${JSON.stringify(detail).length} characters`)
      assert.ok((stack ?? '').length <= 12_000 && (stack ?? '').split('\n').length <= 100)
    }
    assert.match(describeError(inARow(10_000)).message, /^cause 1: cause 2: cause 3: /)
  })

  it('never throws, whatever it is', () => {
    const rude = {
      get: () => assert.fail('get'),
      getPrototypeOf: () => assert.fail('proto'),
      ownKeys: () => assert.fail('keys'),
      has: () => assert.fail('has'),
    }
    const { proxy, revoke } = Proxy.revocable([], {})
    revoke()
    const bad = new Error('bad')
    Object.defineProperty(bad, 'cause', { get: () => assert.fail('cause') })
    Object.defineProperty(bad, 'stack', { get: () => assert.fail('stack') })
    const hostile: unknown[] = [
      new Proxy({}, rude),
      new Proxy(new Error('x'), rude),
      proxy,
      bad,
      Object.create(null),
      () => 1,
      class {},
      new Date(Number.NaN),
      { errors: proxy, cause: proxy, error: proxy, suppressed: proxy },
      { message: proxy, name: proxy, code: proxy, stack: proxy, constructor: proxy },
    ]
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withSet: true,
      withObjectString: true,
      withSparseArray: true,
      withTypedArray: true,
    })
    const parts = fc.record(
      {
        message: anything,
        name: anything,
        code: anything,
        cause: anything,
        errors: anything,
        stack: anything,
        suppressed: anything,
        error: anything,
      },
      { requiredKeys: [] },
    )
    const holds = (value: unknown): void => {
      const described = describeError(value)
      assert.deepEqual(JSON.parse(JSON.stringify(described)), described)
      assert.ok(described.message.length > 0 && described.message.length <= 2_000)
    }
    for (const one of hostile) {
      holds(one)
      holds({ message: 'outer', cause: one, errors: [one, 1] })
    }
    fc.assert(
      fc.property(fc.oneof(anything, parts), fc.boolean(), (value, isError) => {
        holds(value)
        holds(Object.assign(isError ? new Error('x') : {}, value))
        holds({ message: 'outer', cause: value, errors: [value] })
      }),
      { numRuns: 500 },
    )
  })
})
