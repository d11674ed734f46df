// What is no proper call ends its own connection, with a reason where the call is known, and harms nobody else.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { RPC_LIMITS } from '../../src/rpc/limits.ts'
import {
  type Bench,
  openBench,
  openClient,
  openRaw,
  proveAlive,
  STRING,
  statusCall,
  until,
  wire,
} from './fixture.ts'

/** Mutated messages that are sent; FUZZ_RUNS sets another number. */
const FUZZ_RUNS = Number(process.env.FUZZ_RUNS ?? 3000)
const AT_A_TIME = 16

let bench: Bench
/** A well-behaved client whose connection has to live through everything here. */
let beside: ReturnType<typeof openClient>
before(async () => {
  bench = await openBench()
  beside = openClient(bench.door)
})
after(async () => {
  beside.close()
  await bench.close()
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
  ['one byte that is wrong', raw(0), NOTHING],
  ['a frame length of 2 GiB', raw(0x7f, 0xff, 0xff, 0xff), NOTHING],
  ['a framed call', Buffer.concat([wire.i32(call().length), call()]), NOTHING],
  [
    'a call without a version',
    Buffer.concat([wire.string('listTasks'), raw(1), wire.i32(1), raw(0)]),
    NOTHING,
  ],
  ['a bad version', raw(0x80, 0x7f, 0, 1, 0, 0, 0, 1), NOTHING],
  ['a negative length of the name', Buffer.concat([raw(0x80, 1, 0, 1), wire.i32(-2)]), NOTHING],
  ['a negative length of a string', call(wire.field(STRING, 1, wire.i32(-1))), /BAD_REQUEST: /],
  ['a string of 2 GiB announced', call(wire.field(STRING, 1, wire.i32(0x7fffffff))), /BODY_TOO_LARGE: /],
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
    const before = process.memoryUsage.rss()
    const hostile = await openRaw(bench.door)
    hostile.socket.write(bytes)
    await hostile.closed()
    // a reset may overtake the reply while the client is still sending: then there is nothing to see
    const got = hostile.received().toString('latin1')
    if (bytes.length < 100_000 || got !== '') assert.match(got, reply)
    assert.doesNotMatch(got, /node_modules|\.ts:|at \w+ \(/)
    await proveUnharmed()
    assert.ok(process.memoryUsage.rss() - before < 300e6, 'memory')
  })

test('what announces more than it sends is closed when the client goes, and costs no memory until then', async () => {
  const unfinished = call(wire.field(STRING, 1, wire.i32(RPC_LIMITS.messageBytes - 100))).subarray(0, -1)
  const before = process.memoryUsage.rss()
  const clients = await Promise.all(Array.from({ length: 100 }, () => openRaw(bench.door)))
  for (const client of clients) client.socket.write(unfinished)
  await until('all are connected', () => bench.door.counters().connections >= 101)
  await proveUnharmed()
  assert.ok(process.memoryUsage.rss() - before < 60e6, 'the announced 100 MB were not taken')
  for (const client of clients) client.socket.end()
  await Promise.all(clients.map(client => client.closed()))
})

test('wrong argument types, unknown fields and missing arguments are answered, and the connection goes on', async () => {
  const client = await openRaw(bench.door)
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
  const client = await openRaw(bench.door)
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
    const client = await openRaw(bench.door)
    client.socket.write(repeated(statusCall('nobody'), 200).subarray(0, 37 * i))
    await new Promise(resolve => setImmediate(resolve))
    client.socket.resetAndDestroy()
    await client.closed()
  }
  await until('the door has let go of them', () => bench.door.counters().connections === 1)
  await proveUnharmed()
})

const valid = [
  wire.call('listTasks', 1),
  wire.call('startCalcPi', 2, wire.field(3, 1, raw(5))),
  statusCall('0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f', 3),
  wire.call('x', 4, wire.field(12, 1, Buffer.concat([wire.field(8, 1, wire.i32(1)), raw(0)]))),
  wire.call(
    'x',
    5,
    wire.field(15, 2, Buffer.concat([raw(11), wire.i32(2), wire.string('a'), wire.string('b')])),
  ),
  wire.call('x', 6, wire.field(13, 2, Buffer.concat([raw(11, 3), wire.i32(1), wire.string('a'), raw(1)]))),
]
/** One change: bytes overwritten, cut out, or put in. */
const change = fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 5 }), fc.constantFrom('over', 'out', 'in'))
const mutated = fc
  .tuple(
    fc.constantFrom(...valid),
    fc.array(change, { minLength: 1, maxLength: 4 }),
    fc.constantFrom(...valid),
  )
  .map(([message, changes, next]) => {
    let bytes: Buffer = message
    for (const [where, noise, how] of changes) {
      const at = where % (bytes.length + 1)
      const rest = bytes.subarray(how === 'in' ? at : at + noise.length)
      bytes = Buffer.concat([bytes.subarray(0, at), how === 'out' ? raw() : noise, rest])
    }
    return Buffer.concat([bytes, next])
  })

test(`${FUZZ_RUNS} mutated messages: every connection ends, the door lives, and a good client never waits`, async t => {
  const seed = Date.now() % 2 ** 31
  t.diagnostic(`seed ${seed}`)
  const samples = fc.sample(mutated, { numRuns: FUZZ_RUNS, seed })
  for (let i = 0; i < samples.length; i += AT_A_TIME) {
    await Promise.all(
      samples.slice(i, i + AT_A_TIME).map(async bytes => {
        const client = await openRaw(bench.door)
        client.socket.end(bytes)
        await client.closed()
      }),
    )
    if (i % (AT_A_TIME * 10) === 0) await proveUnharmed()
  }
  await until('the door has let go of them', () => bench.door.counters().connections === 1)
  await proveUnharmed()
  await proveAlive(bench.door)
})
