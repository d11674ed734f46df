// The tool of the fault tests: what it does not harm arrives as it was, and what it does happens at the byte named.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket, connect as tcpConnect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { createSpots } from '../support/byte-spots.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

/** Notes what each connection brought, and sends it back. */
const startEcho = async () => {
  const heard: Buffer[] = []
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, socket => {
    const place = heard.push(Buffer.alloc(0)) - 1
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', bytes => {
      heard[place] = Buffer.concat([heard[place] ?? Buffer.alloc(0), bytes])
      socket.write(bytes)
    })
    socket.on('end', () => socket.end())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return {
    port: address.port,
    heard,
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

const client = async (port: number) => {
  const socket = tcpConnect({ port, host: '127.0.0.1' })
  const seen = {
    bytes: Buffer.alloc(0),
    error: null as NodeJS.ErrnoException | null,
    ended: false,
    closed: false,
  }
  socket.on('data', bytes => {
    seen.bytes = Buffer.concat([seen.bytes, bytes])
  })
  socket.on('error', error => {
    seen.error = error
  })
  socket.on('end', () => {
    seen.ended = true
  })
  socket.on('close', () => {
    seen.closed = true
  })
  await until('it is connected or refused', () => !socket.connecting)
  return { socket, seen }
}

describe('the proxy of the fault tests', { timeout: 300_000 }, () => {
  let echo: Awaited<ReturnType<typeof startEcho>>
  let proxy: TcpProxy
  before(async () => {
    echo = await startEcho()
    proxy = await startTcpProxy({ port: echo.port })
  })
  after(async () => {
    await proxy.close()
    await proxy.close()
    echo.close()
  })

  it('passes on every byte in order, and an end of one side while the other goes on', async () => {
    const { socket, seen } = await client(proxy.port)
    const sent = Buffer.from(Array.from({ length: 3_000_000 }, (_, n) => (n * 7 + (n >> 8)) & 0xff))
    socket.end(sent)
    await until('everything came back', () => seen.ended)
    assert.ok(seen.bytes.equals(sent))
    assert.equal(seen.error, null)
    await until('the connection is forgotten', () => proxy.open() === 0)
  })

  it('cuts every connection and serves new ones', async () => {
    const [one, two] = [await client(proxy.port), await client(proxy.port)]
    await until('both are through', () => proxy.open() === 2)
    proxy.cut()
    await until('both are cut', () => one.seen.closed && two.seen.closed)
    const { socket, seen } = await client(proxy.port)
    socket.end('again')
    await until('it came back', () => seen.bytes.toString() === 'again')
  })

  it('cuts after the byte named, counted over all connections or from a pattern', async () => {
    const place = echo.heard.length
    const atByte = proxy.cutAt({ direction: 'up', after: 5 })
    const first = await client(proxy.port)
    first.socket.write('abc')
    await until('the first part is there', () => echo.heard[place]?.toString() === 'abc')
    const second = await client(proxy.port)
    second.socket.write('defgh')
    await atByte
    await until('it is cut', () => second.seen.closed)
    await until('two more bytes came', () => echo.heard[place + 1]?.toString() === 'de')
    assert.equal(first.seen.closed, false)

    const inFrame = proxy.cutAt({ direction: 'down', pattern: Buffer.from('<x>'), after: 2 })
    first.socket.write('more <')
    await until('it came back', () => first.seen.bytes.toString() === 'abcmore <')
    first.socket.write('x>1234')
    await inFrame
    await until('it is cut', () => first.seen.closed)
    assert.equal(first.seen.bytes.toString(), 'abcmore <x>12')
  })

  it('garbles the bytes named and no others', async () => {
    const garbled = proxy.garbleAt({ direction: 'up', pattern: Buffer.from('id='), after: 1, bytes: 2 })
    const { socket, seen } = await client(proxy.port)
    socket.end('--id=abcd')
    await garbled
    await until('it came back', () => seen.ended)
    assert.deepEqual([...seen.bytes], [...Buffer.from('--id=a'), 0x62 ^ 0xff, 0x63 ^ 0xff, 0x64])
  })

  it('holds back while stalled and loses nothing; delays in order', async () => {
    const { socket, seen } = await client(proxy.port)
    proxy.stall('down')
    const before = proxy.passed('up')
    socket.write('one')
    await until('the server has it', () => proxy.passed('up') === before + 3)
    const late = await client(proxy.port)
    late.socket.end('late')
    await until('the server has that too', () => proxy.passed('up') === before + 7)
    assert.equal(seen.bytes.length + late.seen.bytes.length, 0)
    proxy.resume()
    await until('both came back', () => `${seen.bytes}${late.seen.bytes}` === 'onelate')
    proxy.delay(60)
    const began = performance.now()
    socket.write('two')
    socket.end('three')
    await until('it came back', () => seen.ended)
    proxy.delay(0)
    assert.ok(performance.now() - began >= 120, 'there and back, 60 ms each')
    assert.equal(seen.bytes.toString(), 'onetwothree')
  })

  it('refuses as if nobody were there, and accepts again on the same port', async () => {
    const { seen } = await client(proxy.port)
    await proxy.refuse()
    await until('it is cut', () => seen.closed)
    const refused = await client(proxy.port)
    await until('it is refused', () => refused.seen.closed)
    assert.equal(refused.seen.error?.code, 'ECONNREFUSED')
    await proxy.accept()
    const { socket, seen: again } = await client(proxy.port)
    socket.end('hello')
    await until('it came back', () => again.bytes.toString() === 'hello')
  })

  it('finds the same byte however the stream is cut into pieces', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ max: 4, maxLength: 6 }), { maxLength: 12 }),
        fc.uint8Array({ max: 4, minLength: 1, maxLength: 3 }),
        fc.nat(6),
        (pieces, pattern, passing) => {
          const whole = Buffer.concat(pieces)
          const found = whole.indexOf(Buffer.from(pattern))
          const expected = found < 0 ? whole.length : found + pattern.length + passing
          const spots = createSpots()
          void spots.add({ direction: 'up', pattern: Buffer.from(pattern), after: passing }, 0)
          const stream = {}
          const out: Buffer[] = []
          for (const piece of pieces) {
            const { bytes, cut } = spots.harm('up', stream, Buffer.from(piece))
            out.push(bytes)
            if (cut) break
          }
          assert.ok(Buffer.concat(out).equals(whole.subarray(0, expected)))
        },
      ),
      { numRuns: 2_000 },
    )
  })
})
