// The client for TypeScript, against a real door: what it answers, and that a call always ends.
import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { afterEach, describe, test } from 'node:test'
import { createRpcClient, type RpcClient, type RpcOptions } from '../../src/client/rpc.ts'
import type { LogEntry } from '../../src/client/task.ts'
import { BLOBS } from '../../src/core/content.ts'
import { fail, report, start, succeed } from '../../src/core/moves.ts'
import { type Bench, machine, openBench, until } from '../rpc/fixture.ts'
import { writesLog } from '../support/writes-log.ts'

const toClose: (() => unknown)[] = []
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close()
})
const now = () => new Date().toISOString()

const opened = async (
  options: RpcOptions = {},
  ...args: Parameters<typeof openBench>
): Promise<{ bench: Bench; rpc: RpcClient }> => {
  const bench = await openBench(...args)
  toClose.push(() => bench.close())
  const rpc = createRpcClient({ port: bench.door.address.port, ...options })
  toClose.push(() => rpc.close())
  return { bench, rpc }
}
/** Takes a task as a worker does. */
const claimed = async ({ store }: Bench, id: string): Promise<number> =>
  (await store.claim(id, start('w1', now())))?.claim ?? assert.fail('not claimed')

test('a call that cannot be written harms none that comes after it', async t => {
  const { rpc } = await opened({ timeoutMs: 60_000 })
  const { id } = await rpc.submit('calcpi', { digits: 3 })
  const loop: Record<string, unknown> = {}
  loop.self = loop
  t.mock.timers.enable({ apis: ['setTimeout'] })
  await assert.rejects(rpc.submit('calcpi', loop as never), /circular/)
  t.mock.timers.tick(40_000)
  const next = rpc.get(id)
  // the time of the call before would be over now, this one's is not
  t.mock.timers.tick(40_000)
  assert.equal((await next).id, id)
  await assert.rejects(rpc.get(5 as never))
  assert.equal((await rpc.get(id)).id, id)
})

