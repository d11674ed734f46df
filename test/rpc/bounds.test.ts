// One client cannot take the door from the others: connections, silence, slowness, unread answers; and closing.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { afterEach, test } from 'node:test'
import celery from '../../gen/js/RPCcelery.js'
import { silentLog } from '../../src/platform/log.ts'
import { RPC_LIMITS, type RpcLimits } from '../../src/rpc/limits.ts'
import { openServer, type RpcServer } from '../../src/rpc/server.ts'
import { createFakeAccess } from '../support/fake-access.ts'
import {
  openBench,
  openClient,
  openRaw,
  proveAlive,
  type RawClient,
  statusCall,
  until,
  wire,
} from './fixture.ts'

const toClose: (() => unknown)[] = []
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close()
})
const bench = async (...args: Parameters<typeof openBench>) => {
  const opened = await openBench(...args)
  toClose.push(() => opened.close())
  return opened
}
const raw = async (door: RpcServer, reading = true) => {
  const client = await openRaw(door, reading)
  toClose.push(() => client.socket.destroy())
  return client
}
const clientOf = (door: RpcServer) => {
  const { client, close } = openClient(door)
  toClose.push(close)
  return client
}

test('200 idle connections leave the door open to others', async () => {
  const { door } = await bench()
  await Promise.all(Array.from({ length: 200 }, () => raw(door)))
  await until('all are there', () => door.counters().connections === 200)
  await proveAlive(door)
})

test('a connection over the limit is closed at once, and taken again when another has gone', async () => {
  const { door } = await bench({ connections: 3 })
  const [first] = await Promise.all([raw(door), raw(door), raw(door)])
  await until('three are there', () => door.counters().connections === 3)
  const fourth = await raw(door)
  await fourth.closed()
  assert.equal(door.counters().refused, 1)
  first.socket.end()
  await first.closed()
  await until('one has gone', () => door.counters().connections === 2)
  await proveAlive(door)
})

test('one address gets a share of the connections, and the door says when a client is turned away', async () => {
  const { door } = await bench({ connections: 8, perAddress: 3 })
  assert.equal(door.trouble(), null)
  await Promise.all([raw(door), raw(door), raw(door)])
  await until('three are there', () => door.counters().connections === 3)
  await (await raw(door)).closed()
  assert.match(String(door.trouble()), /one address has all 3 connections/)
})

for (const order of ['that came first', 'that came last'])
  test(`the connection that was answered longest ago, the one ${order}, gives its place to the next one`, async () => {
    const { door } = await bench({ connections: 8, perAddress: 2 })
    const clients = [await raw(door), await raw(door)]
    const [idle, other] = order === 'that came first' ? clients : clients.toReversed()
    assert.ok(idle && other)
    for (const client of [idle, other]) {
      client.socket.write(statusCall('no id'))
      await until('it is answered', () => client.received().length > 0)
    }
    await proveAlive(door)
    await idle.closed()
    assert.equal(other.socket.destroyed, false)
  })

test('incomplete messages take no more memory than allowed, over all connections', async () => {
  const { door } = await bench({ heldBytes: 300_000, heldPerAddress: 200_000 })
  const begun = Buffer.concat([
    Buffer.from([0x80, 1, 0, 1, 0, 0, 0, 8]),
    Buffer.from('readLog_'),
    Buffer.from([0, 0, 0, 1, 0x0b, 0, 1, 0, 0x0f, 0, 0]),
    Buffer.alloc(90_000, 'x'),
  ])
  const clients = [await raw(door), await raw(door), await raw(door)]
  for (const { socket } of clients) socket.write(begun)
  await until('one is refused', () => clients.some(({ received }) => received().includes('OVERLOADED')))
  assert.equal(clients.filter(({ received }) => received().length === 0).length, 2)
  for (const { socket } of clients) socket.destroy()
  await proveAlive(door)
})

test('what a message took is free for the next one once it is answered, on one connection too', async () => {
  const { door } = await bench({ heldBytes: 150_000, heldPerAddress: 150_000 })
  const client = await raw(door)
  for (let n = 1; n <= 10; n += 1) {
    const bytes = wire.call('listTasks', n, wire.field(11, 9, wire.string('x'.repeat(50_000))))
    // half of it is held for a while
    client.socket.write(bytes.subarray(0, 40_000))
    await proveAlive(door)
    client.socket.write(bytes.subarray(40_000))
    await until('it is answered', () => door.counters().calls === 2 * n)
  }
  assert.equal(door.counters().refused, 0)
})

test('a silent connection is closed after the idle time, one that waits for its answer is not', async () => {
  let release = (): void => undefined
  const { door } = await bench({ idleMs: 100 }, service => ({
    ...service,
    list: async () => {
      await new Promise<void>(resolve => (release = resolve))
      return { tasks: [], next: null }
    },
  }))
  const listing = clientOf(door).listTasks()
  const silent = await raw(door)
  await silent.closed()
  const second = await raw(door)
  await second.closed()
  release()
  assert.deepEqual(await listing, [])
})

