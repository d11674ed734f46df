import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { afterEach, describe, it } from 'node:test'
import { silentLog } from '../../src/platform/log.ts'
import { type HTTP_LIMITS, type HttpServer, serveHttp } from '../../src/platform/serve.ts'
import { soon } from '../support/soon.ts'
import { until } from '../support/until.ts'

const signal = (): { fired: Promise<void>; fire: () => void } => {
  let fire = (): void => undefined
  const fired = new Promise<void>(resolve => {
    fire = resolve
  })
  return { fired, fire }
}

describe('an HTTP port', () => {
  const doors: HttpServer[] = []
  afterEach(async () => {
    for (const door of doors.splice(0)) await door.close()
  })
  const serve = async (
    fetchIt: (request: Request) => Response | Promise<Response>,
    limits: Partial<typeof HTTP_LIMITS> = {},
    port = 0,
  ): Promise<HttpServer> => {
    const door = await serveHttp({
      fetch: fetchIt,
      host: '127.0.0.1',
      port,
      setting: 'API_PORT',
      log: silentLog(),
      limits,
    })
    doors.push(door)
    return door
  }
  const connect = (door: HttpServer): net.Socket =>
    net.connect(door.address.port, '127.0.0.1').on('error', () => undefined)
  const untilClosed = (socket: net.Socket): Promise<string> =>
    soon(
      new Promise(resolve => {
        let text = ''
        socket.setEncoding('latin1').on('data', chunk => {
          text += chunk
        })
        socket.on('close', () => resolve(text))
      }),
      'the end of the connection',
    )

  it('that is taken is refused with the port and the setting to change', async () => {
    const { address } = await serve(() => new Response('one'))
    await assert.rejects(
      serve(() => new Response('two'), {}, address.port),
      (error: Error) => error.message.includes(String(address.port)) && error.message.includes('API_PORT'),
    )
  })

  it('ends a connection whose headers do not come in time, with 408', async () => {
    const door = await serve(() => new Response('fine'), { headersTimeout: 200, requestTimeout: 400 })
    const socket = connect(door)
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n')
    assert.match(await untilClosed(socket), /^HTTP\/1\.1 408/)
  })

  it('ends a connection whose body does not come in time', async () => {
    const door = await serve(async request => new Response(await request.text()), {
      headersTimeout: 200,
      requestTimeout: 400,
    })
    const socket = connect(door)
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123')
    assert.match(await untilClosed(socket), /^HTTP\/1\.1 408/)
  })

  it('ends a connection on which nothing moves', async () => {
    const door = await serve(() => new Promise(() => undefined), { idleTimeout: 200 })
    const socket = connect(door)
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    assert.equal(await untilClosed(socket), '')
  })

  it('turns connections away above the limit and takes them again below it', async () => {
    let running = 0
    const door = await serve(
      request => {
        if (!request.url.endsWith('/held')) return new Response('fine')
        running += 1
        return new Promise(() => undefined)
      },
      { maxConnections: 2, reserved: 0, closeTimeout: 100 },
    )
    const [first, second] = await hold(door, 2)
    await until('both are being answered', () => running === 2)
    assert.equal(await untilClosed(connect(door)), '')
    const freed = untilClosed(first as net.Socket)
    first?.destroy()
    await freed
    let answer = ''
    for (let turn = 0; answer === '' && turn < 100; turn += 1) answer = await ask(door, '/')
    assert.match(answer, /^HTTP\/1\.1 200/)
    second?.destroy()
  })

  it('lets a running request end when it closes, and ends idle connections at once', async () => {
    let answer: (response: Response) => void = () => undefined
    const asked = signal()
    const door = await serve(
      () =>
        new Promise(resolve => {
          answer = resolve
          asked.fire()
        }),
      { closeTimeout: 30_000 },
    )
    const idle = untilClosed(connect(door))
    const running = fetch(`http://127.0.0.1:${door.address.port}/`)
    await soon(asked.fired, 'the request')
    const closed = door.close()
    await idle
    answer(new Response('done'))
    assert.equal(await (await soon(running, 'the answer')).text(), 'done')
    await soon(closed, 'the close')
    await door.close()
    await assert.rejects(fetch(`http://127.0.0.1:${door.address.port}/`))
  })

  it('ends requests that do not end by themselves within the time for closing', async () => {
    const asked = signal()
    const door = await serve(
      () => {
        asked.fire()
        return new Promise(() => undefined)
      },
      { closeTimeout: 100 },
    )
    const running = fetch(`http://127.0.0.1:${door.address.port}/`)
    running.catch(() => undefined)
    await soon(asked.fired, 'the request')
    await soon(door.close(), 'the close')
    await assert.rejects(running)
  })

  /** Writes all of it before it reads a byte, as simple clients do. */
  const writeThenRead = async (door: HttpServer, head: string, bytes: number, more = '') => {
    const socket = net.connect(door.address.port, '127.0.0.1')
    const errors: Error[] = []
    socket.on('error', error => errors.push(error))
    socket.pause()
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${head}\r\n`)
    await soon(
      new Promise<void>(resolve => {
        socket.once('close', () => resolve())
        socket.write(Buffer.alloc(bytes, 'x'), () => resolve())
      }),
      'all to be written',
    )
    if (more !== '') socket.write(more)
    const text = await untilClosed(socket.resume())
    return { text, errors }
  }

  it('answers a refusal to a client that writes all of a large body before it reads', async () => {
    for (const [headers, asked] of [
      [{ connection: 'close' }, ''],
      [{}, 'Connection: close\r\n'],
    ] as const) {
      const door = await serve(() => new Response('no', { status: 413, headers }))
      const length = 12_000_000
      const { text, errors } = await writeThenRead(door, `${asked}Content-Length: ${length}\r\n`, length)
      assert.deepEqual(errors, [])
      assert.match(text, /^HTTP\/1\.1 413[\s\S]*no$/)
    }
  })

  it('answers it too when a part of the body was read', async () => {
    const door = await serve(async request => {
      await request.body?.getReader().read()
      return new Response('no', { status: 413, headers: { connection: 'close' } })
    })
    const { text, errors } = await writeThenRead(door, 'Content-Length: 6000000\r\n', 6_000_000)
    assert.deepEqual(errors, [])
    assert.match(text, /^HTTP\/1\.1 413/)
  })

  it('keeps a connection whose body was refused when the client keeps it', async () => {
    const door = await serve(() => new Response('no', { status: 415 }))
    const next = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    const { text, errors } = await writeThenRead(door, 'Content-Length: 300000\r\n', 300_000, next)
    assert.deepEqual(errors, [])
    assert.equal(text.match(/HTTP\/1\.1 415/g)?.length, 2)
  })

  it('reads no more of a refused body than so many bytes, and waits no longer than so long', async () => {
    const answer = () => new Response('no', { status: 413, headers: { connection: 'close' } })
    const few = await serve(answer, { linger: { bytes: 100_000, ms: 600_000 } })
    const { text } = await writeThenRead(few, 'Content-Length: 90000000\r\n', 80_000_000)
    assert.doesNotMatch(text, /never/)
    const short = await serve(answer, { linger: { bytes: 100_000, ms: 100 } })
    const slow = connect(short)
    slow.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx')
    assert.match(await untilClosed(slow), /^HTTP\/1\.1 413/)
  })

  it('answers a header that is too large to a client that writes on', async () => {
    const door = await serve(() => new Response('fine'), { headerBytes: 1_000 })
    const { text, errors } = await writeThenRead(door, `X: ${'y'.repeat(5_000)}\r\n`, 1_000_000)
    assert.deepEqual(errors, [])
    assert.match(text, /^HTTP\/1\.1 431/)
  })

  it('keeps an idle connection for as long as it is told, and says so', async () => {
    const door = await serve(() => new Response('fine'), { keepAliveTimeout: 75_000 })
    const socket = connect(door)
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    const [first] = await soon(once(socket, 'data'), 'an answer')
    assert.match(String(first), /keep-alive: timeout=75/i)
    socket.destroy()
  })

  const ask = async (door: HttpServer, path: string, localAddress = '127.0.0.1'): Promise<string> => {
    const socket = net.connect({ port: door.address.port, host: '127.0.0.1', localAddress })
    socket.on('error', () => undefined)
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    return untilClosed(socket)
  }
  /** Requests that are being answered for as long as the test lasts. */
  const hold = async (door: HttpServer, count: number) => {
    const held = Array.from({ length: count }, () => connect(door))
    for (const socket of held) socket.write('GET /held HTTP/1.1\r\nHost: x\r\n\r\n')
    return held
  }

  it('leaves half of its connections to other addresses, and the health checks to all', async () => {
    let running = 0
    const door = await serve(
      request => {
        if (!request.url.endsWith('/held')) return new Response('fine')
        running += 1
        return new Promise(() => undefined)
      },
      { maxConnections: 4, perAddress: 2, reserved: 2, closeTimeout: 100 },
    )
    assert.equal(door.trouble(), null)
    const held = await hold(door, 2)
    await until('both are being answered', () => running === 2)
    assert.match(await ask(door, '/tasks'), /^HTTP\/1\.1 503[\s\S]*retry-after: 1/i)
    assert.match(await ask(door, '/livez'), /^HTTP\/1\.1 200/)
    assert.match(await ask(door, '/readyz'), /^HTTP\/1\.1 200/)
    assert.match(await ask(door, '/tasks', '127.0.0.2'), /^HTTP\/1\.1 200/)
    assert.match(String(door.trouble()), /one address has all 2 connections/)
    // who holds the places for the health checks without a word is pushed out
    const silent = Array.from({ length: 5 }, () => connect(door))
    assert.match(await ask(door, '/livez'), /^HTTP\/1\.1 200/)
    for (const socket of [...held, ...silent]) socket.destroy()
  })

  it('shares nothing out behind a trusted proxy, and tells the clients behind it apart', async () => {
    const clients: string[] = []
    const door = await serveHttp({
      fetch: (request, { client }) => {
        clients.push(client.clientKey)
        return request.url.endsWith('/held') ? new Promise(() => undefined) : new Response('fine')
      },
      ...{ host: '127.0.0.1', port: 0, setting: 'API_PORT', log: silentLog(), trustProxy: ['127.0.0.0/8'] },
      limits: { maxConnections: 8, perAddress: 2, closeTimeout: 100 },
    })
    doors.push(door)
    const held = await hold(door, 4)
    await until('all are being answered', () => clients.length === 4)
    const socket = connect(door)
    socket.write(
      'GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6, 2001:db8::9\r\nConnection: close\r\n\r\n',
    )
    assert.match(await untilClosed(socket), /^HTTP\/1\.1 200/)
    assert.equal(clients.at(-1), '2001:db8:0:0')
    for (const one of held) one.destroy()
  })
})