for (const protocol of ['binary', 'compact'] as const)
  describe(`the client, ${protocol}`, () => {
    test('submits, reads, waits and lists with plain values', async () => {
      const { bench, rpc } = await opened({ protocol })
      await rpc.ping()
      assert.equal(await rpc.version(), '1.2.3')
      const at = new Date('2031-01-31T12:00:00Z')
      const task = await rpc.submit(
        'calcpi',
        { digits: 3 },
        { expiresAt: at, title: 'é', retry: null, priority: 0 },
      )
      assert.deepEqual(task.params, { digits: 3 })
      assert.equal(task.expiresAt, '2031-01-31T12:00:00.000Z')
      assert.equal(task.priority, 0)
      assert.equal(task.retryPolicy, null)
      assert.equal(typeof task.rev, 'number')
      assert.deepEqual(
        [task.result, task.error, task.progress, task.resultBytes, task.notBefore],
        [null, null, null, null, null],
      )
      assert.deepEqual(await rpc.get(task.id), task)
      assert.equal((await rpc.waitForChange(task, 10)).version, task.version)

      const statuses: string[] = []
      const ending = rpc.waitForEnd(task.id, { onChange: seen => statuses.push(seen.status) })
      await until('the first state is seen', () => statuses.length === 1)
      const claim = await claimed(bench, task.id)
      await until('the start is seen', () => statuses.length === 2)
      const progress = { percent: 50, note: null, etaSeconds: null }
      await bench.store.move(task.id, claim, report(progress, [3, 1], now()))
      await until('the progress is seen', () => statuses.length === 3)
      assert.deepEqual((await rpc.get(task.id)).result, [3, 1])
      await bench.store.move(task.id, claim, succeed({ pi: 3.14 }, null, now()))
      assert.deepEqual((await ending).result, { pi: 3.14 })
      assert.deepEqual(statuses, ['PENDING', 'STARTED', 'PROGRESS', 'SUCCESS'])
      assert.deepEqual(await rpc.result(task.id), { pi: 3.14 })

      const ids = [task.id]
      for (let i = 0; i < 3; i += 1) ids.unshift((await rpc.submit('echo', i)).id)
      const first = await rpc.page({ text: '0' }, { limit: 2 })
      assert.deepEqual([first.tasks.length, typeof first.nextCursor], [2, 'string'])
      const listed: string[] = []
      for await (const one of rpc.all({ createdFrom: new Date(0) })) listed.push(one.id)
      assert.deepEqual(listed, ids)
      const oldest: string[] = []
      for await (const one of rpc.all({}, { sort: 'createdAt' })) oldest.push(one.id)
      assert.deepEqual(oldest, ids.toReversed())
      const { tasks } = await rpc.page({}, { sort: '-finishedAt' })
      assert.deepEqual(
        tasks.map(({ id }) => id),
        [task.id],
      )
      assert.deepEqual((await rpc.page({ statuses: ['FAILURE'] })).tasks, [])
    })

    test('follows a log up to the end of its task, and reads it from any line', async () => {
      const { bench, rpc } = await opened({ protocol })
      const { id } = await rpc.submit('echo', 1)
      const claim = await claimed(bench, id)
      const { say, log } = writesLog(bench.store, id)
      const seen: LogEntry[] = []
      const following = (async () => {
        for await (const entry of rpc.followLog(id)) seen.push(entry)
      })()
      await say('one')
      await until('the line is seen', () => seen.length === 1)
      log.skip(7)
      await say('two')
      await bench.store.move(id, claim, succeed(1, null, now()))
      await following
      assert.deepEqual(
        seen.map(entry => ('text' in entry ? [entry.n, entry.attempt, entry.level, entry.text] : entry)),
        [[1, 1, 'info', 'one'], { omitted: 7, from: 2, to: 8 }, [9, 1, 'info', 'two']],
      )
      assert.deepEqual(await rpc.logEntries(id, 8), { entries: seen.slice(2), last: 9, ended: true })
    })

    test('reads a large result whole, in pieces and as text, and notices when it is another one', async () => {
      const { bench, rpc } = await opened({ protocol })
      const { id } = await rpc.submit('echo', 1)
      const text = '3.14é'.repeat(200_000)
      await bench.store.putBlob(id, BLOBS.textResult, Buffer.from(text))
      await bench.store.putBlob(id, BLOBS.log, Buffer.from('one\n'))
      const claim = await claimed(bench, id)
      await bench.store.move(id, claim, succeed(null, Buffer.byteLength(text), now()))
      assert.equal(await rpc.result(id), text)
      assert.equal(await rpc.log(id), 'one\n')
      const pieces = rpc.resultPieces(id)
      assert.equal((await pieces.next()).value?.length, 512 * 1024)
      await rpc.retry(id)
      const again = await claimed(bench, id)
      await bench.store.putBlob(id, BLOBS.textResult, Buffer.from(text))
      await bench.store.move(id, again, succeed(null, Buffer.byteLength(text), now()))
      await assert.rejects(pieces.next(), /has changed while/)
    })

    test('rejects with the code, the status and the problems of an error', async () => {
      const { bench, rpc } = await opened({ protocol })
      await assert.rejects(rpc.submit('calcpi', { digits: -1 }), {
        name: 'RpcError',
        code: 'PARAMS_INVALID',
        status: 422,
        problems: [{ path: 'params.digits', problem: 'Too small: expected number to be >=0' }],
      })
      const { id } = await rpc.submit('echo', 1)
      await assert.rejects(rpc.retry(id), { code: 'TASK_NOT_ENDED', status: 409 })
      await assert.rejects(rpc.result(id), { code: 'TASK_NOT_ENDED' })
      const claim = await claimed(bench, id)
      const { id: cancelRequested } = await rpc.submit('echo', 2)
      await claimed(bench, cancelRequested)
      assert.equal((await rpc.cancel(cancelRequested)).outcome, 'requested')
      const error = { code: 'KIND_FAILED', message: 'no', detail: { a: 1 } }
      await bench.store.move(id, claim, fail(error, null, now()))
      assert.deepEqual((await rpc.get(id)).error, error)
      await assert.rejects(rpc.cancel(id), { code: 'TASK_ENDED' })
      await rpc.purge(id)
      await assert.rejects(rpc.get(id), { code: 'TASK_NOT_FOUND', status: 404 })
      await assert.rejects(rpc.waitForEnd(id), { code: 'TASK_NOT_FOUND' })
    })

    test('tells the machine, the queue and the kinds in numbers and objects', async () => {
      const { rpc } = await opened({ protocol })
      const status = await rpc.hostStatus()
      assert.deepEqual(status.memory, machine.memory)
      assert.deepEqual(status.disks, machine.disks)
      assert.equal(status.cpu.loadPercent, null)
      assert.equal(status.tasks?.PENDING, 0)
      assert.equal((await rpc.queueStatus()).outbox, 0)
      const [kind] = await rpc.kinds()
      assert.deepEqual(kind?.example, { digits: 3 })
      assert.deepEqual(await rpc.kindTroubles(), [
        { name: 'broken', file: 'broken.ts', reason: 'no luck', roles: [] },
      ])
      assert.equal((kind?.paramsSchema as { type?: string } | undefined)?.type, 'object')
    })
  })