test('a message that does not become whole in time ends the connection, however busy it is', async () => {
  const { door } = await bench({ messageMs: 200, idleMs: 60_000 })
  const slow = await raw(door)
  const bytes = wire.call('listTasks', 1, wire.field(11, 9, wire.string('x'.repeat(100_000))))
  let at = 0
  const drip = setInterval(() => slow.socket.write(bytes.subarray(at, ++at)), 5)
  await slow.closed()
  clearInterval(drip)
  assert.ok(at < bytes.length)
  await proveAlive(door)
})

test('whole messages on one connection may take longer than one message may', async () => {
  const { door } = await bench({ messageMs: 250 })
  const steady = await raw(door)
  const end = Date.now() + 1_000
  let sent = 0
  while (Date.now() < end) {
    // the end of one message and the beginning of the next
    const bytes = statusCall('nobody', ++sent)
    steady.socket.write(
      sent === 1 ? bytes.subarray(0, -1) : Buffer.concat([Buffer.from([0]), bytes.subarray(0, -1)]),
    )
    const calls = sent - 1
    await until('the answer', () => door.counters().calls >= calls)
  }
  assert.ok(sent > 2)
  assert.equal(steady.socket.destroyed, false)
})

const ANSWER = 'x'.repeat(256 * 1024)
/** A door whose startCalcPi answers much, and the bytes of such an answer. */
const bigDoor = async (limits: Partial<RpcLimits> = {}) => {
  const door = await openServer({
    processor: celery.Processor,
    methods: new Map([
      ['startCalcPi', { arity: 1, run: async () => ANSWER, declared: () => null }],
      ['listTasks', { arity: 0, run: async () => [], declared: () => null }],
    ]),
    access: createFakeAccess().access,
    log: silentLog(),
    host: '127.0.0.1',
    port: 0,
    settingName: 'RPC_PORT',
    limits,
  })
  toClose.push(() => door.close())
  return door
}
const bigCall = wire.call('startCalcPi', 1, wire.field(3, 1, Buffer.from([1])))
const bigAnswerBytes = wire.header('startCalcPi', 1).length + 3 + 4 + ANSWER.length + 1
const countBytes = (client: RawClient): (() => number) => {
  let bytes = 0
  client.socket.on('data', piece => {
    bytes += piece.length
  })
  client.socket.resume()
  return () => bytes
}

test('a client that never reads is not served on, holds bounded memory, and gets everything once it reads', async () => {
  const CALLS = 400
  const door = await bigDoor()
  const before = process.memoryUsage.rss()
  const mute = await raw(door, false)
  for (let i = 0; i < CALLS; i += 1) mute.socket.write(bigCall)

  // the kernel holds some megabytes, the door one more; by then a good client has had many turns
  const good = clientOf(door)
  await until('the door has answered some', () => door.counters().calls > 4)
  for (let i = 0; i < 300; i += 1) assert.deepEqual(await good.listTasks(), [])
  const answered = door.counters().calls - 300
  assert.ok(answered < CALLS / 2, `${answered} answers for nobody`)
  assert.ok(process.memoryUsage.rss() - before < 150e6, 'memory')

  const bytes = countBytes(mute)
  await until('all answers', () => bytes() >= CALLS * bigAnswerBytes)
  assert.equal(bytes(), CALLS * bigAnswerBytes)
})

test('when unread answers take too much memory, the connections that have waited longest are closed, and no others', async () => {
  const MUTE = 12
  const LIMIT = 2 * 1024 * 1024
  const door = await bigDoor({ unreadTotalBytes: LIMIT })
  const good = clientOf(door)
  assert.deepEqual(await good.listTasks(), [])
  const mute = await Promise.all(Array.from({ length: MUTE }, () => raw(door, false)))
  for (const client of mute) client.socket.write(Buffer.concat(Array<Buffer>(400).fill(bigCall)))
  // each that is served no further holds at least a quarter of a MiB
  await until('some are closed', () => door.counters().refused >= 4)
  assert.deepEqual(await good.listTasks(), [])
  await until('as many are gone', () => door.counters().connections <= MUTE + 1 - 4)
  const open = door.counters().connections - 1
  assert.ok(open <= LIMIT / RPC_LIMITS.unreadBytes, `${open} are open`)
})

test('a client that has read everything is not closed for what others do not read', async () => {
  // far more than the kernel holds for it
  const CALLS = 160
  const door = await bigDoor({ unreadTotalBytes: 2 * 1024 * 1024 })
  const slow = await raw(door, false)
  slow.socket.write(Buffer.concat(Array<Buffer>(CALLS).fill(bigCall)))
  const good = clientOf(door)
  await until('the door has answered some', () => door.counters().calls > 0)
  // by then it has had many turns, and waits for a reader
  for (let i = 0; i < 100; i += 1) assert.deepEqual(await good.listTasks(), [])
  assert.ok(door.counters().calls < 100 + CALLS, 'it was served to the end')
  const bytes = countBytes(slow)
  await until('it has read all', () => bytes() === CALLS * bigAnswerBytes)
  const mute = await Promise.all(Array.from({ length: 12 }, () => raw(door, false)))
  for (const client of mute) client.socket.write(Buffer.concat(Array<Buffer>(400).fill(bigCall)))
  await until('some are closed', () => door.counters().refused >= 4)
  slow.socket.write(bigCall)
  await until('it is served on', () => bytes() === (CALLS + 1) * bigAnswerBytes)
})

