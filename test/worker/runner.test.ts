// The runner on a memory store, with real threads: what becomes of a task, whatever its kind and the store do.
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { deserialize } from 'node:v8'
import { BLOBS } from '../../src/core/content.ts'
import { createFailures } from '../../src/core/failures.ts'
import { retryByHand, revoke } from '../../src/core/moves.ts'
import { retryPolicySchema } from '../../src/core/task.ts'
import { keepingLog } from '../support/keeping-log.ts'
import { until } from '../support/until.ts'
import { openPool, setUp } from './runner-fixture.ts'

const OUTER = { timeout: 300_000 }
const threads = openPool()
after(() => threads.close())
const now = () => new Date().toISOString()
const retry = (delaySeconds: number) => retryPolicySchema.parse({ delaySeconds })

describe('a task that ends by itself', () => {
  it('runs to SUCCESS with its result in the record', OUTER, async t => {
    const world = setUp(t, threads)
    const { runner } = world.openRunner('w1')
    assert.equal(await runner.take(), null)
    const id = await world.submit('return the value', { sum: 3 })
    const taken = await runner.take()
    assert.ok(taken, 'nothing was taken')
    assert.deepEqual(runner.running(), [id])
    await taken.ended
    const task = await world.get(id)
    assert.equal(task.status, 'SUCCESS')
    assert.deepEqual(task.result, { sum: 3 })
    assert.equal(task.resultBytes, null)
    assert.equal(task.worker, 'w1')
    assert.deepEqual(runner.running(), [])
    assert.deepEqual(runner.counters(), {
      taken: 1,
      unrunnable: 0,
      succeeded: 1,
      failed: 0,
      retried: 0,
      revoked: 0,
      givenBack: 0,
      lost: 0,
    })
  })

  it('keeps progress, partial result, log and checkpoint while it runs', OUTER, async t => {
    const world = setUp(t, threads)
    const { runner } = world.openRunner('w1')
    const id = await world.submit('checkpoint and wait')
    const taken = await runner.take()
    await world.reports(id)
    assert.equal((await world.get(id)).progress?.percent, 50)
    await until('the checkpoint is kept', async () => (await world.blob(id, BLOBS.checkpoint)) !== null)
    const kept = await world.blob(id, BLOBS.checkpoint)
    assert.deepEqual(kept && deserialize(kept.subarray(32)), { kept: true })
    await world.client.revoke(id, now())
    await taken?.ended
  })

  it('keeps the last partial result that was reported just before an error', OUTER, async t => {
    const world = setUp(t, threads)
    const { runner } = world.openRunner('w1', { progressEveryMs: 60_000 })
    const id = await world.submit('report a part and throw at once')
    await (await runner.take())?.ended
    const task = await world.get(id)
    assert.deepEqual([task.status, task.result], ['FAILURE', 'second part'])
  })

  it('keeps its result before it gives its checkpoint up', OUTER, async t => {
    const world = setUp(t, threads)
    const calls: string[] = []
    const { runner } = world.openRunner('w1', {
      wrap: store => ({
        ...store,
        putBlob: async (id, name, bytes) => {
          const info = await store.putBlob(id, name, bytes)
          calls.push(`kept ${name}`)
          return info
        },
        removeBlob: async (id, name) => {
          calls.push(`gave up ${name}`)
          await store.removeBlob(id, name)
        },
      }),
    })
    const id = await world.submit('checkpoint, then return text', 20_000)
    await (await runner.take())?.ended
    assert.equal((await world.get(id)).status, 'SUCCESS')
    const [kept, gaveUp] = [`kept ${BLOBS.textResult}`, `gave up ${BLOBS.checkpoint}`].map(call =>
      calls.indexOf(call),
    )
    assert.ok(kept !== undefined && gaveUp !== undefined && kept >= 0 && kept < gaveUp, calls.join(', '))
  })

  it('has its log complete, each line with its time, when it has ended', OUTER, async t => {
    const world = setUp(t, threads)
    const { runner } = world.openRunner('w1')
    const id = await world.submit('report, log, checkpoint', 'a part')
    await (await runner.take())?.ended
    assert.equal((await world.get(id)).status, 'SUCCESS')
    const lines = (await world.log(id)).split('\n').slice(0, -1)
    assert.deepEqual(
      lines.map(line => line.slice(25)),
      ['one', 'two', 'printed { a: 1 }', 'no line end'],
    )
    assert.ok(
      lines.every(line => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /.test(line)),
      lines.join(),
    )
    assert.equal(await world.blob(id, BLOBS.checkpoint), null, 'a checkpoint outlived the success')
  })

  it(
    'puts a large text or JSON result into a blob of its own, and takes away that of an earlier run',
    OUTER,
    async t => {
      const world = setUp(t, threads)
      const { runner } = world.openRunner('w1')
      const text = await world.submit('return text', 50_000)
      const json = await world.submit('return numbers', 20_000)
      for (const taken of [await runner.take(), await runner.take()]) await taken?.ended
      assert.equal(String(await world.blob(text, BLOBS.textResult)), 'π'.repeat(50_000))
      assert.equal((await world.get(text)).resultBytes, 100_000)
      assert.equal((await world.get(text)).result, null)
      assert.equal((await world.blob(json, BLOBS.jsonResult))?.length, (await world.get(json)).resultBytes)
      await world.client.putBlob(json, BLOBS.textResult, Buffer.from('stale'))
      await world.client.claim(json, retryByHand(now()))
      await (await runner.take())?.ended
      assert.equal((await world.get(json)).status, 'SUCCESS')
      assert.equal(await world.blob(json, BLOBS.textResult), null)
      // and once more, with a result that has room in the record
      await world.client.putBlob(json, BLOBS.textResult, Buffer.from('stale'))
      await world.client.claim(json, task => ({
        ...retryByHand(now())(task),
        params: { act: 'return the value', value: 1 },
      }))
      await (await runner.take())?.ended
      assert.deepEqual([(await world.get(json)).result, (await world.get(json)).resultBytes], [1, null])
      for (const name of [BLOBS.textResult, BLOBS.jsonResult])
        assert.equal(await world.blob(json, name), null, name)
    },
  )

  it(
    'ends in FAILURE with KIND_FAILED and at most 2,000 characters, and without a path in the record',
    OUTER,
    async t => {
      const failures = createFailures(['unruly', 'other'])
      const world = setUp(t, threads, { failures })
      const { runner } = world.openRunner('w1')
      for (const [act, code, words] of [
        ['throw an error', 'KIND_FAILED', /^it went wrong$/],
        ['throw a long error', 'KIND_FAILED', /^x{2000}$/],
        ['return a BigInt', 'RESULT_INVALID', /BigInt/],
        ['eat memory', 'OUT_OF_MEMORY', /64 MB/],
        ['exit', 'KIND_FAILED', /process\.exit/],
      ] as const) {
        const id = await world.submit(act)
        await (await runner.take())?.ended
        const { status, error } = await world.get(id)
        assert.equal(status, 'FAILURE', act)
        assert.equal(error?.code, code)
        assert.match(error?.message ?? '', words)
        assert.doesNotMatch(error?.message ?? '', /unruly\.ts|node_modules|\n/)
        assert.doesNotMatch(JSON.stringify(error), /[/\\]unruly\.ts|node_modules/)
        assert.match(await world.log(id), new RegExp(`attempt 1 failed: ${code}`))
      }
      assert.equal(runner.counters().failed, 5)
      assert.deepEqual(failures.snapshot(), {
        unruly: { KIND_FAILED: 3, RESULT_INVALID: 1, OUT_OF_MEMORY: 1 },
        other: { KIND_FAILED: 0 },
      })
    },
  )
})

