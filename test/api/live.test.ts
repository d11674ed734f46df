// Server-Sent Events over real sockets: what is told, how one resumes, and how streams end.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { STREAM_LIMITS } from '../../src/api/streams.ts'
import { MadhavaError } from '../../src/core/errors.ts'
import { createFeed } from '../../src/core/feed.ts'
import { report, succeed } from '../../src/core/moves.ts'
import { createWatch } from '../../src/core/watch.ts'
import { silentLog } from '../../src/platform/log.ts'
import { type HttpServer, serveHttp } from '../../src/platform/serve.ts'
import { newTaskOf } from '../support/new-task.ts'
import { soon } from '../support/soon.ts'
import { until } from '../support/until.ts'
import { createFixture, type Fixture, type FixtureOptions, jsonOf } from './fixture.ts'

interface Told {
  id: string | null
  event: string
  data: Record<string, unknown>
}

let door: Fixture
let http: HttpServer
let ending: AbortController
const url = (path: string): string => `http://127.0.0.1:${http.address.port}${path}`

const open = async (
  options: FixtureOptions = {},
  limits: NonNullable<Parameters<typeof serveHttp>[0]['limits']> = {},
): Promise<void> => {
  door = createFixture(options)
  http = await serveHttp({
    fetch: (request, env) => door.app.fetch(request, env as never),
    host: '127.0.0.1',
    port: 0,
    setting: 'API_PORT',
    log: silentLog(),
    limits,
  })
}
/** Opens the door anew, with a count of those who watch all tasks. */
const openCounting = async (limits: Parameters<typeof open>[1] = {}): Promise<() => number> => {
  await http.close()
  await door.close()
  let watching = 0
  const counting: FixtureOptions = {
    service: {
      async *watchAll(...args) {
        watching += 1
        try {
          yield* watched(...args)
        } finally {
          watching -= 1
        }
      },
    },
  }
  await open(counting, limits)
  const watched = createWatch({ store: door.store, feed: createFeed(door.store) }).watchAll
  return () => watching
}
beforeEach(async () => {
  ending = new AbortController()
  await open()
})
afterEach(async () => {
  ending.abort()
  await door.close()
  await http.close()
})

