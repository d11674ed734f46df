// What a file of kinds may export, what is refused with a reason, and how params are checked.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { isMadhavaError } from '../../src/core/errors.ts'
import { checkExample, defineKind, loadKind } from '../../src/core/kind.ts'
import { parseParams } from '../../src/core/kind-params.ts'
import { createKinds } from '../../src/core/kinds.ts'

const adding = defineKind({
  summary: 'Adds two numbers',
  params: z.object({ a: z.number(), b: z.number().default(2) }),
  result: z.number(),
  example: { a: 1 },
  run: ({ a, b }) => a + b,
})

const refusal = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    assert.ok(isMadhavaError(error, 'KIND_INVALID'), `expected KIND_INVALID, got ${error}`)
    return error.message
  }
  assert.fail('it was not refused')
}

describe('loadKind', () => {
  it('takes what defineKind returns, and a function that is handed defineKind and z', () => {
    assert.equal(loadKind('adding', adding, 'adding.ts').name, 'adding')
    const made = loadKind(
      'adding',
      (given: { defineKind: typeof defineKind; z: typeof z }) =>
        given.defineKind({
          ...adding,
          params: given.z.object({ a: given.z.number(), b: given.z.number() }),
          example: { a: 1, b: 2 },
        }),
      'adding.mjs',
    )
    assert.equal(made.summary, adding.summary)
  })

  it('refuses with the name of the file and the reason', () => {
    const cases: [unknown, RegExp][] = [
      [undefined, /no default export/],
      [null, /no default export/],
      ['text', /no default export/],
      [() => null, /no default export/],
      [
        () => {
          throw new Error('it broke')
        },
        /its function threw: it broke/,
      ],
      [{ ...adding, summary: '' }, /summary/],
      [{ ...adding, run: 'no function' }, /run: must be a function/],
      [{ ...adding, params: {} }, /params/],
      [{ ...adding, retries: 3 }, /retries/],
      [{ ...adding, maxAttempts: 0 }, /maxAttempts/],
      [{ ...adding, maxConcurrency: 0 }, /maxConcurrency/],
      [{ ...adding, rate: '10 per second' }, /rate: must be a number and a unit of time/],
      [{ ...adding, limits: { softSeconds: -1 } }, /limits/],
      [{ ...adding, retry: { factor: 100 } }, /retry/],
      [{ ...adding, example: { a: 'one' } }, /its example does not fit its params: a/],
      [{ ...adding, result: z.bigint() }, /JSON Schema/],
    ]
    for (const [exported, reason] of cases) {
      const message = refusal(() => loadKind('adding', exported, 'adding.ts'))
      assert.match(message, /^adding\.ts: /)
      assert.match(message, reason)
    }
  })

  it('refuses names that cannot stand in an address', () => {
    for (const name of ['', 'A', '1x', 'a_b', '../a', 'a b', '__proto__', 'x'.repeat(64), 'ü'])
      assert.match(
        refusal(() => loadKind(name, adding, 'file.ts')),
        /rename the file/,
      )
    assert.equal(loadKind('x'.repeat(63), adding, 'file.ts').name.length, 63)
  })
})

describe('createKinds', () => {
  const kind = (name: string) => loadKind(name, adding, `${name}.ts`)

  it('finds by name, in the order of names, and nothing that is inherited', () => {
    const kinds = createKinds([kind('b'), kind('a')])
    assert.deepEqual(kinds.names(), ['a', 'b'])
    assert.deepEqual(
      kinds.list().map(({ name }) => name),
      ['a', 'b'],
    )
    assert.equal(kinds.get('b').name, 'b')
    for (const name of ['', 'c', 'constructor', '__proto__', 'x'.repeat(10_000)])
      assert.throws(
        () => kinds.get(name),
        (error: unknown) => isMadhavaError(error, 'KIND_UNKNOWN') && error.message.length < 200,
      )
  })

  it('knows those in trouble by name, with the reason, and a good one of the same name before them', () => {
    const trouble = (name: string) => ({ name, file: `${name}.js`, reason: 'no luck' })
    const kinds = createKinds([kind('a')], [trouble('a'), trouble('b')])
    assert.equal(kinds.get('a').name, 'a')
    assert.deepEqual(kinds.names(), ['a'])
    assert.deepEqual(
      kinds.troubles().map(({ name }) => name),
      ['a', 'b'],
    )
    assert.throws(
      () => kinds.get('b'),
      (error: unknown) => isMadhavaError(error, 'KIND_IN_TROUBLE') && /b\.js: no luck/.test(error.message),
    )
  })

  it('refuses two kinds of one name', () => {
    assert.match(
      refusal(() => createKinds([kind('a'), kind('a')])),
      /the kind a/,
    )
  })
})

/** A kind with code of its own in the schema of `u`, which sees everything but the example as odd. */
const checking = (u: z.ZodType, example: unknown = { u: 'a' }) =>
  loadKind('checking', { ...adding, params: z.object({ u }), result: z.unknown(), example }, 'checking.ts')