describe('a task that is tried again', () => {
  it(
    'goes to RETRY until its time, as its policy says, and keeps the log of every attempt',
    OUTER,
    async t => {
      const world = setUp(t, threads, { random: () => 0 })
      const { runner } = world.openRunner('w1')
      const id = await world.submit('throw an error', null, { retry: retry(60), maxAttempts: 2 })
      const before = Date.now()
      await (await runner.take())?.ended
      const waiting = await world.get(id)
      assert.equal(waiting.status, 'RETRY')
      const wait = Date.parse(waiting.notBefore ?? '') - before
      assert.ok(wait >= 30_000 && wait < 60_000, `it waits ${wait} ms`)
      assert.equal(await runner.take(), null)
      assert.equal(runner.counters().retried, 1)
    },
  )

  it(
    'is tried again only for the errors that its policy names: by code, name, or their own code',
    OUTER,
    async t => {
      const world = setUp(t, threads)
      const { runner } = world.openRunner('w1')
      const named = { ...retry(60), retryOn: ['ECONNREFUSED', 'TimeoutError', 'TIME_LIMIT'] }
      const soft = { softSeconds: 0.05, hardSeconds: null }
      const refused = { name: 'Error', code: 'ECONNREFUSED' }
      const plain = ['Error']
      for (const [act, value, policy, limits, status, names] of [
        ['throw by name and code', refused, named, null, 'RETRY', ['Error', 'ECONNREFUSED']],
        ['throw by name and code', { name: 'TimeoutError' }, named, null, 'RETRY', ['TimeoutError']],
        ['throw by name and code', { name: 'TypeError' }, named, null, 'FAILURE', ['TypeError']],
        ['throw by name and code', { code: 7 }, named, null, 'FAILURE', ['Error', '7']],
        ['throw by name and code', { code: 7 }, { ...named, retryOn: ['7'] }, null, 'RETRY', ['Error', '7']],
        ['throw for a cause', null, named, null, 'RETRY', ['Error', 'AggregateError', 'ECONNREFUSED']],
        ['throw an object', null, { ...named, retryOn: ['E_QUOTA'] }, null, 'RETRY', ['E_QUOTA']],
        ['throw an error', null, named, null, 'FAILURE', plain],
        ['throw a string', null, named, null, 'FAILURE', null],
        ['loop for ever', null, named, soft, 'RETRY', null],
        ['throw an error', null, { ...named, retryOn: ['KIND_FAILED'] }, null, 'RETRY', plain],
        ['throw an error', null, { ...named, retryOn: ['Error'] }, null, 'RETRY', plain],
        ['throw an error', null, { ...named, retryOn: [] }, null, 'FAILURE', plain],
        // what would end in the same way is not tried again whatever the policy names
        ['return a cycle', null, { ...named, retryOn: ['RESULT_INVALID'] }, null, 'FAILURE', null],
      ] as const) {
        const retried = { ...policy, retryOn: [...policy.retryOn] }
        const id = await world.submit(act, value, { retry: retried, ...(limits ? { limits } : {}) })
        await (await runner.take())?.ended
        const task = await world.get(id)
        const what = JSON.stringify([act, value, policy.retryOn, task.error])
        assert.equal(task.status, status, what)
        const detail = task.error?.detail as { names?: string[] } | null
        assert.deepEqual(detail?.names ?? null, names, what)
      }
    },
  )

  it(
    'tells why each attempt failed: with its causes in the record, with all stacks in its log, as a warning',
    OUTER,
    async t => {
      const { log, lines } = keepingLog()
      const world = setUp(t, threads, { log })
      const { runner } = world.openRunner('w1')
      const id = await world.submit('throw for a cause once', null, { retry: retry(0) })
      await (await runner.take())?.ended
      const { status, error } = await world.get(id)
      assert.equal(status, 'RETRY')
      assert.equal(error?.message, 'no user: nobody answers: refused by db-1')
      assert.ok(error)
      const { causes, stack } = error.detail as { causes: { message: string }[]; stack: string[] }
      assert.deepEqual(
        causes.map(({ message }) => message),
        ['nobody answers', 'refused by db-1'],
      )
      assert.match(stack.join('\n'), /^at .*unruly\.ts:\d+:\d+/)
      assert.ok(JSON.stringify(error).length < 4_096, 'it stays small')
      assert.ok(lines().some(({ level, message }) => level === 'warn' && message === 'an attempt failed'))
      await (await runner.take())?.ended
      assert.equal((await world.get(id)).status, 'SUCCESS')
      const told = await world.log(id)
      assert.match(told, /attempt 1 failed: KIND_FAILED: no user: nobody answers: refused by db-1\n/)
      assert.match(told, /cause: AggregateError: nobody answers\n.* at .*unruly\.ts/)
      assert.match(told, /cause: Error: refused by db-1\n.* at .*unruly\.ts/)
    },
  )

  it('resumes from the checkpoint of the attempt before', OUTER, async t => {
    const world = setUp(t, threads)
    const { runner } = world.openRunner('w1')
    const id = await world.submit('throw when resumed without', null, { retry: retry(0) })
    await (await runner.take())?.ended
    await (await runner.take())?.ended
    const task = await world.get(id)
    assert.equal(task.status, 'SUCCESS')
    assert.equal(task.result, 'resumed from {"from":1}')
    assert.equal(task.attempt, 2)
    assert.match(await world.log(id), /attempt 1 failed: KIND_FAILED: lost on the way/)
    assert.equal(await world.blob(id, BLOBS.checkpoint), null)
  })

  it('takes a damaged checkpoint for none', OUTER, async t => {
    const world = setUp(t, threads)
    const { runner } = world.openRunner('w1')
    const id = await world.submit('tell about itself')
    await world.client.claim(id, revoke(now()))
    await world.client.claim(id, retryByHand(now()))
    for (const damaged of ['', 'short', 'x'.repeat(100)]) {
      await world.client.putBlob(id, BLOBS.checkpoint, Buffer.from(damaged))
      await (await runner.take())?.ended
      const task = await world.get(id)
      assert.deepEqual(task.result, { id, attempt: 1, resume: null })
      await world.client.claim(id, retryByHand(now()))
    }
  })

  it('is not tried again when another attempt would end in the same way', OUTER, async t => {
    const world = setUp(t, threads)
    const { runner } = world.openRunner('w1')
    const id = await world.submit('return a cycle', null, { retry: retry(0) })
    await (await runner.take())?.ended
    assert.equal((await world.get(id)).status, 'FAILURE')
  })
})
