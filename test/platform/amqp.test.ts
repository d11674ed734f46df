import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createAmqpLink, reasonOf } from '../../src/platform/amqp.ts'
import { silentLog } from '../../src/platform/log.ts'
import { until } from '../support/until.ts'

/** A server that is no broker: it counts, and does with a connection what it is told. */
const startServer = async (serve: (socket: Socket) => void) => {
  const sockets = new Set<Socket>()
  const counts = { connections: 0 }
  const server: Server = createServer(socket => {
    counts.connections++
    sockets.add(socket)
    socket.on('error', () => {})
    // a socket that nobody reads never learns of its end
    socket.resume()
    socket.on('close', () => sockets.delete(socket))
    serve(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return {
    url: `amqp://user:geheim@127.0.0.1:${address.port}/`,
    counts,
    open: () => sockets.size,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

const link = (url: string, stepTimeoutMs = 15_000) =>
  createAmqpLink({ urls: [url], name: 'test', log: silentLog(), setup: async () => {}, stepTimeoutMs })

describe('the reason for people', () => {
  it('never holds the password, as it is or encoded, and is one short line', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 4, unit: 'binary' }).filter(text => /[^*\s]{4}/.test(text)),
        fc.string(),
        fc.string(),
        (password, before, after) => {
          const url = new URL('amqp://user@localhost')
          try {
            url.password = encodeURIComponent(password)
          } catch {
            return // a lone surrogate cannot be in a URL
          }
          for (const secret of [password, url.password, url.href]) {
            const reason = reasonOf(new Error(`${before}${secret}${after}`), url)
            if (!before.includes(password) && !after.includes(password) && !'********'.includes(password))
              assert.ok(!reason.includes(password) || `${before}********${after}`.includes(password), reason)
            assert.ok(reason.length <= 400)
            assert.doesNotMatch(reason, /\p{Cc}/u)
          }
        },
      ),
    )
  })

  it('names the vhost that a broker lets nobody into', () => {
    const error = new Error('Expected ConnectionOpenOk; got <ConnectionClose channel:0>')
    assert.match(
      reasonOf(error, new URL('amqp://localhost/else%2Fwhere')),
      /the vhost else\/where \(does it exist/,
    )
    assert.match(reasonOf(error, new URL('amqp://localhost/')), /the vhost \/ \(does it exist/)
  })

  it('tells what every address of a host answered', () => {
    const reason = reasonOf(
      new AggregateError([
        new Error('connect ECONNREFUSED ::1:5672'),
        new Error('connect ECONNREFUSED 127.0.0.1:5672'),
      ]),
      new URL('amqp://localhost'),
    )
    assert.match(reason, /::1:5672; connect ECONNREFUSED 127\.0\.0\.1:5672 \(does the broker run/)
  })
})

describe('a link to something that is no broker', () => {
  const cases: [string, (socket: Socket) => void][] = [
    ['closes at once', socket => socket.destroy()],
    ['resets the connection', socket => socket.resetAndDestroy()],
    ['speaks HTTP', socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['refuses the version', socket => socket.end(Buffer.from('AMQP\x00\x01\x00\x00', 'latin1'))],
    [
      'sends a frame of 4 GB',
      socket => socket.write(Buffer.from([1, 0, 0, 255, 255, 255, 255, 0, 10, 0, 10])),
    ],
    ['sends noise', socket => socket.write(Buffer.alloc(100_000, 0x5a))],
  ]
  for (const [title, serve] of cases)
    it(`that ${title}: keeps trying, with pauses, and says so`, { timeout: 300_000 }, async () => {
      const server = await startServer(serve)
      const tested = link(server.url, 300)
      await until('three tries', () => server.counts.connections >= 3)
      const { status, reason } = tested.state()
      assert.equal(status, 'connecting')
      assert.match(reason ?? '', /^broker at 127\.0\.0\.1:\d+: ./)
      assert.doesNotMatch(reason ?? '', /geheim/)
      await tested.close()
      assert.equal(tested.state().status, 'closed')
      const { connections } = server.counts
      await until('no connection is left open', () => server.open() === 0)
      assert.ok(connections < 20, `${connections} tries: the loop runs hot`)
      await server.close()
    })

  it('that says nothing: is given up after the time for a step', { timeout: 300_000 }, async () => {
    const server = await startServer(() => {})
    const tested = link(server.url, 200)
    await until('a second try', () => server.counts.connections >= 2)
    await tested.close()
    await until('no connection is left open', () => server.open() === 0)
    await server.close()
  })

  it('that says nothing: close() does not wait for it, and may be called twice', {
    timeout: 300_000,
  }, async () => {
    const server = await startServer(() => {})
    const tested = link(server.url)
    await until('it connected', () => server.counts.connections === 1)
    const began = performance.now()
    await Promise.all([tested.close(), tested.close()])
    assert.ok(performance.now() - began < 5_000)
    await until('no connection is left open', () => server.open() === 0)
    await server.close()
  })
})
