// The client against the REST door on a real port, with a network in between that can fail.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import {
  ApiError,
  type Client,
  type DeadPage as ClientDeadPage,
  type KindInfo as ClientKind,
  type ClientOptions,
  type Submission as ClientSubmission,
  type TaskView as ClientView,
  type Waiting as ClientWaiting,
  ConnectionError,
  createClient,
  type Filter,
  type HostInfo,
  type LogEntry,
  type ProcessInfo,
  type ServerStatus,
  type Task,
  type Upload,
  WaitTimeoutError,
  type WatchEvent,
} from '../../src/client/client.ts'
import type { DeadPage } from '../../src/core/dead.ts'
import type { FILTERS, FilterName } from '../../src/core/filter.ts'
import type { KindInfo } from '../../src/core/kind-info.ts'
import { fail, report, succeed } from '../../src/core/moves.ts'

import type { ServiceState } from '../../src/core/service.ts'
import type { ProcessView } from '../../src/core/state-reader.ts'
import type { Submission } from '../../src/core/submission.ts'
import type { ShownTask, TaskView } from '../../src/core/task-view.ts'
import type { UploadInfo } from '../../src/core/uploads.ts'
import type { Waiting } from '../../src/core/wait-reasons.ts'
import type { HostSnapshot } from '../../src/platform/host.ts'
import { silentLog } from '../../src/platform/log.ts'
import { type HttpServer, serveHttp } from '../../src/platform/serve.ts'
import { createFixture, type Fixture, HOST } from '../api/fixture.ts'
import { soon } from '../support/soon.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'
import { writesLog } from '../support/writes-log.ts'

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
/** Without what a later version may add. */
type Known<T> = { [K in keyof T as string extends K ? never : K]: T[K] }
/** The client's types say what the server's say: this does not compile when they differ. */
const SAME: [
  Same<Task, Known<ShownTask>>,
  Same<Known<ClientView>, Known<TaskView>>,
  KindInfo extends ClientKind ? true : false,
  Same<keyof ClientKind, keyof KindInfo>,
  ClientSubmission extends Submission ? true : false,
  Same<keyof ClientSubmission, keyof Submission>,
  Same<keyof Filter, NonNullable<(typeof FILTERS)[FilterName]['query']>>,
  Same<ClientWaiting, Waiting>,
  Same<Upload, UploadInfo>,
  Same<HostInfo, HostSnapshot>,
  Same<keyof ProcessInfo, Exclude<keyof ProcessView, 'bundle'>>,
  Same<keyof ClientDeadPage, keyof DeadPage>,
  Same<ServerStatus['queue'], ServiceState['queue'] | null>,
] = [true, true, true, true, true, true, true, true, true, true, true, true, true]

const UNKNOWN = '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f'
const now = () => new Date().toISOString()

let door: Fixture
let http: HttpServer
let network: TcpProxy
let client: Client
let ending: AbortController

const open = async (port = 0): Promise<void> => {
  http = await serveHttp({
    fetch: (request, env) => door.app.fetch(request, env as never),
    host: '127.0.0.1',
    port,
    setting: 'API_PORT',
    log: silentLog(),
    // a client that is well keeps its connections: the server is to end those that rest before a test gives up
    limits: { keepAliveTimeout: 2_000 },
  })
}
const clientOf = (options: Partial<ClientOptions> = {}): Client =>
  createClient({ baseUrl: `http://127.0.0.1:${network.port}/`, patienceMs: 30_000, ...options })

beforeEach(async () => {
  ending = new AbortController()
  door = createFixture()
  await open()
  network = await startTcpProxy({ port: http.address.port })
  client = clientOf()
})
afterEach(async () => {
  ending.abort()
  await network.close()
  await door.close()
  await http.close()
})