const fail = (): never => {
  throw new Error('it broke', { cause: new Error('for a reason') })
}

describe('checkExample', () => {
  it('takes asynchronous checks, and refuses an example that one of them refuses', async () => {
    const quick = async (value: string) => value.length < 5
    await checkExample(checking(z.string().refine(quick)), 'checking.ts')
    await assert.rejects(checkExample(checking(z.string().refine(quick), { u: 'too long' }), 'checking.ts'), {
      code: 'KIND_INVALID',
      message: /^checking\.ts: its example does not fit its params: u: /,
    })
  })

  it('refuses code that throws at the example, and params that do not take what they made', async () => {
    for (const [schema, example, reason] of [
      [z.string().refine(fail), 'a', /a check of its params threw at its example: it broke: for a reason/],
      [z.string().refine(async () => fail()), 'a', /threw at its example: it broke: for a reason/],
      [z.number().default(fail), undefined, /JSON Schema.*it broke|threw at its example: it broke/],
      [z.string().transform(Number), '7', /what its params make of its example does not fit its params: u/],
      [z.any().transform(() => 1n), 1, /what its params make of its example is not JSON: .*BigInt/],
      [z.any(), 1n, /its example is not JSON: .*BigInt/],
    ] as const)
      await assert.rejects(
        async () => checkExample(checking(schema, { u: example }), 'checking.ts'),
        (error: unknown) => {
          assert.ok(isMadhavaError(error, 'KIND_INVALID'), String(error))
          assert.match(error.message, /^checking\.ts: /)
          assert.match(error.message, reason)
          return true
        },
      )
  })
})

describe('parseParams', () => {
  it('refuses what code of the schema throws at, in whatever way, and says whose it is', async () => {
    const odd = (value: unknown) => (value === 'a' ? true : fail())
    for (const schema of [
      z.any().refine(odd),
      z.any().refine(async value => odd(value)),
      z.any().refine(value => Promise.resolve(value).then(odd)),
      z.any().superRefine(value => void odd(value)),
      z.any().transform(value => odd(value) && value),
      z.preprocess(value => odd(value) && value, z.any()),
      z.custom(odd),
      z.lazy(() => z.any().refine(odd)),
      z.union([z.number(), z.any().refine(odd)]),
      z.string().refine(value => value === 'a', { error: fail }),
    ]) {
      const kind = { ...checking(z.any()), params: z.object({ u: schema }) } as ReturnType<typeof checking>
      assert.deepEqual(await parseParams(kind, { u: 'a' }), { u: 'a' })
      await assert.rejects(parseParams(kind, { u: 'odd' }), (error: unknown) => {
        assert.ok(isMadhavaError(error, 'PARAMS_INVALID'), String(error))
        const problem = 'a check of the kind checking threw: it broke: for a reason'
        assert.deepEqual(error.detail, { problems: [{ path: 'params', problem }] })
        assert.equal(error.message, `The params cannot be checked: ${problem}`)
        return error.cause instanceof Error
      })
    }
  })

  it('takes checks that answer later, and refuses what they refuse', async () => {
    const later = (value: unknown) =>
      new Promise<boolean>(resolve => setImmediate(() => resolve(value === 'a')))
    for (const schema of [z.any().refine(later), z.string().pipe(z.string().refine(later))]) {
      assert.deepEqual(await parseParams(checking(schema), { u: 'a' }), { u: 'a' })
      await assert.rejects(parseParams(checking(schema), { u: 'b' }), {
        code: 'PARAMS_INVALID',
        message: /do not fit the kind checking: u: /,
      })
    }
  })

  it('names a problem whatever a check says about its place', async () => {
    const odd = z.any().superRefine((_value, context) => {
      context.addIssue({ code: 'custom', message: 'no', path: [Symbol('place') as unknown as string, 1] })
    })
    await assert.rejects(parseParams({ ...checking(z.any()), params: odd }, 1), {
      code: 'PARAMS_INVALID',
      message: /Symbol\(place\)\.1: no/,
    })
  })

  const kind = loadKind('adding', adding, 'adding.ts')

  it('fills in defaults and drops what the schema does not know', async () => {
    assert.deepEqual(await parseParams(kind, { a: 1, extra: true }), { a: 1, b: 2 })
  })

  it('says of each problem where it is', async () => {
    await assert.rejects(
      () => parseParams(kind, { a: 'x', b: null }),
      (error: unknown) => {
        assert.ok(isMadhavaError(error, 'PARAMS_INVALID'))
        const { problems } = error.detail as { problems: { path: string; problem: string }[] }
        assert.deepEqual(
          problems.map(({ path }) => path),
          ['params.a', 'params.b'],
        )
        return problems.every(({ problem }) => problem.length > 0)
      },
    )
    for (const params of [undefined, null, 1, 'x', [], () => 1])
      await assert.rejects(
        () => parseParams(kind, params),
        (error: unknown) => isMadhavaError(error, 'PARAMS_INVALID'),
      )
  })
})
