import assert from 'node:assert/strict'
import net from 'node:net'
import { afterEach, describe, it } from 'node:test'
import { silentLog } from '../../src/platform/log.ts'
import { type HTTP_LIMITS, type HttpDoor, serveHttp } from '../../src/platform/serve.ts'
import { soon } from '../support/soon.ts'

const signal = (): { fired: Promise<void>; fire: () => void } => {
  let fire = (): void => undefined
  const fired = new Promise<void>(resolve => {
    fire = resolve
  })
  return { fired, fire }
}

describe('an HTTP port', () => {
  const doors: HttpDoor[] = []
  afterEach(async () => {
    for (const door of doors.splice(0)) await door.close()
  })
  const serve = async (
    fetchIt: (request: Request) => Response | Promise<Response>,
    limits: Partial<typeof HTTP_LIMITS> = {},
    port = 0,
  ): Promise<HttpDoor> => {
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
  const connect = (door: HttpDoor): net.Socket =>
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
    const door = await serve(() => new Response('fine'), { maxConnections: 2 })
    const first = [connect(door), connect(door)]
    for (const socket of first) {
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
      await soon(new Promise(resolve => socket.once('data', resolve)), 'an answer')
    }
    assert.equal(await untilClosed(connect(door)), '')
    const freed = untilClosed(first[0] as net.Socket)
    first[0]?.destroy()
    await freed
    let answer = ''
    for (let turn = 0; answer === '' && turn < 100; turn += 1) {
      const socket = connect(door)
      socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
      answer = await untilClosed(socket)
    }
    assert.match(answer, /^HTTP\/1\.1 200/)
    first[1]?.destroy()
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
})