const refusedWith = async (call: Promise<unknown>, status: number, code: string): Promise<ApiError> => {
  const error = await soon(
    call.then(
      () => assert.fail('it was not refused'),
      (thrown: unknown) => thrown,
    ),
    'the refusal',
  )
  assert.ok(error instanceof ApiError, String(error))
  assert.deepEqual([error.status, error.code], [status, code])
  return error
}
const progress = (percent: number) => report({ percent, note: null, etaSeconds: null }, null, now())
const end = (id: string) => door.store.move(id, 1, succeed('done', null, now()))
/** Reads into a list; `over` is the end, or what was thrown. */
const collect = <T>(items: AsyncGenerator<T, void, void>) => {
  const seen: T[] = []
  const over = (async () => {
    for await (const item of items) seen.push(item)
  })()
  over.catch(() => {})
  return { seen, over: () => soon(over, 'the end') }
}

describe('the client', () => {
  it('has the types of the server', () => assert.ok(SAME.every(same => same)))

  it('submits, gets, lists, cancels, retries, purges', async () => {
    const task = await client.submit({ kind: 'echo', params: { a: [1] }, title: 'One', priority: 7 })
    assert.deepEqual(await client.get(task.id), task)
    assert.deepEqual(await door.store.get(task.id), task)
    const told = await client.why(task.id)
    assert.deepEqual([told.reason, told.since], ['NO_WORKER', task.createdAt])
    assert.deepEqual((await client.list({}, { why: true })).tasks[0]?.waiting, told)
    for await (const task of client.all({}, { why: true })) assert.deepEqual(task.waiting, told)
    const { outcome, task: revoked } = await client.cancel(task.id)
    await refusedWith(client.why(task.id), 409, 'TASK_NOT_WAITING')
    assert.deepEqual([outcome, revoked.status], ['revoked', 'REVOKED'])
    assert.equal((await client.retry(task.id)).status, 'PENDING')
    await client.cancel(task.id)
    await client.purge(task.id)
    await refusedWith(client.get(task.id), 404, 'TASK_NOT_FOUND')
    for (let n = 0; n < 5; n += 1)
      await client.submit({ kind: n === 0 ? 'calcpi' : 'echo', params: n ? n : { digits: 3 } })
    const page = await client.list({ kind: ['echo'], status: 'PENDING', from: new Date(0) }, { limit: 3 })
    assert.equal(page.tasks.length, 3)
    const rest = await client.list({ kind: 'echo' }, { limit: 3, cursor: page.next ?? '' })
    assert.deepEqual([rest.tasks.length, rest.next], [1, null])
    const { seen, over } = collect(client.all({ status: ['PENDING', 'SUCCESS'] }))
    await over()
    assert.equal(seen.length, 5)
    const oldest = collect(client.all({}, { sort: 'createdAt' }))
    await oldest.over()
    assert.deepEqual(
      oldest.seen.map(({ id }) => id),
      seen.map(({ id }) => id).reverse(),
    )
    assert.equal((await client.list({}, { sort: 'createdAt', limit: 1 })).tasks[0]?.id, seen.at(-1)?.id)
    assert.deepEqual(await client.list({}, { sort: '-finishedAt' }), { tasks: [], next: null })
    assert.deepEqual(
      (await client.kindTroubles()).map(({ name, reason }) => [name, reason]),
      [['broken', 'no luck']],
    )
    assert.deepEqual(
      (await client.kinds()).map(({ name }) => name),
      ['calcpi', 'echo'],
    )
  })

  it('says how the server is, and lists, replays and discards what cannot be run', async () => {
    const { id } = await client.submit({ kind: 'echo' })
    const { host, tasks, processes, queue } = await client.status()
    assert.deepEqual([host, tasks?.byStatus.PENDING, processes, queue?.name], [HOST, 1, [], 'listening'])
    assert.deepEqual((await client.dead()).tasks, [])
    await door.run(id)
    await door.store.move(id, 1, fail({ code: 'WORKER_LOST', message: 'gone', detail: null }, null, now()))
    const { tasks: dead, messages, next } = await client.dead({ limit: 10 })
    assert.deepEqual([dead.map(({ task }) => task.id), messages, next], [[id], [], null])
    const again = await client.replayDead(id)
    assert.equal('status' in again && again.status, 'PENDING')
    await refusedWith(client.discardDead(UNKNOWN), 404, 'DEAD_NOT_FOUND')
  })

  it('streams a result, whole or a part, and the log', async () => {
    const bytes = Buffer.from('0123456789'.repeat(50_000))
    const { id } = await door.ended(null, { name: 'result.txt', bytes })
    const whole = await client.result(id)
    assert.deepEqual([whole.bytes, whole.contentType], [bytes.length, 'text/plain; charset=utf-8'])
    let count = 0
    for await (const chunk of whole.stream) count += chunk.length
    assert.equal(count, bytes.length)
    const part = await client.result(id, { range: { start: 3, end: 13 } })
    assert.deepEqual([await part.text(), part.bytes], ['3456789012', 10])
    assert.deepEqual([part.start, part.etag], [3, whole.etag])
    const range = { start: 3 }
    assert.equal((await client.result(id, { range, ifRange: whole.etag ?? '' })).start, 3)
    assert.deepEqual((await client.result(id, { range, ifRange: '"another"' })).start, 0)
    const tail = await client.result(id, { range: { start: bytes.length - 2 } })
    assert.equal(await tail.text(), '89')
    assert.equal(await (await client.log(id)).text(), '')
  })

  it('turns problem details into typed errors, and what is none of ours too', async () => {
    const wrong = await refusedWith(
      client.submit({ kind: 'calcpi', params: { digits: -1 } }),
      422,
      'PARAMS_INVALID',
    )
    assert.equal(wrong.problem.problems?.[0]?.path, 'params.digits')
    assert.match(wrong.message, /^PARAMS_INVALID: .*digits/)
    assert.match(wrong.requestId ?? '', /^[\w-]{36}$/)
    await refusedWith(client.get('../../etc/passwd'), 400, 'BAD_ID')
    await refusedWith(client.wait(UNKNOWN), 404, 'TASK_NOT_FOUND')
    await refusedWith(client.watch(UNKNOWN).next(), 404, 'TASK_NOT_FOUND')
    const { id } = await client.submit({ kind: 'echo' })
    await refusedWith(client.result(id), 409, 'TASK_NOT_ENDED')
    await refusedWith(client.retry(id), 409, 'TASK_NOT_ENDED')
    const answers = (response: Response) => clientOf({ patienceMs: 0, fetch: async () => response })
    await refusedWith(
      answers(new Response('<h1>Bad Gateway</h1>', { status: 502 })).get(id),
      502,
      'UNEXPECTED_ANSWER',
    )
    const torn = new Response('{"code":', {
      status: 400,
      headers: { 'content-type': 'application/problem+json' },
    })
    await refusedWith(answers(torn).get(id), 400, 'UNEXPECTED_ANSWER')
  })

  it('waits for the end, however long that takes, and no longer than it is told to', async () => {
    const { id } = await client.submit({ kind: 'echo' })
    await door.run(id)
    await assert.rejects(client.wait(id, { timeoutMs: 40 }), (error: WaitTimeoutError) => {
      assert.ok(error instanceof WaitTimeoutError)
      return error.task.status === 'STARTED'
    })
    const waiting = client.wait(id)
    await door.store.move(id, 1, progress(10))
    await door.store.move(id, 1, progress(20))
    const ended = await end(id)
    assert.deepEqual(await soon(waiting, 'the end'), ended)
    assert.deepEqual(await client.wait(id, { timeoutMs: 0 }), ended)
  })

  it('watches a task up to its end', async () => {
    const { id } = await client.submit({ kind: 'echo' })
    const { seen, over } = collect(client.watch(id))
    await until('it is seen', () => seen.length === 1)
    await door.run(id)
    await until('the start is seen', () => seen.length === 2)
    const ended = await end(id)
    await over()
    assert.deepEqual(
      seen.map(({ status }) => status),
      ['PENDING', 'STARTED', 'SUCCESS'],
    )
    assert.deepEqual(seen[2], ended)
    const known = collect(client.watch(id, { since: `${ended.claim}-${ended.rev}` }))
    await known.over()
    assert.deepEqual(known.seen, [])
    await client.purge(id)
    await refusedWith(client.watch(id).next(), 404, 'TASK_NOT_FOUND')
  })

  it('watches on over connections that break, and tells nothing twice', async () => {
    const { id } = await client.submit({ kind: 'echo' })
    await door.run(id)
    const { seen, over } = collect(client.watch(id))
    await until('it is seen', () => seen.length === 1)
    for (let turn = 1; turn <= 3; turn += 1) {
      const before = network.accepted()
      network.cut()
      await door.store.move(id, 1, progress(turn))
      await until('it has connected again', () => network.accepted() > before)
      await until('what was missed is seen', () => seen.length === turn + 1)
    }
    await network.refuse()
    await end(id)
    await network.accept()
    await over()
    assert.deepEqual(
      seen.map(task => `${task.status} ${task.rev}`),
      ['STARTED 1', 'PROGRESS 2', 'PROGRESS 3', 'PROGRESS 4', 'SUCCESS 5'],
    )
  })

  it('follows a log over connections that break and a server that is away: each line once, and the task at last', async () => {
    const { id } = await client.submit({ kind: 'echo' })
    await door.run(id)
    const { say } = writesLog(door.store, id)
    const seen: LogEntry[] = []
    const following = (async () => {
      const log = client.followLog(id)
      for (;;) {
        const step = await log.next()
        if (step.done) return step.value
        seen.push(step.value)
      }
    })()
    for (let turn = 1; turn <= 3; turn += 1) {
      await say(`line ${turn}`)
      await until('the line is seen', () => seen.length === turn)
      network.cut()
    }
    await network.refuse()
    await say('line 4')
    await end(id)
    await network.accept()
    assert.equal((await soon(following, 'the end'))?.status, 'SUCCESS')
    assert.deepEqual(
      seen.map(entry => 'text' in entry && entry.text),
      ['line 1', 'line 2', 'line 3', 'line 4'],
    )
    assert.deepEqual(await client.logEntries(id), { entries: seen, last: 4, ended: true })
    const rest = client.followLog(id, { since: 3 })
    assert.deepEqual((await rest.next()).value, seen[3])
    await rest.return(undefined)
  })

  it('watches all tasks, and goes on behind any cursor, over broken connections and in another client', async () => {
    const { seen } = collect(client.watchAll({ kind: 'echo' }, { signal: ending.signal }))
    const types = (events: WatchEvent[]) =>
      events.map(event => (event.type === 'task' ? event.task.status : event.type))
    await until('it is live', () => types(seen).includes('live'))
    const { id } = await client.submit({ kind: 'echo' })
    await client.submit({ kind: 'calcpi', params: { digits: 1 } })
    await until('it is seen', () => types(seen).includes('PENDING'))
    const { cursor } = seen.at(-1) as WatchEvent
    network.cut()
    await door.run(id)
    await until('what was missed is seen', () => types(seen).includes('STARTED'))
    const ended = await end(id)
    await until('the end is seen', () => types(seen).includes('SUCCESS'))
    await client.purge(ended.id)
    await until('the removal is seen', () => types(seen).includes('removed'))
    const again = collect(clientOf().watchAll({ kind: 'echo' }, { since: cursor, signal: ending.signal }))
    await until('it is live', () => types(again.seen).includes('live'))
    assert.deepEqual(types(again.seen), ['removed', 'live'])
    await client.submit({ kind: 'echo' })
    const all = collect(client.watchAll({ kind: 'echo' }, { snapshot: true, signal: ending.signal }))
    await until('it is live', () => types(all.seen).includes('live'))
    assert.deepEqual(types(all.seen), ['snapshot', 'PENDING', 'live'])
  })

  it('bears a server that is away: reads, submits and waits go on when it is back, and nothing is done twice', async () => {
    const { id } = await client.submit({ kind: 'echo' })
    await door.run(id)
    const waiting = client.wait(id)
    await until('the poll is under way', () => network.open() > 0)
    await network.refuse()
    const calls = [client.get(id), client.submit({ kind: 'echo', title: 'once' }), client.list()]
    await end(id)
    await network.accept()
    await soon(Promise.all(calls), 'the calls')
    assert.equal((await soon(waiting, 'the end')).status, 'SUCCESS')
    // the answer of a submit is lost on its way: the task is there, and the next try finds it
    const before = (await door.store.counts()).total
    const cut = network.cutAt({ direction: 'down', after: 1 })
    const task = await soon(client.submit({ kind: 'echo', title: 'lost on the way' }), 'the submit')
    await cut
    assert.equal((await door.store.counts()).total, before + 1)
    assert.equal(task.title, 'lost on the way')
  })

  it('loses its patience at last, and never asks twice for what must not be done twice', async () => {
    const { id } = await client.submit({ kind: 'echo' })
    await network.refuse()
    const short = clientOf({ patienceMs: 300 })
    for (const call of [() => short.get(id), () => short.wait(id), () => short.watch(id).next()])
      await assert.rejects(soon<unknown>(call(), 'the refusal'), ConnectionError)
    let tries = 0
    const counting = clientOf({
      fetch: async () => {
        tries += 1
        const refused = [new Error('refused by ::1'), new Error('refused by 127.0.0.1')]
        throw new TypeError('fetch failed', { cause: new AggregateError(refused) })
      },
    })
    await assert.rejects(counting.cancel(id), {
      name: 'ConnectionError',
      message: /: fetch failed: refused by ::1; refused by 127\.0\.0\.1$/,
    })
    await assert.rejects(counting.retry(id), ConnectionError)
    assert.equal(tries, 2)
  })

  it('stops when its signal fires, whatever it does, with the reason', async () => {
    const { id } = await client.submit({ kind: 'echo' })
    const reason = new Error('enough')
    const stopped = async (call: (signal: AbortSignal) => Promise<unknown>) => {
      const own = new AbortController()
      const calling = soon(call(own.signal), 'the end')
      setTimeout(() => own.abort(reason), 20)
      await assert.rejects(calling, (error: unknown) => error === reason)
    }
    await stopped(signal => client.wait(id, { signal }))
    await stopped(signal => collect(client.watch(id, { signal })).over())
    await stopped(signal => collect(client.watchAll({}, { signal })).over())
    await network.refuse()
    await stopped(signal => client.get(id, { signal }))
    await stopped(signal => client.wait(id, { signal }))
    await stopped(signal => collect(client.watch(id, { signal })).over())
  })

  it('leaves no stream open when its reader leaves the loop', async () => {
    const { id } = await client.submit({ kind: 'echo' })
    for await (const task of client.watch(id)) {
      assert.equal(task.id, id)
      break
    }
    await until('nothing is open', () => network.open() === 0)
  })

  it('gives up on an answer that does not come', async () => {
    network.stall()
    await assert.rejects(clientOf({ timeoutMs: 50, patienceMs: 0 }).get(UNKNOWN), (error: Error) => {
      assert.ok(error instanceof ConnectionError)
      return /no answer within 50 ms/.test(error.message)
    })
  })
})

