// What is no proper call ends its own connection, with a reason where the call is known, and harms nobody else.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { RPC_LIMITS } from '../../src/rpc/limits.ts'
import { type ChildDoor, startDoor } from './child-door.ts'
import { type DoorAddress, openClient, openRaw, STRING, statusCall, until, wire } from './fixture.ts'

/** More than what the door holds when nobody asks, bytes. */
const MEMORY_BYTES = 100e6

let child: ChildDoor
let door: DoorAddress
let idle = 0
/** A well-behaved client whose connection has to live through everything here. */
let beside: ReturnType<typeof openClient>
before(async () => {
  child = await startDoor()
  door = child.door
  beside = openClient(door)
  await proveUnharmed()
  idle = (await child.figures()).rss
})
after(async () => {
  beside.close()
  await child.stop()
})

const proveUnharmed = async (): Promise<void> => {
  const id = await beside.client.startCalcPi(1)
  assert.equal((await beside.client.getTaskStatus(id)).status, 'PENDING')
}

const raw = (...bytes: number[]): Buffer => Buffer.from(bytes)
const repeated = (bytes: Buffer, times: number): Buffer => Buffer.concat(Array<Buffer>(times).fill(bytes))
const call = (...fields: Buffer[]): Buffer => wire.call('getTaskStatus', 9, ...fields)