describe('calls of the client always end', () => {
  /** A server that does with each connection what it is told. */
  const serverThat = async (does: (socket: Socket) => void): Promise<number> => {
    const sockets = new Set<Socket>()
    const server = createServer(socket => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      does(socket)
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    toClose.push(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    return (server.address() as { port: number }).port
  }
  const clientOf = (port: number, options: RpcOptions = {}) => {
    const rpc = createRpcClient({ port, ...options })
    toClose.push(() => rpc.close())
    return rpc
  }

  test('many at once share the connections, a wait does not hold up the others', async () => {
    const { bench, rpc } = await opened({ connections: 2 })
    const task = await rpc.submit('echo', 1)
    const waiting = rpc.waitForChange(task)
    const ids = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => (await rpc.submit('echo', i)).id),
    )
    assert.equal(new Set(ids).size, 20)
    assert.ok(bench.door.counters().connections <= 2)
    await rpc.cancel(task.id)
    assert.equal((await waiting).status, 'REVOKED')
  })

  test('when there is no server, when it goes, says nothing, or says what is no reply', async () => {
    const silent = await serverThat(() => undefined)
    await assert.rejects(clientOf(silent, { timeoutMs: 50 }).ping(), {
      name: 'RpcConnectionError',
      message: /no answer within 50 ms/,
    })
    const rude = await serverThat(socket => socket.on('data', () => socket.destroy()))
    await assert.rejects(clientOf(rude).ping(), { name: 'RpcConnectionError', message: /has closed/ })
    for (const bytes of ['HTTP/1.1 400 Bad Request\r\n\r\n', '\0\0\0\x04abcd', '\x7f\xff\xff\xff']) {
      const port = await serverThat(socket => socket.on('data', () => socket.write(bytes, 'latin1')))
      await assert.rejects(clientOf(port).ping(), { name: 'RpcConnectionError', message: /no reply/ })
    }
    const { bench, rpc } = await opened()
    await rpc.ping()
    await bench.door.close()
    await assert.rejects(rpc.ping(), { name: 'RpcConnectionError' })
    await assert.rejects(rpc.ping(), { name: 'RpcConnectionError', message: /ECONNREFUSED/ })
  })

  test('after a connection was lost the next call opens another', async () => {
    const { bench, rpc } = await opened({}, { idleMs: 50 })
    await rpc.ping()
    await until('the server has ended the idle connection', () => bench.door.counters().connections === 0)
    // the client may not have seen it yet
    await rpc.ping().catch(() => undefined)
    await rpc.ping()
  })

  test('calls that wait for a connection get a new one when theirs is lost', {
    timeout: 300_000,
  }, async () => {
    const rude = await serverThat(socket => socket.on('data', () => socket.destroy()))
    const rpc = clientOf(rude, { connections: 1 })
    const calls = Array.from({ length: 5 }, () => rpc.ping())
    const ends = await Promise.allSettled(calls)
    assert.deepEqual(
      ends.map(end => end.status === 'rejected' && (end.reason as Error).name),
      calls.map(() => 'RpcConnectionError'),
    )
  })

  test('close rejects those under way and those that wait, and later ones', async () => {
    const port = await serverThat(() => undefined)
    const rpc = clientOf(port, { connections: 1 })
    const calls = [rpc.ping(), rpc.version()].map(call =>
      assert.rejects(call, { name: 'RpcConnectionError' }),
    )
    await new Promise(resolve => setImmediate(resolve))
    rpc.close()
    rpc.close()
    await Promise.all(calls)
    await assert.rejects(rpc.ping(), { name: 'RpcConnectionError', sent: false })
  })
})