describe('a link', { timeout: 300_000 }, () => {
  it('reads its task, follows it and brings its result, for somebody without a login', async () => {
    const { token: key } = await door.logIn('ann', 'user')
    const ann = clientOf({ key })
    const { id } = await ann.submit({ kind: 'echo', params: 1 })
    const { token, id: share } = await ann.share(id)
    const shared = client.shared(token)
    assert.equal((await shared.get()).id, id)
    await door.run(id)
    const seen: string[] = []
    for await (const { status } of shared.watch()) {
      seen.push(status)
      if (status === 'STARTED') await end(id)
    }
    assert.deepEqual([seen.at(0), seen.at(-1)], ['STARTED', 'SUCCESS'])
    assert.equal(await (await shared.result({ range: { start: 1 } })).text(), 'one')
    await ann.withdrawShare(id, share)
    for (const call of [shared.get(), shared.result(), shared.watch().next()])
      await refusedWith(call, 404, 'SHARE_NOT_FOUND')
  })

  it('a ticket for a WebSocket is new each time, and is given to whoever has logged in', async () => {
    const { token: key } = await door.logIn('ann', 'user')
    const tickets = await Promise.all([clientOf({ key }).ticket(), clientOf({ key }).ticket()])
    assert.equal(new Set(tickets.map(({ ticket }) => ticket)).size, 2)
    for (const { ticket } of tickets) assert.match(ticket, /^mdt_/)
  })
})
