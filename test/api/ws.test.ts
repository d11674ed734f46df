// The WebSocket over real sockets: who is let in, what is told, how it goes on, and how it ends.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { afterEach, beforeEach, describe, it } from 'node:test'
import WebSocket from 'ws'
import { SOCKET } from '../../src/api/ws/route.ts'
import { report } from '../../src/core/moves.ts'
import { silentLog } from '../../src/platform/log.ts'
import { type HttpServer, serveHttp } from '../../src/platform/serve.ts'
import { until } from '../support/until.ts'
import { createFixture, type Fixture, type FixtureOptions } from './fixture.ts'

interface Message {
  type: string
  on?: string
  cursor?: string
  id?: string
  reason?: string
  code?: string
  account?: string | null
  task?: { id: string; status: string; owner: string | null; progress: { note: string | null } | null }
}

let door: Fixture
let http: HttpServer
const opened: WebSocket[] = []
const open = async (options: FixtureOptions = {}): Promise<void> => {
  door = createFixture({ anonymous: 'none', ...options })
  http = await serveHttp({
    fetch: (request, env) => door.app.fetch(request, env as never),
    upgrade: { ...SOCKET, answer: (request, env) => door.app.fetch(request, env as never) },
    host: '127.0.0.1',
    port: 0,
    setting: 'API_PORT',
    log: silentLog(),
  })
}
beforeEach(() => open())
afterEach(async () => {
  for (const socket of opened.splice(0)) socket.terminate()
  await http.close()
  await door.close()
})

interface Open {
  socket: WebSocket
  messages: Message[]
  /** Messages with this about a task, or any. */
  of(type: string, on?: string): Message[]
  say(message: unknown): void
  closed: Promise<number>
}

