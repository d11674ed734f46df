// Mutated calls of every method in every way of speaking, and bytes at random: every connection ends or is answered,
// the door lives, holds no memory, and a good client beside it never waits. A sample here; RPC_LONG=1 sends 100,000.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { type ChildDoor, startDoor } from './child-door.ts'
import { openClient, openRaw, proveAlive, until, wire } from './fixture.ts'
import { encode, type Message, mutated, type Value } from './messages.ts'

const MESSAGES = process.env.RPC_LONG === '1' ? 100_000 : 1_500
const AT_A_TIME = 20
const BATCH = 500
/** What one call of a good client may take, on a machine that is busy with much else. */
const GOOD_CALL_MS = 5_000
const MEMORY_BYTES = 100e6

const text = (value: string): Value => ({ type: 11, text: value })
const call = (name: string, ...values: Value[]): Message => ({
  name,
  seqid: 1,
  fields: values.map((value, i) => ({ id: i + 1, value })),
})
const ID = '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f'
const options: Value = {
  type: 12,
  fields: [
    { id: 1, value: { type: 3, int: 5 } },
    { id: 5, value: { type: 12, fields: [{ id: 1, value: { type: 4, double: 1.5 } }] } },
    { id: 6, value: { type: 2, bool: false } },
    { id: 8, value: text('title') },
  ],
}
const filter: Value = {
  type: 12,
  fields: [
    { id: 1, value: { type: 15, element: text('PENDING'), count: 2 } },
    { id: 5, value: text('x') },
  ],
}
const calls: Message[] = [
  call('startCalcPi', { type: 3, int: 5 }),
  call('getTaskStatus', text(ID)),
  call('ping'),
  call('version'),
  call('submitTask', text('calcpi'), text('{"digits":3}'), options),
  call('getTask', text(ID)),
  call('waitTask', text(ID), text('0-0'), { type: 8, int: 5 }),
  call('pageTasks', filter, { type: 8, int: 1 }, text('')),
  call('cancelTask', text(ID)),
  call('retryTask', text(ID)),
  call('purgeTask', text(ID)),
  call('readResult', text(ID), { type: 10, long: 0n }, { type: 8, int: 10 }),
  call('readLog', text(ID), { type: 10, long: 2n ** 62n }, { type: 8, int: 10 }),
  call('listKinds'),
  call('listKindTroubles'),
  call('reloadKinds'),
  call('hostStatus'),
  call('queueStatus'),
  // what no method takes
  call(
    'ping',
    { type: 13, key: text('a'), value: filter, count: 2 },
    { type: 14, element: options, count: 3 },
  ),
]
const valid = (['binary', 'compact'] as const).flatMap(protocol =>
  calls.flatMap(message => {
    const bytes = encode(protocol, message)
    return [bytes, Buffer.concat([wire.i32(bytes.length), bytes])]
  }),
)
const oneValid = fc.constantFrom(...valid)
const noise = fc.uint8Array({ maxLength: 300 }).map(array => Buffer.from(array))
const behind = (first: fc.Arbitrary<Buffer>, then: fc.Arbitrary<Buffer>) =>
  fc.tuple(first, then).map(both => Buffer.concat(both))
const hostile = fc.oneof(
  { weight: 4, arbitrary: behind(mutated(oneValid), oneValid) },
  { weight: 2, arbitrary: behind(oneValid, mutated(oneValid)) },
  { weight: 1, arbitrary: noise },
  { weight: 1, arbitrary: behind(oneValid, noise) },
)

let child: ChildDoor
/** A well-behaved client whose connection has to live through everything here. */
let beside: ReturnType<typeof openClient>
before(async () => {
  child = await startDoor()
  beside = openClient(child.door)
})
after(async () => {
  beside.close()
  await child.stop()
})

const send = async (bytes: Buffer): Promise<void> => {
  const client = await openRaw(child.door)
  client.socket.end(bytes)
  await client.closed()
  assert.doesNotMatch(client.received().toString('latin1'), /node_modules|\.ts:|at \w+ \(/)
}

test(`${MESSAGES} mutated and random messages harm nobody`, { timeout: 3_600_000 }, async t => {
  const seed = Date.now() % 2 ** 31
  t.diagnostic(`seed ${seed}`)
  const id = await beside.client.startCalcPi(1)
  for (let i = 0; i < 1_000; i += 1) await beside.client.getTaskStatus(id)
  const { rss: idle } = await child.figures()
  let slowest = 0
  let most = 0
  for (let sent = 0; sent < MESSAGES; sent += BATCH) {
    const samples = fc.sample(hostile, { numRuns: BATCH, seed: seed + sent })
    for (let i = 0; i < samples.length; i += AT_A_TIME) {
      const hostiles = samples.slice(i, i + AT_A_TIME).map(send)
      const begun = performance.now()
      assert.equal((await beside.client.getTaskStatus(id)).status, 'PENDING')
      slowest = Math.max(slowest, performance.now() - begun)
      await Promise.all(hostiles)
    }
    most = Math.max(most, (await child.figures()).rss - idle)
  }
  await until('the door has let go of them', async () => (await child.figures()).counters.connections === 1)
  await proveAlive(child.door)
  const { refused, calls: answered } = (await child.figures()).counters
  t.diagnostic(
    `${refused} refused, ${answered} answered, the slowest good call ${slowest.toFixed(0)} ms, ` +
      `${(most / 1e6).toFixed(0)} MB over idle`,
  )
  assert.ok(slowest < GOOD_CALL_MS, `a good client waited ${slowest} ms`)
  assert.ok(refused > MESSAGES / 4, 'the messages are hostile')
  assert.ok(answered > MESSAGES / 4, 'some of them are calls')
  assert.ok(most < MEMORY_BYTES, `${most} bytes over idle`)
})