/** Reads a stream as text, and its events as a client understands them. */
const listen = async (path: string, headers: Record<string, string> = {}) => {
  const response = await fetch(url(path), { headers, signal: ending.signal })
  assert.equal(response.status, 200)
  let text = ''
  const told: Told[] = []
  const over = (async () => {
    let whole = 0
    for await (const chunk of (response.body as ReadableStream<Uint8Array>).pipeThrough(
      new TextDecoderStream(),
    )) {
      text += chunk
      for (let end = text.indexOf('\n\n', whole); end >= 0; end = text.indexOf('\n\n', whole)) {
        const lines = text.slice(whole, end).split('\n')
        const field = (name: string) =>
          lines.find(line => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? null
        const [id, event, data] = [field('id'), field('event'), field('data')]
        if (event !== null && data !== null) told.push({ id, event, data: JSON.parse(data) })
        whole = end + 2
      }
    }
  })()
  over.catch(() => {})
  return { response, told, text: () => text, over: () => soon(over, `the end of ${path}`) }
}
type Listener = Awaited<ReturnType<typeof listen>>
const tells = (listener: Listener, count: number) =>
  until(`${count} events`, () => listener.told.length >= count)
const words = ({ told }: Listener) =>
  told.map(({ event, data }) =>
    event === 'task'
      ? data.status
      : event === 'end' || event === 'snapshot'
        ? `${event} ${data.reason}`
        : event,
  )
const progress = (percent: number, note: string | null = null) =>
  report({ percent, note, etaSeconds: null }, null, new Date().toISOString())

describe('GET /task/{id}/events', () => {
  it('tells the record and each change, in words for people too, and ends after the final status', async () => {
    const { id } = await door.submit('echo', 1, { title: 'One\u001b[31m two' })
    const stream = await listen(`/task/${id}/events`)
    assert.match(stream.response.headers.get('content-type') ?? '', /^text\/event-stream/)
    assert.match(stream.response.headers.get('cache-control') ?? '', /no-store.*no-transform/)
    await tells(stream, 1)
    const started = await door.run(id)
    await tells(stream, 2)
    await door.store.move(id, 1, progress(45, 'half\r\nevent: forged\n\n'))
    await tells(stream, 3)
    const ended = await door.store.move(id, 1, succeed('x'.repeat(1000), null, new Date().toISOString()))
    await stream.over()
    assert.deepEqual(words(stream), ['PENDING', 'STARTED', 'PROGRESS', 'SUCCESS', 'end final'])
    assert.deepEqual(stream.told[1]?.data, started)
    assert.deepEqual(stream.told[3]?.data, ended)
    assert.deepEqual(
      stream.told.map(told => told.id),
      ['0-0', '1-1', '1-2', '1-3', null],
    )
    const comments = stream
      .text()
      .split('\n')
      .filter(line => line.startsWith(': '))
    assert.match(stream.text(), /^retry: \d+\n\n: /)
    assert.match(comments[0] ?? '', new RegExp(`^: \\S+Z echo PENDING ${id} \\(One \\[31m two\\)$`))
    assert.match(comments[2] ?? '', /^: \S+Z echo PROGRESS 45 %, half event: forged /)
    assert.equal(stream.text().match(/^event: forged/m), null)
  })

  it('resumes at the id of the last event: nothing again, what was missed, or 204 when all was seen', async () => {
    const { id } = await door.submit('echo', 1)
    await door.run(id)
    const [seen, missed, asked] = await Promise.all([
      listen(`/task/${id}/events`, { 'last-event-id': '1-1' }),
      listen(`/task/${id}/events`, { 'last-event-id': '0-0' }),
      listen(`/task/${id}/events?since=1-1`),
    ])
    await tells(missed, 1)
    await door.store.move(id, 1, succeed(1, null, new Date().toISOString()))
    await Promise.all([seen.over(), missed.over(), asked.over()])
    assert.deepEqual(words(seen), ['SUCCESS', 'end final'])
    assert.deepEqual(words(asked), ['SUCCESS', 'end final'])
    assert.deepEqual(words(missed), ['STARTED', 'SUCCESS', 'end final'])
    const again = await fetch(url(`/task/${id}/events`), { headers: { 'last-event-id': '1-2' } })
    assert.deepEqual([again.status, await again.text()], [204, ''])
    // run again by hand: there is something to tell
    await fetch(url(`/task/${id}/retry`), { method: 'POST' })
    const anew = await listen(`/task/${id}/events`, { 'last-event-id': '1-2' })
    await tells(anew, 1)
    assert.deepEqual(words(anew), ['PENDING'])
  })

  it('tells of a cancel request', async () => {
    const { id } = await door.submit('echo', 1)
    await door.run(id)
    const cancelRequested = await listen(`/task/${id}/events`)
    await tells(cancelRequested, 1)
    await fetch(url(`/task/${id}`), { method: 'DELETE' })
    await tells(cancelRequested, 2)
    assert.ok(cancelRequested.told[1]?.data.revokeRequestedAt)
    assert.equal(cancelRequested.told[1]?.id, '1-1-revoking')
    assert.match(cancelRequested.text(), /STARTED, to be cancelled/)
  })

  it('tells that the task was removed, where its end was not told before', async () => {
    await http.close()
    await door.close()
    await open({
      service: {
        async *watchTask(_actor, id) {
          yield [{ type: 'removed', cursor: null, id }]
        },
      },
    })
    const { id } = await door.submit('echo', 1)
    const stream = await listen(`/task/${id}/events`)
    await stream.over()
    assert.deepEqual(words(stream), ['removed', 'end removed'])
    assert.equal(stream.told[0]?.data.id, id)
  })

  it('refuses what it cannot tell of, and answers HEAD without a stream', async () => {
    const { id } = await door.submit('echo', 1)
    for (const [path, status, code] of [
      ['/task/0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f/events', 404, 'TASK_NOT_FOUND'],
      ['/task/x/events', 400, 'BAD_ID'],
      [`/task/${id}/events?sins=1`, 400, 'BAD_REQUEST'],
      ['/events?status=NEVER', 400, 'BAD_REQUEST'],
      ['/events?snapshot=yes', 400, 'BAD_REQUEST'],
    ] as const) {
      const response = await fetch(url(path))
      assert.deepEqual([response.status, (await jsonOf(response)).code], [status, code], path)
    }
    for (const path of [`/task/${id}/events`, '/events']) {
      const head = await soon(fetch(url(path), { method: 'HEAD' }), 'the head')
      assert.equal(head.status, 200)
      assert.match(head.headers.get('content-type') ?? '', /^text\/event-stream/)
      // as many as one client may have open
      for (let n = 0; n < (STREAM_LIMITS.perClient ?? 0); n += 1)
        assert.equal((await fetch(url(path), { method: 'HEAD' })).status, 200, `HEAD number ${n}`)
      await listen(path)
    }
  })
})

describe('GET /events', () => {
  it('tells what fits the filter as lists show it, and every removal', async () => {
    const old = await door.ended('x')
    const stream = await listen('/events?kind=echo')
    await tells(stream, 1)
    await door.submit('calcpi', { digits: 3 })
    const { id } = await door.submit('echo', 'p')
    await tells(stream, 2)
    await door.run(id)
    await tells(stream, 3)
    await door.store.move(id, 1, succeed('x'.repeat(1000), null, new Date().toISOString()))
    await tells(stream, 4)
    await door.store.remove(old.id)
    await tells(stream, 5)
    assert.deepEqual(words(stream), ['live', 'PENDING', 'STARTED', 'SUCCESS', 'removed'])
    const last = stream.told[3]?.data as { result: string; resultTruncated: boolean }
    assert.deepEqual([last.result.length, last.resultTruncated], [256, true])
    assert.equal(stream.told[4]?.data.id, old.id)
    assert.ok(stream.told.every(({ id }) => id))
  })

  it('resumes behind the last id, in the header or the query, and gives a snapshot to a cursor it cannot know', async () => {
    const first = await listen('/events')
    await tells(first, 1)
    const one = await door.submit('echo', 1)
    await tells(first, 2)
    const place = first.told[1]?.id ?? ''
    const two = await door.submit('echo', 2)
    for (const resumed of [
      await listen('/events', { 'last-event-id': place }),
      await listen(`/events?since=${encodeURIComponent(place)}`),
    ]) {
      await tells(resumed, 2)
      assert.deepEqual(words(resumed), ['PENDING', 'live'])
      assert.equal(resumed.told[0]?.data.id, two.id)
    }
    const [lost, asked] = [
      await listen('/events', { 'last-event-id': 'of-another-store' }),
      await listen('/events?snapshot=1'),
    ]
    await Promise.all([tells(lost, 4), tells(asked, 4)])
    assert.deepEqual(words(lost), ['snapshot unknown', 'PENDING', 'PENDING', 'live'])
    assert.deepEqual(words(asked), ['snapshot asked', 'PENDING', 'PENDING', 'live'])
    assert.deepEqual(
      lost.told.slice(1, 3).map(({ data }) => data.id),
      [two.id, one.id],
    )
    assert.deepEqual(
      lost.told.map(({ id }) => id !== null),
      [false, false, false, true],
    )
  })

  it('drops a reader that does not read, says so when it reads on, and holds nothing for it meanwhile', async () => {
    const socket = connect(http.address.port, '127.0.0.1')
    socket.write('GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    await soon(new Promise(resolve => socket.once('data', resolve)), 'the first bytes')
    socket.pause()
    const quick = await listen('/events?kind=calcpi')
    await tells(quick, 1)
    // as another program may have written it: params and results are cut in this stream
    const large = { description: 'x'.repeat(40_000), createdAt: new Date().toISOString() }
    // more than the buffers of the sockets and the limit together
    for (let n = 0; n < 900; n += 1) {
      await door.store.create(newTaskOf(large), null)
      if (n % 20 === 0) await new Promise(setImmediate)
    }
    await door.submit('calcpi', { digits: 1 })
    await tells(quick, 2)
    let tail = ''
    let bytes = 0
    socket.on('data', data => {
      bytes += data.length
      tail = (tail + String(data)).slice(-2000)
    })
    socket.resume()
    await until('the stream ends', () => tail.includes('event: end'))
    assert.match(tail, /event: end\ndata: {"reason":"slow"}\n\n/)
    assert.ok(bytes < 900 * 40_000, `${bytes} bytes came`)
    socket.destroy()
  })
})

describe('the end of streams', () => {
  it('ends every stream in words when the door closes, and takes no more', async () => {
    const { id } = await door.submit('echo', 1)
    const streams = [await listen('/events'), await listen(`/task/${id}/events`)]
    for (const stream of streams) await tells(stream, 1)
    door.endStreams()
    const begun = performance.now()
    await Promise.all([...streams.map(stream => stream.over()), soon(http.close(), 'the close')])
    // the door gives a stream that does not end five seconds
    assert.ok(performance.now() - begun < 4_000)
    for (const stream of streams) assert.equal(words(stream).at(-1), 'end shutdown')
    const late = await door.app.request('/events')
    assert.deepEqual([late.status, (await jsonOf(late)).code], [503, 'SHUTTING_DOWN'])
  })

  it('ends the watching when the client leaves', async () => {
    const watching = await openCounting()
    const streams = await Promise.all([listen('/events'), listen('/events'), listen('/events')])
    for (const stream of streams) await tells(stream, 1)
    assert.equal(watching(), 3)
    ending.abort()
    await until('nobody watches', () => watching() === 0)
  })

  it('ends a connection that takes nothing for too long, and all that was held for it', async () => {
    const watching = await openCounting({ idleTimeout: 500 })
    const socket = connect(http.address.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write('GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    await soon(new Promise(resolve => socket.once('data', resolve)), 'the first bytes')
    socket.pause()
    await until('it watches', () => watching() === 1)
    // more than the sockets take, less than what a reader is dropped for
    for (let n = 0; n < 15; n += 1) await door.submit('echo', 'x'.repeat(900_000))
    await until('nobody watches', () => watching() === 0)
    socket.destroy()
  })

  it('says that the feed broke off', async () => {
    await http.close()
    await door.close()
    await open({
      service: {
        async *watchAll() {
          yield [{ type: 'live', cursor: 'c' }]
          throw new MadhavaError('STORE_UNAVAILABLE')
        },
      },
    })
    const stream = await listen('/events')
    await stream.over()
    assert.deepEqual(words(stream), ['live', 'end broken'])
  })
})