const connect = async (path: string, headers: Record<string, string> = {}): Promise<Open> => {
  const socket = new WebSocket(`ws://127.0.0.1:${http.address.port}${path}`, { headers })
  opened.push(socket)
  const messages: Message[] = []
  socket.on('message', data => messages.push(JSON.parse(String(data)) as Message))
  const closed = once(socket, 'close').then(([code]) => code as number)
  await once(socket, 'open')
  const ofType = (type: string, on?: string): Message[] =>
    messages.filter(message => message.type === type && (on === undefined || message.on === on))
  return {
    socket,
    messages,
    of: ofType,
    say: message => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    closed,
  }
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
/** The status and code of an upgrade that is refused. */
const refused = async (path: string, headers: Record<string, string> = {}): Promise<[number, string]> => {
  const socket = new WebSocket(`ws://127.0.0.1:${http.address.port}${path}`, { headers })
  socket.on('error', () => undefined)
  const [, answer] = (await once(socket, 'unexpected-response')) as [
    unknown,
    AsyncIterable<Buffer> & { statusCode: number },
  ]
  const pieces: Buffer[] = []
  for await (const piece of answer) pieces.push(piece)
  return [answer.statusCode, (JSON.parse(Buffer.concat(pieces).toString()) as { code: string }).code]
}

describe('a WebSocket', { timeout: 300_000 }, () => {
  it('tells a person of their own tasks and nothing else', async () => {
    const [ann, bob] = [await door.logIn('ann', 'user'), await door.logIn('bob', 'user')]
    const hers = await connect('/ws', bearer(ann.token))
    const his = await connect('/ws', { cookie: `madhava_login=${bob.token}` })
    for (const [one, { id }] of [
      [hers, ann],
      [his, bob],
    ] as const)
      await until('it is live', () => one.of('live', 'mine').length === 1 && one.messages[0]?.account === id)
    const tasks = []
    for (const { actor } of [ann, bob, ann])
      tasks.push((await door.service.submit(actor, { kind: 'echo', params: 1 })).task)
    await door.submit('echo', 'of nobody')
    const last = (await door.service.submit(bob.actor, { kind: 'echo', params: 2 })).task
    await until('both are told', () => hers.of('task').length === 2 && his.of('task').length === 2)
    assert.deepEqual(
      hers.of('task').map(({ task }) => task?.id),
      [tasks[0]?.id, tasks[2]?.id],
    )
    await door.service.cancel(ann.actor, tasks[0]?.id ?? '')
    await door.service.purge(ann.actor, tasks[0]?.id ?? '')
    await door.service.cancel(bob.actor, last.id)
    await until('hers is told removed', () => hers.of('removed').length === 1)
    await until('his is told', () => his.of('task').length === 3)
    assert.equal(his.of('removed').length, 0)
    assert.ok(his.of('task').every(({ task }) => task?.owner === bob.id))
  })

  it('subscribes to more that the person may see, by filters, and to no more than that', async () => {
    const [ann, bob, olga] = [
      await door.logIn('ann', 'user'),
      await door.logIn('bob', 'user'),
      await door.logIn('olga', 'operator'),
    ]
    const hers = await connect('/ws', bearer(ann.token))
    const all = await connect('/ws', bearer(olga.token))
    const { task } = await door.service.submit(bob.actor, { kind: 'echo', params: 1 })
    for (const one of [hers, all]) {
      one.say({ type: 'subscribe', on: 'bobs', filter: { owner: 'bob' }, snapshot: true })
      await until('it is live', () => one.of('live', 'bobs').length === 1)
    }
    assert.deepEqual(
      all.of('task', 'bobs').map(message => message.task?.id),
      [task.id],
    )
    await door.service.cancel(bob.actor, task.id)
    await until('the operator is told', () => all.of('task', 'bobs').at(-1)?.task?.status === 'REVOKED')
    all.say({ type: 'unsubscribe', on: 'bobs' })
    await until('it is told', () => all.of('unsubscribed').length === 1)
    const free = await door.submit('echo', 'of nobody')
    hers.say({ type: 'subscribe', on: 'free', filter: { status: ['PENDING'] }, snapshot: true })
    await until('what nobody owns is told', () =>
      hers.of('task', 'free').some(({ task: told }) => told?.id === free.id),
    )
    assert.equal(hers.of('task', 'bobs').length, 0)
  })

  it('goes on behind a cursor, also over a new socket', async () => {
    const { token, actor } = await door.logIn('ann', 'user')
    const first = await connect('/ws', bearer(token))
    await until('it is live', () => first.of('live').length === 1)
    const { task } = await door.service.submit(actor, { kind: 'echo', params: 1 })
    await until('it is told', () => first.of('task').length === 1)
    const cursor = first.of('task')[0]?.cursor ?? ''
    first.socket.terminate()
    await door.service.cancel(actor, task.id)
    const second = await connect(`/ws?since=${encodeURIComponent(cursor)}`, bearer(token))
    await until('it is live', () => second.of('live').length === 1)
    assert.deepEqual(
      second.of('task').map(message => message.task?.status),
      ['REVOKED'],
    )
    const third = await connect('/ws?snapshot=1', bearer(token))
    await until('it is live', () => third.of('live').length === 1)
    assert.deepEqual([third.of('snapshot').length, third.of('task').length], [1, 1])
  })

  it('lets in who may read, of this site, and by a ticket once', async () => {
    const { token, actor } = await door.logIn('ann', 'user')
    assert.deepEqual(await refused('/ws'), [401, 'UNAUTHORIZED'])
    assert.deepEqual(await refused('/ws', bearer('wrong')), [401, 'UNAUTHORIZED'])
    assert.deepEqual(await refused('/ws?since=1&since=2', bearer(token)), [400, 'BAD_REQUEST'])
    assert.deepEqual(await refused('/nothing', bearer(token)), [404, 'NOT_FOUND'])
    assert.deepEqual(await refused('/ws', { ...bearer(token), host: 'evil.example' }), [
      403,
      'HOST_NOT_ALLOWED',
    ])
    const cookie = `madhava_login=${token}`
    for (const origin of ['https://evil.example', 'null', `http://127.0.0.1:${http.address.port + 1}`])
      assert.deepEqual(await refused('/ws', { cookie, origin }), [403, 'CROSS_SITE'], origin)
    await connect('/ws', { cookie, origin: `http://127.0.0.1:${http.address.port}` })
    const { key } = await door.access.createKey(actor, {
      ...{ name: 'k', scopes: ['submit'], kinds: null, own: false, expiresAt: null },
    })
    assert.deepEqual(await refused('/ws', bearer(key)), [403, 'SCOPE_MISSING'])
    const plain = await fetch(`http://127.0.0.1:${http.address.port}/ws`, { headers: bearer(token) })
    assert.deepEqual([plain.status, plain.headers.get('upgrade')], [426, 'websocket'])
    const made = await fetch(`http://127.0.0.1:${http.address.port}/ws/ticket`, {
      method: 'POST',
      headers: bearer(token),
    })
    assert.equal(made.status, 201)
    const { ticket } = (await made.json()) as { ticket: string }
    // a browser sends an old cookie beside it
    await connect(`/ws?ticket=${ticket}`, { cookie: 'madhava_login=mds_of_yesterday' })
    assert.deepEqual(await refused(`/ws?ticket=${ticket}`), [401, 'UNAUTHORIZED'])
  })

  it('of a stranger begins with nothing, from no other site even where strangers may do all', async () => {
    await http.close()
    await door.close()
    await open({ anonymous: 'full' })
    assert.deepEqual(await refused('/ws', { origin: 'https://evil.example' }), [403, 'CROSS_SITE'])
    const one = await connect('/ws')
    await until('it is greeted', () => one.messages.length === 1)
    assert.deepEqual(one.messages[0], { type: 'hello', account: null, on: [] })
    one.say({ type: 'ping' })
    await until('it is answered', () => one.of('pong').length === 1)
  })

  it('is closed at once when its key is revoked, its session ends, or the server closes', async () => {
    const ann = await door.logIn('ann', 'user')
    const { key, id } = await door.access.createKey(ann.actor, {
      ...{ name: 'k', scopes: ['read'], kinds: null, own: false, expiresAt: null },
    })
    const [byKey, bySession, other] = [
      await connect('/ws', bearer(key)),
      await connect('/ws', bearer(ann.token)),
      await connect('/ws', bearer((await door.logIn('bob', 'user')).token)),
    ]
    await until('all are live', () => [byKey, bySession, other].every(one => one.of('live').length === 1))
    await door.access.revokeKey(ann.actor, id)
    assert.equal(await byKey.closed, 4401)
    assert.deepEqual(byKey.of('end'), [{ type: 'end', reason: 'login' }])
    assert.equal(bySession.of('end').length, 0)
    await door.access.logOut(ann.actor)
    assert.equal(await bySession.closed, 4401)
    door.endStreams()
    assert.equal(await other.closed, 1001)
    assert.deepEqual(other.of('end'), [{ type: 'end', reason: 'shutdown' }])
  })

  it('says what is wrong with a message, and goes on', async () => {
    const { token, actor } = await door.logIn('ann', 'user')
    const one = await connect('/ws', bearer(token))
    const wrong = [
      'x',
      '[]',
      { type: 'other' },
      { type: 'subscribe' },
      { type: 'subscribe', on: 'a b' },
      { type: 'subscribe', on: 'mine' },
      { type: 'subscribe', on: 'x', filter: { colour: 'red' } },
      { type: 'subscribe', on: 'x', filter: { owners: [''] } },
      { type: 'unsubscribe', on: 'none' },
    ]
    for (const message of wrong) one.say(message)
    one.socket.send(Buffer.from([1, 2, 3]))
    await until('all are answered', () => one.of('error').length === wrong.length + 1)
    assert.ok(one.of('error').every(({ code }) => code === 'BAD_REQUEST'))
    await until('it is live', () => one.of('live', 'mine').length === 1)
    const { task } = await door.service.submit(actor, { kind: 'echo', params: 1 })
    await until('it is told', () => one.of('task').some(message => message.task?.id === task.id))
    for (let n = 0; n < 20; n += 1) one.say({ type: 'subscribe', on: `s${n}` })
    await until('no more than some', () => one.of('error').some(({ code }) => code === 'TOO_MANY_STREAMS'))
    one.say('x'.repeat(64 * 1024))
    assert.equal(await one.closed, 1009)
  })

  it('tells a client that stops reading the last state in place of the earlier ones, and others all', async () => {
    const { token, actor } = await door.logIn('ann', 'user')
    const [slow, quick] = [await connect('/ws', bearer(token)), await connect('/ws', bearer(token))]
    for (const one of [slow, quick]) await until('it is live', () => one.of('live').length === 1)
    const wanted = { kind: 'echo', params: 1, description: '€'.repeat(2_000) }
    const { task } = await door.service.submit(actor, wanted)
    for (const one of [slow, quick]) await until('it is told', () => one.of('task').length === 1)
    slow.socket.pause()
    const running = await door.run(task.id)
    let moves = 0
    // far more than the buffers of both kernels and of the server; several moves at once may be one event
    while (quick.of('task').length < 4_000) {
      moves += 1
      const progress = { percent: 1, note: `${moves}`, etaSeconds: null }
      await door.store.move(task.id, running?.claim ?? 0, report(progress, null, new Date().toISOString()))
      await new Promise(resolve => setImmediate(resolve))
    }
    const second = (await door.service.submit(actor, { kind: 'echo', params: 2 })).task
    await until('the quick one has the last', () => quick.of('task').at(-1)?.task?.id === second.id)
    slow.socket.resume()
    await until('the slow one has the last', () => slow.of('task').at(-1)?.task?.id === second.id)
    const notesOf = (one: Open) => one.of('task').flatMap(({ task: told }) => told?.progress?.note ?? [])
    const [notes, all] = [notesOf(slow), notesOf(quick)]
    assert.deepEqual([notes.at(-1), all.at(-1)], [`${moves}`, `${moves}`])
    assert.ok(notes.length < all.length, `${notes.length} states were told, of ${all.length}`)
    const numbers = notes.map(Number)
    assert.deepEqual(
      numbers,
      numbers.toSorted((one, other) => one - other),
    )
  })

  it('of a client that asks and does not read is let go, and so is one that asks too often', async () => {
    const { token } = await door.logIn('ann', 'user')
    const often = await connect('/ws', bearer(token))
    for (let n = 0; n < 1_000; n += 1) often.say({ type: 'ping' })
    assert.equal(await often.closed, 1013)
    assert.ok(often.of('pong').length <= 200)
    const silent = await connect('/ws', bearer(token))
    silent.socket.pause()
    for (let n = 0; n < 15_000; n += 1) {
      silent.say({ type: 'subscribe', on: 'x' })
      silent.say({ type: 'unsubscribe', on: 'x' })
    }
    silent.socket.resume()
    assert.equal(await silent.closed, 1013)
    assert.ok(silent.of('unsubscribed').length <= 100)
    const other = await connect('/ws', bearer(token))
    await until('the server goes on', () => other.of('live').length === 1)
  })
})

describe('a request that wishes for something else than a WebSocket at /ws', { timeout: 300_000 }, () => {
  const UPGRADE =
    'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n'
  /** What a server answers to these bytes, sent in two pieces, up to its end of the connection. */
  const raw = (head: string, body: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connectTcp(http.address.port, '127.0.0.1')
      let text = ''
      socket.setEncoding('utf8')
      socket.on('data', data => {
        text += data
      })
      socket.once('end', () => resolve(text))
      socket.once('error', reject)
      socket.write(`${head}\r\n${body.slice(0, 5)}`, () => {
        setImmediate(() => socket.write(body.slice(5)))
      })
    })

  it('stays what it is, with its method and its body', async () => {
    await http.close()
    await door.close()
    await open({ anonymous: 'full' })
    const body = JSON.stringify({ kind: 'echo', params: 'as it is' })
    for (const wish of [
      UPGRADE,
      'Connection: Upgrade\r\nUpgrade: websocket\r\n',
      'Upgrade: TLS/1.0\r\nConnection: upgrade\r\n',
    ]) {
      const head = `POST /tasks HTTP/1.1\r\nHost: localhost\r\n${wish}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`
      const last = `GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`
      const text = await raw(head, body + last)
      assert.match(text, /^HTTP\/1\.1 202 /, text)
      assert.match(text, /as it is/)
      assert.match(text, /HTTP\/1\.1 200 [\s\S]*"ok":true/)
    }
    const tasks = await fetch(`http://127.0.0.1:${http.address.port}/tasks`)
    assert.equal(((await tasks.json()) as { tasks: object[] }).tasks.length, 3)
  })

  it('holds no place when it is refused or left', async () => {
    for (let n = 0; n < 20; n += 1) {
      const socket = connectTcp({ port: http.address.port, host: '127.0.0.1', allowHalfOpen: true })
      socket.write('GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
      // the server ends it, though this side stays open
      await once(socket.resume(), 'end')
      socket.destroy()
    }
    await http.close()
  })
})