const NOTHING = /^$/
const inputs: [string, Buffer, RegExp][] = [
  ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1:9000\r\n\r\n'), NOTHING],
  ['a TLS hello', raw(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3), NOTHING],
  ['garbage', raw(0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4, 5, 6, 7, 8), NOTHING],
  ['one byte that is wrong', raw(1), NOTHING],
  ['a frame length of 2 GiB', raw(0x7f, 0xff, 0xff, 0xff), NOTHING],
  ['a frame that holds half a call', Buffer.concat([wire.i32(9), call()]), NOTHING],
  ['a frame that is longer than its call', Buffer.concat([wire.i32(60), call(), call()]), NOTHING],
  [
    'a call without a version',
    Buffer.concat([wire.string('listTasks'), raw(1), wire.i32(1), raw(0)]),
    NOTHING,
  ],
  ['a bad version', raw(0x80, 0x7f, 0, 1, 0, 0, 0, 1), NOTHING],
  ['a negative length of the name', Buffer.concat([raw(0x80, 1, 0, 1), wire.i32(-2)]), NOTHING],
  ['a negative length of a string', call(wire.field(STRING, 1, wire.i32(-1))), /BAD_REQUEST: /],
  ['a string of 2 GiB announced', call(wire.field(STRING, 1, wire.i32(0x7fffffff))), /BODY_TOO_LARGE: /],
  [
    'a string of 2 GiB announced in the compact protocol',
    raw(0x82, 0x21, 1, 1, 0x78, 0x18, 0xff, 0xff, 0xff, 0xff, 7),
    /BODY_TOO_LARGE: /,
  ],
  [
    '60,000 nested structs in the compact protocol, in a frame',
    Buffer.concat([wire.i32(60_005), raw(0x82, 0x21, 1, 1, 0x78), Buffer.alloc(60_000, 0x1c)]),
    /BAD_REQUEST: /,
  ],
  ['a list of 2^31 announced', call(wire.field(15, 1, raw(12, 127, 255, 255, 255))), /BAD_REQUEST: /],
  ['a map of 2^31 announced', call(wire.field(13, 7, raw(2, 2, 127, 255, 255, 255))), /BAD_REQUEST: /],
  ['60,000 nested structs', wire.call('getTaskStatus', 9, repeated(raw(12, 0, 5), 60_000)), /BAD_REQUEST: /],
  ['an unknown type', call(wire.field(7, 1, raw(1, 2, 3))), /BAD_REQUEST: /],
  ['a reply', wire.header('getTaskStatus', 9, 2), /BAD_REQUEST: /],
  ['a string of 80 MB', call(wire.field(STRING, 1, wire.string('x'.repeat(80_000_000)))), /BODY_TOO_LARGE: /],
  ['2 MB of empty strings', call(repeated(wire.field(STRING, 3, wire.i32(0)), 300_000)), /BODY_TOO_LARGE: /],
]
for (const [what, bytes, reply] of inputs)
  test(`closed, and nobody else notices: ${what}`, async () => {
    const hostile = await openRaw(door)
    hostile.socket.write(bytes)
    await hostile.closed()
    // a reset may overtake the reply while the client is still sending: then there is nothing to see
    const got = hostile.received().toString('latin1')
    if (bytes.length < 100_000 || got !== '') assert.match(got, reply)
    assert.doesNotMatch(got, /node_modules|\.ts:|at \w+ \(/)
    await proveUnharmed()
    const over = (await child.figures()).rss - idle
    assert.ok(over < MEMORY_BYTES, `${over} bytes over idle`)
  })

test('what announces more than it sends is closed when the client goes, and costs no memory until then', async () => {
  const unfinished = call(wire.field(STRING, 1, wire.i32(RPC_LIMITS.messageBytes - 100))).subarray(0, -1)
  const clients = await Promise.all(Array.from({ length: 100 }, () => openRaw(door)))
  for (const client of clients) client.socket.write(unfinished)
  await until('all are connected', async () => (await child.figures()).counters.connections >= 101)
  await proveUnharmed()
  const over = (await child.figures()).rss - idle
  assert.ok(over < MEMORY_BYTES, `${over} bytes over idle, of the 100 MB that were announced`)
  for (const client of clients) client.socket.end()
  await Promise.all(clients.map(client => client.closed()))
})

test('wrong argument types, unknown fields and missing arguments are answered, and the connection goes on', async () => {
  const client = await openRaw(door)
  const calls: [Buffer, RegExp][] = [
    [wire.call('startCalcPi', 1), /BAD_REQUEST: startCalcPi takes one argument/],
    [wire.call('startCalcPi', 2, wire.field(STRING, 1, wire.string('5'))), /BAD_REQUEST: startCalcPi takes/],
    [wire.call('getTaskStatus', 3), /getTaskStatus/],
    [
      wire.call(
        'listTasks',
        4,
        wire.field(STRING, 99, wire.string('x')),
        wire.field(16, 3, Buffer.alloc(16)),
      ),
      /listTasks/,
    ],
    [wire.call('process', 5), /NOT_FOUND: There is no method "process"/],
    [wire.call('__proto__', 6), /NOT_FOUND: There is no method "__proto__"/],
    [wire.call('constructor', 7), /NOT_FOUND/],
    [wire.call('', 8), /NOT_FOUND: There is no method ""/],
    [wire.call('\r\n\0é', 9), /NOT_FOUND/],
  ]
  for (const [bytes, reply] of calls) {
    const from = client.received().length
    client.socket.write(bytes)
    await until('a reply', () => client.received().length > from)
    assert.match(client.received().subarray(from).toString(), reply)
  }
  client.socket.end()
  await client.closed()
})

test('a call that comes byte by byte is answered', async () => {
  const client = await openRaw(door)
  client.socket.setNoDelay(true)
  for (const byte of statusCall('nobody', 4711)) {
    client.socket.write(raw(byte))
    await new Promise(resolve => setImmediate(resolve))
  }
  await until('the reply', () => client.received().includes(wire.i32(4711)))
  client.socket.end()
  await client.closed()
})

test('clients that reset in the middle of a message, or of its answer, harm nobody', async () => {
  for (let i = 1; i < 40; i += 1) {
    const client = await openRaw(door)
    client.socket.write(repeated(statusCall('nobody'), 200).subarray(0, 37 * i))
    await new Promise(resolve => setImmediate(resolve))
    client.socket.resetAndDestroy()
    await client.closed()
  }
  await until('the door has let go of them', async () => (await child.figures()).counters.connections === 1)
  await proveUnharmed()
})
