// The service Madhava, through the library's own client, in all four ways of speaking.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import thrift from 'thrift'
import types from '../../gen/js/rpcinterface_types.js'
import { BLOBS } from '../../src/core/content.ts'
import { MadhavaError } from '../../src/core/errors.ts'
import { fail, report, start, succeed } from '../../src/core/moves.ts'
import { type Json, newTaskId } from '../../src/core/task.ts'
import type { Dialect } from '../../src/rpc/dialect.ts'
import { anybody } from '../support/actors.ts'
import { type Bench, machine, openBench, openClient, openRaw, until, wire } from './fixture.ts'

const DIALECTS: [string, Dialect][] = [
  ['buffered binary', { protocol: 'binary', framed: false }],
  ['framed binary', { protocol: 'binary', framed: true }],
  ['buffered compact', { protocol: 'compact', framed: false }],
  ['framed compact', { protocol: 'compact', framed: true }],
]
const now = () => new Date().toISOString()
const i64 = (value: number) => new thrift.Int64(value)

let bench: Bench
before(async () => {
  bench = await openBench()
})
after(() => bench.close())

/** A task that runs, and its claim. */
const running = async (params: Json = { digits: 3 }): Promise<{ id: string; claim: number }> => {
  const submission = { kind: 'calcpi', params }
  const { task } = await bench.service.submit(anybody(), submission)
  const begun = await bench.store.claim(task.id, start('w1', now()))
  assert.ok(begun)
  return { id: task.id, claim: begun.claim }
}
const ended = async (result: Json): Promise<string> => {
  const { id, claim } = await running()
  await bench.store.move(id, claim, succeed(result, null, now()))
  return id
}

