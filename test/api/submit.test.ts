import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { BODY_LIMIT_BYTES } from '../../src/api/json.ts'
import type { Problem } from '../../src/api/problem.ts'
import { isMadhavaError } from '../../src/core/errors.ts'
import { JSON_DEPTH_LIMIT } from '../../src/core/json-flaw.ts'
import { refuseUnsoundJson } from '../../src/core/sound-json.ts'
import type { TaskRecord } from '../../src/core/task.ts'
import { anybody } from '../support/actors.ts'
import { createFixture, type Fixture, jsonOf } from './fixture.ts'

describe('submitting a task', () => {
  let door: Fixture
  beforeEach(() => {
    door = createFixture()
  })
  afterEach(() => door.close())

  const problemOf = async (response: Response, status: number, code: string): Promise<Problem> => {
    const problem = await jsonOf<Problem>(response)
    assert.deepEqual([response.status, problem.code], [status, code], JSON.stringify(problem))
    assert.equal(response.headers.get('content-type'), 'application/problem+json')
    assert.equal(problem.status, status)
    assert.equal(problem.type, `urn:madhava:error:${code}`)
    assert.doesNotMatch(JSON.stringify(problem), /\.ts:|node_modules/)
    return problem
  }
  const total = async () => (await door.store.counts()).total

  it('POST /tasks answers 202 with Location and the record that is in the store, and announces it', async () => {
    const response = await door.post('/tasks', { kind: 'echo', params: { a: [1] }, priority: 7, title: 'T' })
    const task = await jsonOf<TaskRecord>(response)
    assert.equal(response.status, 202)
    assert.equal(response.headers.get('location'), `/task/${task.id}`)
    assert.deepEqual(await door.store.get(task.id), task)
    assert.deepEqual(
      [task.status, task.priority, task.title, task.params, task.owner],
      ['PENDING', 7, 'T', { a: [1] }, null],
    )
    assert.deepEqual(door.announced, [{ id: task.id, kind: 'echo' }])
  })

  it('GET /calcpi/{n} makes a task with the digits, the method and the pace that were asked for', async () => {
    const plain = await jsonOf<TaskRecord>(await door.app.request('/calcpi/7?method=plain&pace=2.5'))
    assert.deepEqual(plain.params, { digits: 7, method: 'plain', pace: 2.5 })
    const response = await door.app.request('/calcpi/0')
    const task = await jsonOf<TaskRecord>(response)
    assert.equal(response.status, 202)
    assert.equal(response.headers.get('location'), `/task/${task.id}`)
    assert.deepEqual([task.kind, task.params], ['calcpi', { digits: 0, method: 'wijngaarden', pace: 0 }])
  })

  it('GET /calcpi with what is no whole number is 400, and with what the kind refuses 422; no task is made', async () => {
    for (const n of ['-1', '1.5', '1e3', 'abc', '%20', '+5', '0x10', '٣', '9'.repeat(16), '%zz', '%00', '5;'])
      await problemOf(await door.app.request(`/calcpi/${n}`), 400, 'BAD_REQUEST')
    await problemOf(await door.app.request('/calcpi/5?metod=plain'), 400, 'BAD_REQUEST')
    await problemOf(await door.app.request('/calcpi/5?pace=1&pace=2'), 400, 'BAD_REQUEST')
    const refused = await problemOf(await door.app.request('/calcpi/10001'), 422, 'PARAMS_INVALID')
    assert.equal(refused.problems?.[0]?.path, 'params.digits')
    await problemOf(await door.app.request('/calcpi/5?method=guess'), 422, 'PARAMS_INVALID')
    await problemOf(await door.app.request('/calcpi/5?pace=slow'), 422, 'PARAMS_INVALID')
    assert.equal(await total(), 0)
  })

  it('HEAD /calcpi makes no task', async () => {
    const response = await door.app.request('/calcpi/5', { method: 'HEAD' })
    assert.equal(response.status, 405)
    assert.equal(response.headers.get('allow'), 'GET, OPTIONS')
    assert.equal(await total(), 0)
  })

  it('the same Idempotency-Key with the same body answers the first task, with another body 422', async () => {
    const key = { 'idempotency-key': 'order-1' }
    const first = await jsonOf<TaskRecord>(
      await door.post('/tasks', { kind: 'echo', params: { a: 1, b: 2 } }, key),
    )
    const again = await jsonOf<TaskRecord>(
      await door.post('/tasks', { params: { b: 2, a: 1 }, kind: 'echo' }, key),
    )
    assert.equal(again.id, first.id)
    await problemOf(await door.post('/tasks', { kind: 'echo', params: 9 }, key), 422, 'IDEMPOTENCY_MISMATCH')
    await problemOf(await door.post('/tasks', { kind: 'echo' }, { 'idempotency-key': 'a b' }), 400, 'BAD_KEY')
    assert.equal(await total(), 1)
  })

  it('what a task may not say is refused with one entry per problem', async () => {
    const problem = await problemOf(
      await door.post('/tasks', { kind: 'echo', priority: 10, maxAttempts: 0, notBefore: 'soon', colour: 1 }),
      400,
      'BAD_REQUEST',
    )
    const paths = problem.problems?.map(({ path }) => path) ?? []
    for (const path of ['priority', 'maxAttempts', 'notBefore']) assert.ok(paths.includes(path), path)
    const misspelt = await problemOf(
      await door.post('/tasks', { kind: 'echo', parms: {} }),
      400,
      'BAD_REQUEST',
    )
    assert.match(misspelt.detail ?? '', /unknown field "parms" \(did you mean "params"\?\)/)
    const unknown = await problemOf(await door.post('/tasks', { kind: 'ecco' }), 422, 'KIND_UNKNOWN')
    assert.match(unknown.detail ?? '', /^There is no kind "ecco"\. Did you mean echo\? There are .*echo/)
    const trouble = await problemOf(await door.post('/tasks', { kind: 'broken' }), 503, 'KIND_IN_TROUBLE')
    assert.match(trouble.detail ?? '', /broken\.mjs: no luck/)
    await problemOf(
      await door.post('/tasks', { kind: 'echo', notBefore: '9999-12-31T23:59:59-14:00' }),
      400,
      'BAD_REQUEST',
    )
    for (const body of ['null', '1', '"x"', '{}'])
      await problemOf(await door.post('/tasks', body), 400, 'BAD_REQUEST')
    assert.equal(await total(), 0)
  })

  it('a body that is no JSON, empty, or not UTF-8 is 400', async () => {
    for (const body of ['', '  ', '{', '{"kind":"echo"}}', "{'kind':'echo'}", '\u0000'])
      await problemOf(await door.post('/tasks', body), 400, 'BAD_REQUEST')
    const response = await door.app.request('/tasks', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Uint8Array([0x22, 0xff, 0x22]),
    })
    await problemOf(response, 400, 'BAD_REQUEST')
  })

  it('a body of another type, or a packed one, is 415', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', ''])
      await problemOf(
        await door.post('/tasks', { kind: 'echo' }, { 'content-type': type }),
        415,
        'UNSUPPORTED_MEDIA_TYPE',
      )
    await problemOf(
      await door.post('/tasks', { kind: 'echo' }, { 'content-encoding': 'gzip' }),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    )
    for (const charset of ['utf-16', 'iso-8859-1', '"utf-16"', 'utf-8; charset=utf-16', '', '"utf-8'])
      await problemOf(
        await door.post(
          '/tasks',
          { kind: 'echo' },
          { 'content-type': `application/json; charset=${charset}` },
        ),
        415,
        'UNSUPPORTED_MEDIA_TYPE',
      )
    for (const type of [
      'Application/JSON; charset=utf-8',
      'application/json;charset="UTF-8"',
      'application/json; version=1',
    ]) {
      const fine = await door.post('/tasks', { kind: 'echo' }, { 'content-type': type })
      assert.equal(fine.status, 202, type)
    }
  })

  it('a body up to the limit is taken, one byte more is 413', async () => {
    const shell = JSON.stringify({ kind: 'echo', params: '' }).length
    const fits = { kind: 'echo', params: 'x'.repeat(BODY_LIMIT_BYTES - shell) }
    assert.equal((await door.post('/tasks', fits)).status, 202)
    await problemOf(await door.post('/tasks', { ...fits, params: `${fits.params}x` }), 413, 'BODY_TOO_LARGE')
  })

  it('JSON nested to the limit is taken, deeper is 400, however deep', async () => {
    const nest = (depth: number) => `{"kind":"echo","params":${'['.repeat(depth)}${']'.repeat(depth)}}`
    assert.equal((await door.post('/tasks', nest(JSON_DEPTH_LIMIT - 1))).status, 202)
    await problemOf(await door.post('/tasks', nest(JSON_DEPTH_LIMIT)), 400, 'BAD_REQUEST')
    await problemOf(await door.post('/tasks', nest(400_000)), 400, 'BAD_REQUEST')
    await problemOf(await door.post('/tasks', '['.repeat(900_000)), 400, 'BAD_REQUEST')
  })

  it('what parsing would change without a word is 400 with its place, at the top and in a list', async () => {
    const asked = {
      'params.what': '{"kind":"echo","params":{"what":12345678901234567890}}',
      'params.a.1.b': '{"kind":"echo","params":{"a":[0,{"b":-9007199254740993}]}}',
      'params.a': '{"kind":"echo","params":{"a":1,"b":[{"a":2}],"\\u0061":3}}',
      kind: '{"kind":"echo","kind":"other"}',
      'params.huge': '{"kind":"echo","params":{"huge":1e400}}',
    }
    for (const [path, body] of Object.entries(asked)) {
      const problem = await problemOf(await door.post('/tasks', body), 400, 'BAD_REQUEST')
      assert.deepEqual(
        problem.problems?.map(each => each.path),
        [path],
      )
      assert.ok(problem.detail.includes(path), problem.detail)
      const many = await problemOf(await door.post('/tasks', `[{"kind":"echo"},${body}]`), 400, 'BAD_REQUEST')
      assert.deepEqual(
        many.problems?.map(each => each.path),
        [`1.${path}`],
      )
    }
    assert.equal(await total(), 0)
    const fine = '[9007199254740991,-9007199254740991,1e20,0.1234567890123456789,"12345678901234567890"]'
    const taken = await door.post('/tasks', `{"kind":"echo","params":${fine}}`)
    assert.deepEqual((await jsonOf<TaskRecord>(taken)).params, JSON.parse(fine))
  })

  it('a lone surrogate in a text or a key is 400 with its place, from every door; whole pairs are taken', async () => {
    const bodies = {
      title: '{"kind":"echo","title":"\\ud800 x"}',
      'params.a.1': '{"kind":"echo","params":{"a":["\\ud83d\\ude00","\\udc00"]}}',
      'params.b\\ud800': '{"kind":"echo","params":{"b\\ud800":1}}',
    }
    for (const [path, body] of Object.entries(bodies)) {
      const problem = await problemOf(await door.post('/tasks', body), 400, 'BAD_REQUEST')
      assert.equal(problem.problems?.[0]?.path, path)
      assert.match(problem.detail, /lone surrogate \(\\ud[8c]00\)/)
      assert.ok(JSON.stringify(problem).isWellFormed())
      await assert.rejects(door.service.submit(anybody('rpc'), JSON.parse(body)), error =>
        isMadhavaError(error, 'BAD_REQUEST'),
      )
    }
    assert.equal(await total(), 0)
    const fine = await door.post('/tasks', '{"kind":"echo","params":{"\\ud83d\\ude00":"\\ud83d\\ude00"}}')
    assert.deepEqual((await jsonOf<TaskRecord>(fine)).params, { '😀': '😀' })
  })

  it('JSON is refused exactly when it holds a lone surrogate or a key __proto__', () => {
    const unit = fc.oneof(fc.constantFrom('\ud800', '\udc00', '😀', '__proto__'), fc.string({ maxLength: 2 }))
    const text = fc.oneof(
      unit,
      fc.tuple(unit, unit).map(parts => parts.join('')),
    )
    const { tree } = fc.letrec(tie => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        text,
        fc.integer(),
        fc.array(tie('tree'), { maxLength: 3 }),
        // as the parser makes them: __proto__ is a key like any other
        fc.array(fc.tuple(text, tie('tree')), { maxLength: 3 }).map(entries => Object.fromEntries(entries)),
      ),
    }))
    fc.assert(
      fc.property(tree, value => {
        const json = JSON.stringify(value)
        // JSON.stringify writes a lone surrogate as an escape, a whole pair as it is
        const unsound = /\\ud[89a-f]/.test(json) || /"__proto__":/.test(json)
        let refused = false
        try {
          refuseUnsoundJson(value)
        } catch (error) {
          assert.ok(isMadhavaError(error, 'BAD_REQUEST') && error.message.isWellFormed())
          refused = true
        }
        assert.equal(refused, unsound, json)
      }),
    )
    const round: { self?: unknown } = {}
    round.self = round
    assert.throws(() => refuseUnsoundJson(round), /nests deeper than 64 levels/)
  })

  it('keys such as __proto__ and constructor change nothing but the task they are in', async () => {
    const names = '"constructor":{"prototype":{"polluted":1}},"prototype":1'
    const params = await jsonOf<TaskRecord>(await door.post('/tasks', `{"kind":"echo","params":{${names}}}`))
    assert.deepEqual(params.params, JSON.parse(`{${names}}`))
    const evil = await problemOf(
      await door.post('/tasks', '{"kind":"echo","params":[{"__proto__":{"polluted":1}}]}'),
      400,
      'BAD_REQUEST',
    )
    assert.equal(evil.problems?.[0]?.path, 'params.0.__proto__')
    assert.match(evil.detail, /params\.0\.__proto__ is a name that cannot be kept/)
    assert.equal('polluted' in {}, false)
    for (const name of ['__proto__', 'constructor', 'toString']) {
      await problemOf(await door.post('/tasks', `{"kind":"${name}"}`), 422, 'KIND_UNKNOWN')
      const top = await door.post('/tasks', `{"kind":"echo","${name}":{"priority":99}}`)
      const priority = (await jsonOf(top)).priority ?? 5
      assert.equal(priority, 5, name)
    }
  })

  it('a hostile body is refused before a schema looks at each of its values', async () => {
    const nested = `{"kind":"calcpi","params":[${Array(8_900)
      .fill('['.repeat(58) + ']'.repeat(58))
      .join(',')}]}`
    const { detail } = await problemOf(await door.post('/tasks', nested), 400, 'BAD_REQUEST')
    assert.match(detail, /holds more than 100000 values/)
    const half = `{"kind":"calcpi","params":[${Array(60_000).fill('[]')}]}`
    const small = await problemOf(await door.post('/tasks', half), 400, 'BAD_REQUEST')
    assert.match(small.detail, /params: holds more than 50000 values/)
    const keys = Array.from({ length: 90_000 }, (_, n) => `"${n.toString(16)}":0`).join(',')
    for (const body of [`{"kind":"echo",${keys}}`, `{"kind":"echo","retry":{${keys}}}`])
      await problemOf(await door.post('/tasks', body), 400, 'BAD_REQUEST')
  })

  it('an answer does not grow with what was wrong', async () => {
    const keys = Array.from({ length: 40_000 }, (_, n) => `"${n.toString(16)}":0`).join(',')
    const wrong = `{"kind":"calcpi","params":{${keys}}}`
    const many = `[${Array(1_000).fill(`{"kind":"calcpi","params":{"digits":"${'x'.repeat(500)}","y":1}}`)}]`
    const named = `{"kind":"echo","${'k'.repeat(900_000)}":0}`
    const kind = `{"kind":"${'k'.repeat(900_000)}"}`
    for (const body of [wrong, many, named, kind]) {
      const answer = await door.post('/tasks', body)
      const text = await answer.text()
      assert.ok(answer.status === 400 || answer.status === 422, text)
      assert.ok(text.length < 20_000, `${text.length} characters`)
    }
  })
})