test('a client that has closed its side and reads late gets every answer; one that resets instead harms nobody', async () => {
  const CALLS = 100
  const door = await bigDoor({ unreadBytes: 1e9 })
  for (const late of ['reads', 'resets'] as const) {
    const answered = door.counters().calls
    const client = await raw(door, false)
    client.socket.end(Buffer.concat(Array<Buffer>(CALLS).fill(bigCall)))
    await until('all are answered', () => door.counters().calls === answered + CALLS)
    if (late === 'resets') client.socket.resetAndDestroy()
    const bytes = countBytes(client)
    await client.closed()
    if (late === 'reads') assert.equal(bytes(), CALLS * bigAnswerBytes)
    await until('the door has let go', () => door.counters().connections === 0)
  }
  assert.deepEqual(await clientOf(door).listTasks(), [])
})

test('a client that reads nothing for the idle time is let go', async () => {
  const { door } = await bench({ idleMs: 200, unreadBytes: 64 * 1024 })
  const mute = await raw(door, false)
  // answers as long as the name of an unknown method, until nothing more fits
  const calls = Buffer.concat(Array<Buffer>(2_000).fill(wire.call('m'.repeat(RPC_LIMITS.nameBytes), 1)))
  for (let i = 0; i < 40; i += 1) mute.socket.write(calls)
  await until('it is let go', () => door.counters().connections === 0)
  await proveAlive(door)
})

test('a client that has said its last is answered before the connection ends', async () => {
  const { door } = await bench()
  const client = await raw(door)
  client.socket.end(Buffer.concat([statusCall('one', 1), statusCall('two', 2)]))
  await client.closed()
  assert.match(client.received().toString('latin1'), /one.*two/s)
})

test('a client that goes while its call runs harms nobody', async () => {
  let release = (): void => undefined
  let running = false
  const { door } = await bench({}, service => ({
    ...service,
    list: async () => {
      running = true
      await new Promise<void>(resolve => (release = resolve))
      return { tasks: [], next: null }
    },
  }))
  for (const leave of ['resetAndDestroy', 'destroy'] as const) {
    running = false
    const client = await raw(door)
    client.socket.write(wire.call('listTasks', 1))
    await until('the call runs', () => running)
    client.socket[leave]()
    await client.closed()
    release()
    await until('the door has let go', () => door.counters().connections === 0)
  }
  await proveAlive(door)
})

test('close answers the call in progress, ends idle connections, frees the port, and may be called twice', async () => {
  let release = (): void => undefined
  let running = false
  const { door } = await bench({}, service => ({
    ...service,
    list: async () => {
      running = true
      await new Promise<void>(resolve => (release = resolve))
      return { tasks: [], next: null }
    },
  }))
  const idle = await raw(door)
  const listing = clientOf(door).listTasks()
  await until('the call runs', () => running)
  const closing = door.close()
  await idle.closed()
  release()
  assert.deepEqual(await listing, [])
  await Promise.all([closing, door.close()])
  const again = createServer()
  again.listen(door.address.port, '127.0.0.1')
  await once(again, 'listening')
  await new Promise(resolve => again.close(resolve))
})

test('close does not wait for ever for a call', async () => {
  let running = false
  const { door } = await bench({ closeMs: 100 }, service => ({
    ...service,
    list: () => {
      running = true
      return new Promise(() => undefined)
    },
  }))
  const stuck = await raw(door)
  stuck.socket.write(wire.call('listTasks', 1))
  await until('the call runs', () => running)
  await door.close()
  await stuck.closed()
  assert.equal(stuck.received().length, 0)
})

test('close does not wait for ever for a client that does not read', async () => {
  const { door } = await bench({ closeMs: 100 })
  const mute = await raw(door, false)
  const calls = Buffer.concat(Array<Buffer>(2_000).fill(wire.call('m'.repeat(RPC_LIMITS.nameBytes), 1)))
  for (let i = 0; i < 40; i += 1) mute.socket.write(calls)
  await until('many answers are under way', () => door.counters().calls > 10_000)
  await door.close()
  assert.equal(door.counters().connections, 0)
})

test('a port that is taken is an error that names the port and its setting', async () => {
  const other = createServer()
  other.listen(0, '127.0.0.1')
  await once(other, 'listening')
  toClose.push(() => new Promise(resolve => other.close(resolve)))
  const { port } = other.address() as AddressInfo
  const opening = openServer({
    processor: celery.Processor,
    methods: new Map(),
    access: createFakeAccess().access,
    log: silentLog(),
    host: '127.0.0.1',
    port,
    settingName: 'RPC_PORT',
  })
  await assert.rejects(opening, new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is taken: .* RPC_PORT`))
})