for (const [spoken, dialect] of DIALECTS)
  describe(spoken, () => {
    let rpc: ReturnType<typeof openClient>
    before(() => {
      rpc = openClient(bench.door, dialect)
    })
    after(() => rpc.close())

    test('the original methods answer as ever', async () => {
      const id = await rpc.client.startCalcPi(7)
      assert.equal((await rpc.client.getTaskStatus(id)).status, 'PENDING')
      assert.ok((await rpc.client.listTasks()).some(task => task.id === id))
      await assert.rejects(rpc.client.getTaskStatus('x'), { name: 'BadTask', uuid: 'x', error_code: 400 })
    })

    test('ping and version answer', async () => {
      await rpc.client.ping()
      assert.equal(await rpc.client.version(), '1.2.3')
    })

    test('a submit with every option is stored with them, announced, and answered whole', async () => {
      const task = await rpc.client.submitTask(
        'calcpi',
        '{"digits": 9}',
        new types.SubmitOptions({
          priority: 9,
          notBefore: '2031-01-31T13:00:00+01:00',
          expiresAt: '2032-01-31T12:00:00Z',
          maxAttempts: 3,
          retryPolicy: new types.RetryPolicy({ delaySeconds: 0.5, retryOn: ['TIME_LIMIT'] }),
          limits: new types.TimeLimits({ hardSeconds: 60 }),
          title: 'é\u{1f600}',
          description: 'two\nlines',
          idempotencyKey: `key-${spoken.replace(' ', '-')}`,
        }),
      )
      const stored = await bench.store.get(task.id)
      assert.deepEqual(JSON.parse(task.params), { digits: 9 })
      assert.deepEqual(stored?.params, { digits: 9 })
      assert.equal(task.priority, 9)
      assert.equal(task.notBefore, '2031-01-31T12:00:00.000Z')
      assert.equal(task.expiresAt, '2032-01-31T12:00:00.000Z')
      assert.equal(task.maxAttempts, 3)
      assert.deepEqual(
        { ...task.retryPolicy },
        { delaySeconds: 0.5, factor: 2, maxDelaySeconds: 3600, retryOn: ['TIME_LIMIT'] },
      )
      assert.deepEqual({ ...task.limits }, { softSeconds: null, hardSeconds: 60 })
      assert.equal(task.title, 'é\u{1f600}')
      assert.equal(task.description, 'two\nlines')
      assert.equal(task.status, 'PENDING')
      assert.equal(task.createdAt, stored?.createdAt)
      assert.equal(Number(task.rev), stored?.rev)
      assert.equal(task.resultTruncated, false)
      assert.deepEqual([task.result, task.error, task.progress, task.startedAt], [null, null, null, null])
      assert.equal(task.history.length, 1)
    })

    test('the same key with the same task answers the first one, with another task it is refused', async () => {
      const options = new types.SubmitOptions({ idempotencyKey: `twice-${spoken.replace(' ', '-')}` })
      const first = await rpc.client.submitTask('calcpi', '{"digits": 1}', options)
      assert.equal((await rpc.client.submitTask('calcpi', '{"digits": 1}', options)).id, first.id)
      await assert.rejects(rpc.client.submitTask('calcpi', '{"digits": 2}', options), {
        name: 'Refused',
        code: 'IDEMPOTENCY_MISMATCH',
        status: 422,
      })
    })

    test('what cannot be submitted is Refused, with the code and every problem', async () => {
      const refused: [string, string, object, string, RegExp][] = [
        ['nothing', '{}', {}, 'KIND_UNKNOWN', /no kind "nothing"/],
        ['calcpi', '{"digits": 101}', {}, 'PARAMS_INVALID', /digits/],
        ['calcpi', '', {}, 'PARAMS_INVALID', /digits/],
        ['calcpi', '{"digits": ', {}, 'BAD_REQUEST', /params is not JSON/],
        ['calcpi', '{"__proto__": 1}', {}, 'BAD_REQUEST', /cannot be kept/],
        ['calcpi', '{"digits": 9007199254740993}', {}, 'BAD_REQUEST', /digits is an integer beyond/],
        ['calcpi', '{"digits": 1, "digits": 2}', {}, 'BAD_REQUEST', /digits stands there twice/],
        ['calcpi', `${'['.repeat(65)}${']'.repeat(65)}`, {}, 'BAD_REQUEST', /nests deeper/],
        ['calcpi', '{"digits": 1}', { priority: 10 }, 'BAD_REQUEST', /priority/],
        ['calcpi', '{"digits": 1}', { priority: -128 }, 'BAD_REQUEST', /priority/],
        ['calcpi', '{"digits": 1}', { notBefore: 'soon' }, 'BAD_REQUEST', /notBefore/],
        ['calcpi', '{"digits": 1}', { idempotencyKey: 'a b' }, 'BAD_KEY', /visible ASCII/],
        [
          'calcpi',
          '{"digits": 1}',
          { neverRetry: true, retryPolicy: new types.RetryPolicy() },
          'BAD_REQUEST',
          /exclude each other/,
        ],
      ]
      for (const [kind, params, options, code, message] of refused)
        await assert.rejects(
          rpc.client.submitTask(kind, params, new types.SubmitOptions(options)),
          { name: 'Refused', code, message },
          code,
        )
      await assert.rejects(
        rpc.client.submitTask('calcpi', '{"digits": -1}', new types.SubmitOptions()),
        (error: InstanceType<typeof types.Refused>) => {
          assert.equal(error.problems[0]?.path, 'params.digits')
          return true
        },
      )
    })

    test('a task is shown in every status, with its progress, its result and its error', async () => {
      const { id, claim } = await running()
      const progress = { percent: 50, note: 'half', etaSeconds: 1.5 }
      await bench.store.move(id, claim, report(progress, '3.1', now()))
      const half = await rpc.client.getTask(id)
      assert.equal(half.status, 'PROGRESS')
      assert.deepEqual({ ...half.progress }, progress)
      assert.equal(half.result, '"3.1"')
      assert.equal(half.worker, 'w1')
      await bench.store.move(
        id,
        claim,
        fail({ code: 'KIND_FAILED', message: 'no', detail: { a: 1 } }, null, now()),
      )
      const failed = await rpc.client.getTask(id.toUpperCase())
      assert.equal(failed.status, 'FAILURE')
      assert.deepEqual({ ...failed.error }, { code: 'KIND_FAILED', message: 'no', detail: '{"a":1}' })
      assert.deepEqual(
        failed.history.map(({ status }) => status),
        ['PENDING', 'STARTED', 'PROGRESS', 'FAILURE'],
      )
      assert.deepEqual(
        failed.attempts?.map(({ attempt, outcome, error }) => [attempt, outcome, error?.detail]),
        [[1, 'FAILURE', '{"a":1}']],
      )
      const { tasks } = await rpc.client.pageTasks(new types.TaskFilter({ text: id }), 0, '')
      assert.deepEqual(
        tasks.map(({ attempts }) => attempts),
        [null],
      )
      assert.equal((await rpc.client.getTask(await ended(null))).result, 'null')
    })

    test('what is not there is NotFound, what is no UUID is Refused', async () => {
      const id = newTaskId()
      for (const call of [
        rpc.client.getTask(id),
        rpc.client.cancelTask(id),
        rpc.client.retryTask(id),
        rpc.client.purgeTask(id),
        rpc.client.readResult(id, i64(0), 0),
        rpc.client.readLog(id, i64(0), 0),
        rpc.client.waitTask(id, '', 0),
      ])
        await assert.rejects(call, { name: 'NotFound', code: 'TASK_NOT_FOUND', status: 404 })
      await assert.rejects(rpc.client.getTask('../x'), { name: 'Refused', code: 'BAD_ID', status: 400 })
    })

    test('cancel, retry and purge do what they say, and Conflict tells when they cannot', async () => {
      const waiting = await rpc.client.submitTask('calcpi', '{"digits": 1}', new types.SubmitOptions())
      await assert.rejects(rpc.client.retryTask(waiting.id), { name: 'Conflict', code: 'TASK_NOT_ENDED' })
      await assert.rejects(rpc.client.purgeTask(waiting.id), { name: 'Conflict', code: 'TASK_NOT_ENDED' })
      const cancelled = await rpc.client.cancelTask(waiting.id)
      assert.equal(cancelled.outcome, 'revoked')
      assert.equal(cancelled.task.status, 'REVOKED')
      await assert.rejects(rpc.client.cancelTask(waiting.id), { name: 'Conflict', code: 'TASK_ENDED' })
      assert.equal((await rpc.client.retryTask(waiting.id)).status, 'PENDING')
      await rpc.client.cancelTask(waiting.id)
      await rpc.client.purgeTask(waiting.id)
      await assert.rejects(rpc.client.getTask(waiting.id), { name: 'NotFound' })
      const { id } = await running()
      const requested = await rpc.client.cancelTask(id)
      assert.equal(requested.outcome, 'requested')
      assert.equal(typeof requested.task.revokeRequestedAt, 'string')
    })

    test('a large result comes in pieces that make the whole', async () => {
      const { id, claim } = await running()
      const text = `3.${'1415926535é'.repeat(60_000)}`
      const bytes = Buffer.from(text)
      await bench.store.putBlob(id, BLOBS.textResult, bytes)
      await assert.rejects(rpc.client.readResult(id, i64(0), 0), { name: 'Conflict', code: 'TASK_NOT_ENDED' })
      await bench.store.move(id, claim, succeed(null, bytes.length, now()))
      const task = await rpc.client.getTask(id)
      assert.deepEqual(
        [task.result, Number(task.resultBytes), task.resultTruncated],
        [null, bytes.length, true],
      )
      const pieces: Buffer[] = []
      for (let at = 0; ; ) {
        const piece = await rpc.client.readResult(id, i64(at), at === 0 ? 0 : 100_001)
        assert.equal(Number(piece.totalBytes), bytes.length)
        assert.equal(piece.contentType, 'text/plain; charset=utf-8')
        const got = piece.bytes as unknown as Buffer
        if (got.length === 0) break
        pieces.push(got)
        at += got.length
      }
      assert.equal(pieces[0]?.length, 512 * 1024)
      assert.ok(Buffer.concat(pieces).equals(bytes))
      for (const offset of [bytes.length + 1, 2 ** 53 - 1])
        await assert.rejects(rpc.client.readResult(id, i64(offset), 0), {
          name: 'Refused',
          code: 'RANGE_NOT_SATISFIABLE',
        })
      for (const offset of [i64(-1), new thrift.Int64('7fffffffffffffff')])
        await assert.rejects(rpc.client.readResult(id, offset, 0), { name: 'Refused', code: 'BAD_REQUEST' })
      await assert.rejects(rpc.client.readResult(id, i64(0), -1), { name: 'Refused', code: 'BAD_REQUEST' })
    })

    test('a small result is read too, a failure has none, and a log may be empty', async () => {
      const id = await ended({ a: 1 })
      const piece = await rpc.client.readResult(id, i64(1), 3)
      assert.equal(piece.bytes.toString(), '"a"')
      assert.equal(piece.contentType, 'application/json')
      assert.equal(Number((await rpc.client.readLog(id, i64(0), 0)).totalBytes), 0)
      await bench.store.putBlob(id, BLOBS.log, Buffer.from('one\ntwo\n'))
      assert.equal((await rpc.client.readLog(id, i64(4), 0)).bytes.toString(), 'two\n')
      const { id: lost, claim } = await running()
      await bench.store.move(
        lost,
        claim,
        fail({ code: 'KIND_FAILED', message: '', detail: null }, null, now()),
      )
      await assert.rejects(rpc.client.readResult(lost, i64(0), 0), {
        name: 'NotFound',
        code: 'RESULT_NOT_FOUND',
      })
    })

    test('kinds come with their schemas', async () => {
      const [kind] = await rpc.client.listKinds()
      assert.equal(kind?.name, 'calcpi')
      assert.equal(JSON.parse(kind?.paramsSchema ?? '').properties.digits.maximum, 100)
      assert.deepEqual(JSON.parse(kind?.example ?? ''), { digits: 3 })
    })

    test('a kind in trouble is named with the reason, and a submit to it is Unavailable', async () => {
      const [trouble, ...others] = await rpc.client.listKindTroubles()
      assert.equal(others.length, 0)
      assert.deepEqual({ ...trouble }, { name: 'broken', file: 'broken.ts', reason: 'no luck', roles: [] })
      await assert.rejects(rpc.client.submitTask('broken', '{}', {}), {
        name: 'Unavailable',
        code: 'KIND_IN_TROUBLE',
        status: 503,
        message: 'The kind broken cannot be run: broken.ts: no luck',
      })
    })

    test('the status of the host holds sizes over 32 bits, and what is unset is unset', async () => {
      const status = await rpc.client.hostStatus()
      assert.equal(status.version, '1.2.3')
      assert.equal(status.hostName, 'machine')
      assert.equal(Number(status.memory.totalBytes), machine.memory.totalBytes)
      assert.equal(Number(status.disks[0]?.totalBytes), 2 ** 52 + 1)
      assert.equal(status.cpu.loadPercent, null)
      assert.deepEqual(status.cpu.loadPercentPerCore, [10, 15.5])
      assert.deepEqual(
        { ...status.addresses[0] },
        {
          networkInterface: 'lo',
          address: '127.0.0.1',
          family: 'IPv4',
          isInternal: true,
        },
      )
      assert.equal(status.container?.cpuCores, 1.5)
      assert.equal(Number(status.container?.memoryLimitBytes), 2 ** 33)
      assert.equal(Number(status.tasks?.PENDING), (await bench.store.counts()).byStatus.PENDING)
      assert.deepEqual(status.troubles, {})
    })

    test('the queue says how it is', async () => {
      const queue = await rpc.client.queueStatus()
      assert.deepEqual([queue.status, Number(queue.outbox), queue.reason], ['ready', 0, null])
    })

    test('a wait is answered by the change, by its time, and at once where the version is another', async () => {
      const { id, claim } = await running()
      const task = await rpc.client.getTask(id)
      assert.equal((await rpc.client.waitTask(id, '', 30_000)).version, task.version)
      assert.equal((await rpc.client.waitTask(id, task.version, 20)).version, task.version)
      const waiting = rpc.client.waitTask(id, task.version, 30_000)
      await bench.store.move(id, claim, report({ percent: 1, note: null, etaSeconds: null }, null, now()))
      const changed = await waiting
      assert.equal(changed.status, 'PROGRESS')
      assert.notEqual(changed.version, task.version)
      for (const timeout of [-1, 30_001])
        await assert.rejects(rpc.client.waitTask(id, '', timeout), { name: 'Refused', code: 'BAD_REQUEST' })
    })
  })

describe('a door in trouble', () => {
  test('a store that cannot be read is Unavailable, a fault INTERNAL, and nothing says why', async () => {
    const away = new MadhavaError('STORE_UNAVAILABLE', undefined, { cause: new Error('/secret/path') })
    const broken = await openBench({}, service => ({
      ...service,
      get: () => Promise.reject(away),
      state: () => Promise.reject(away),
      list: () => Promise.reject(new Error('/secret/path')),
    }))
    const { client, close } = openClient(broken.door)
    try {
      const unavailable = { name: 'Unavailable', code: 'STORE_UNAVAILABLE', status: 503 }
      await assert.rejects(client.getTask(newTaskId()), unavailable)
      await assert.rejects(client.queueStatus(), unavailable)
      await assert.rejects(client.pageTasks(new types.TaskFilter(), 1, ''), {
        name: 'TApplicationException',
        message: 'INTERNAL: Something went wrong inside the server',
      })
      const status = await client.hostStatus()
      assert.deepEqual(status.troubles, { state: 'The store cannot be read or written' })
      assert.equal(status.processes, null)
    } finally {
      close()
      await broken.close()
    }
  })

  test('a call that takes too long is Unavailable', async () => {
    const slow = await openBench({ callMs: 30 }, service => ({
      ...service,
      get: () => new Promise(() => {}),
    }))
    const { client, close } = openClient(slow.door)
    try {
      await assert.rejects(client.getTask(newTaskId()), { name: 'Unavailable', code: 'STORE_UNAVAILABLE' })
    } finally {
      close()
      await slow.close()
    }
  })

  test('a wait ends when its client goes, and when the door closes', async () => {
    const ends: string[] = []
    const own = await openBench({}, service => ({
      ...service,
      wait: async (...args) => {
        const answer = await service.wait(...args)
        ends.push(answer.task.id)
        return answer
      },
    }))
    const { client, close } = openClient(own.door)
    try {
      const { id, version } = await client.submitTask('calcpi', '{"digits":1}', new types.SubmitOptions())
      const gone = await openRaw(own.door)
      const waitCall = wire.call(
        'waitTask',
        1,
        wire.field(11, 1, wire.string(id)),
        wire.field(11, 2, wire.string(version)),
        wire.field(8, 3, wire.i32(30_000)),
      )
      gone.socket.write(waitCall)
      const stays = await openRaw(own.door)
      stays.socket.write(waitCall)
      await until('both wait', () => own.door.counters().connections === 3)
      gone.socket.destroy()
      await until('one has ended', () => ends.length === 1)
      await own.door.close()
      await stays.closed()
      assert.equal(ends.length, 2)
      assert.match(stays.received().toString('latin1'), /waitTask/)
    } finally {
      close()
      await own.close()
    }
  })

  test('a text that is no UTF-8 is refused, not replaced', async () => {
    const client = await openRaw(bench.door)
    client.socket.write(
      wire.call('getTask', 5, wire.field(11, 1, Buffer.concat([wire.i32(2), Buffer.from([0xc3, 0x28])]))),
    )
    await until('the answer', () => client.received().length > 20)
    assert.match(client.received().toString('latin1'), /BAD_REQUEST: A text is not UTF-8/)
    client.socket.destroy()
  })
})
